package media

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func pitches(key byte) (row, col float64) {
	for i := range toneKeys {
		if toneKeys[i] == key {
			return []float64{697, 770, 852, 941}[i/4], []float64{1209, 1336, 1477, 1633}[i%4]
		}
	}
	panic("no key")
}

// tone is a key as a phone makes it.
type tone struct {
	key      byte
	on, off  time.Duration
	level    float64 // of the row's sine, dB below full scale
	twist    float64 // how much louder the column's is, dB
	shift    float64 // of both pitches, as part of them
	noise    float64 // dB below full scale; 0: none
	harmonic float64 // of the second harmonic, dB below the sine; 0: none
}

func (o tone) samples(rng *rand.Rand) []int16 {
	row, col := pitches(o.key)
	row, col = row*(1+o.shift), col*(1+o.shift)
	a := 32767 * math.Pow(10, -o.level/20)
	b := a * math.Pow(10, o.twist/20)
	out := make([]int16, samples(o.on+o.off))
	for i := range out {
		t := 2 * math.Pi * float64(i) / SampleRate
		x := 0.0
		if i < samples(o.on) {
			x = a*math.Sin(row*t) + b*math.Sin(col*t)
			if o.harmonic > 0 {
				h := math.Pow(10, -o.harmonic/20)
				x += a*h*math.Sin(2*row*t) + b*h*math.Sin(2*col*t)
			}
		}
		if o.noise > 0 {
			x += 32767 * math.Pow(10, -o.noise/20) * rng.NormFloat64()
		}
		out[i] = int16(math.Max(-32768, math.Min(32767, x)))
	}
	return out
}

// heard gives the keys that the detector finds, at every offset of its windows.
func heard(law Codec, pcm []int16, offset int) string {
	var tones Tones
	var got []byte
	tones.Hear(law, law.AppendEncoded(nil, make([]int16, offset)), func(k Key) { got = append(got, k.Byte()) })
	tones.Hear(law, law.AppendEncoded(nil, append(pcm, make([]int16, 1000)...)), func(k Key) { got = append(got, k.Byte()) })
	return string(got)
}

func TestTones(t *testing.T) {
	ms := time.Millisecond
	usual := tone{on: 80 * ms, off: 80 * ms, level: 15}
	with := func(change func(*tone)) tone {
		o := usual
		change(&o)
		return o
	}
	for _, tc := range []struct {
		name string
		tone tone
		yes  bool
	}{
		{"as phones send it", usual, true},
		{"40 ms on and off", with(func(o *tone) { o.on, o.off = 40*ms, 40*ms }), true},
		{"20 ms are none", with(func(o *tone) { o.on = 20 * ms }), false},
		{"a second long", with(func(o *tone) { o.on = time.Second }), true},
		{"soft", with(func(o *tone) { o.level = 36 }), true},
		{"hardly to be heard", with(func(o *tone) { o.level = 50 }), false},
		{"loud", with(func(o *tone) { o.level = 7 }), true},
		{"columns 6 dB louder", with(func(o *tone) { o.twist = 6 }), true},
		{"rows 3 dB louder", with(func(o *tone) { o.twist = -3 }), true},
		{"columns 12 dB louder", with(func(o *tone) { o.twist = 12 }), false},
		{"rows 9 dB louder", with(func(o *tone) { o.twist = -9 }), false},
		{"0.5 % high", with(func(o *tone) { o.shift = 0.005 }), true},
		{"0.5 % low", with(func(o *tone) { o.shift = -0.005 }), true},
		{"3.5 % high", with(func(o *tone) { o.shift = 0.035 }), false},
		{"noise 20 dB below", with(func(o *tone) { o.noise = 35 }), true},
		{"harmonics of a voice", with(func(o *tone) { o.harmonic = 6 }), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			for _, law := range []Codec{PCMU, PCMA} {
				for offset := 0; offset < windowStep; offset += 17 {
					var pcm []int16
					for i := range toneKeys {
						o := tc.tone
						o.key = toneKeys[i]
						pcm = append(pcm, o.samples(rng)...)
					}
					want := ""
					if tc.yes {
						want = toneKeys
					}
					if got := heard(law, pcm, offset); got != want {
						t.Fatalf("%v from sample %d: %q, want %q", law, offset, got, want)
					}
				}
			}
		})
	}
}

// TestSameKeyTwice: a pause of 40 ms divides two presses, a drop of 10 ms does
// not.
func TestSameKeyTwice(t *testing.T) {
	ms := time.Millisecond
	for offset := 0; offset < windowStep; offset += 7 {
		one := tone{key: '5', on: 60 * ms, off: 40 * ms, level: 15}.samples(nil)
		if got := heard(PCMU, append(append([]int16{}, one...), one...), offset); got != "55" {
			t.Errorf("from %d, a pause: %q", offset, got)
		}
		held := tone{key: '5', on: 200 * ms, level: 15}.samples(nil)
		clear(held[700:780])
		if got := heard(PCMU, held, offset); got != "5" {
			t.Errorf("from %d, a drop: %q", offset, got)
		}
	}
}

// TestNoKeyInNoise: neither noise, nor a single sine, nor the tones of a
// network are keys.
func TestNoKeyInNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var pcm []int16
	for range 20 * SampleRate {
		pcm = append(pcm, int16(4000*rng.NormFloat64()))
	}
	for _, pair := range [][2]float64{{350, 440}, {425, 425}, {440, 480}, {480, 620}, {697, 697}, {1336, 1336}, {697, 770}, {1209, 1477}, {2100, 2100}} {
		for i := range 2 * SampleRate {
			t := 2 * math.Pi * float64(i) / SampleRate
			pcm = append(pcm, int16(6000*math.Sin(pair[0]*t)+6000*math.Sin(pair[1]*t)))
		}
	}
	pcm = append(pcm, Yes()...)
	pcm = append(pcm, No()...)
	if got := heard(PCMU, pcm, 0); got != "" {
		t.Errorf("heard %q", got)
	}
}

func BenchmarkTones(b *testing.B) {
	frames := map[string][]byte{
		"silence": PCMU.AppendEncoded(nil, make([]int16, 160)),
		"sound":   PCMU.AppendEncoded(nil, Yes()[1600:1760]),
		"key":     PCMU.AppendEncoded(nil, tone{key: '5', on: 20 * time.Millisecond, level: 15}.samples(nil)),
	}
	for name, frame := range frames {
		b.Run(name, func(b *testing.B) {
			var tones Tones
			b.ReportAllocs()
			for b.Loop() {
				tones.Hear(PCMU, frame, func(Key) {})
			}
		})
	}
}
