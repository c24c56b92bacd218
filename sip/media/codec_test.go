package media

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Points of the tables of ITU-T G.711, in 16-bit alignment.
func TestCodecPoints(t *testing.T) {
	for _, tc := range []struct {
		codec Codec
		code  byte
		value int16
	}{
		{PCMU, 0xff, 0},
		{PCMU, 0x00, -32124},
		{PCMU, 0x80, 32124},
		{PCMU, 0xfe, 8},
		{PCMU, 0xf0, 120},
		{PCMU, 0xef, 132},
		{PCMU, 0x6f, -132},
		{PCMA, 0xd5, 8},
		{PCMA, 0x55, -8},
		{PCMA, 0xaa, 32256},
		{PCMA, 0x2a, -32256},
		{PCMA, 0xc5, 264},
	} {
		if got := tc.codec.AppendDecoded(nil, []byte{tc.code}); got[0] != tc.value {
			t.Errorf("%s %#x decodes to %d, want %d", tc.codec, tc.code, got[0], tc.value)
		}
	}
}

// Every code but mu-law's negative zero comes back, and every sample comes back
// within half a step of its segment.
func TestCodecRoundTrip(t *testing.T) {
	for _, c := range []Codec{PCMU, PCMA} {
		for b := range 256 {
			pcm := c.AppendDecoded(nil, []byte{byte(b)})
			back := c.AppendEncoded(nil, pcm)
			if back[0] != byte(b) && !(c == PCMU && b == 0x7f) {
				t.Errorf("%s %#x -> %d -> %#x", c, b, pcm[0], back[0])
			}
		}
		for v := math.MinInt16; v <= math.MaxInt16; v++ {
			got := int(c.AppendDecoded(nil, c.AppendEncoded(nil, []int16{int16(v)}))[0])
			off, size := math.Abs(float64(got-v)), math.Abs(float64(v))
			if off > 8+size/32 && size < 32700 || off > 1024 {
				t.Fatalf("%s: %d becomes %d", c, v, got)
			}
		}
	}
}

func TestMelodies(t *testing.T) {
	for name, m := range map[string]func() []int16{"yes": Yes, "no": No} {
		t.Run(name, func(t *testing.T) {
			pcm := m()
			if d := cmp.Diff(pcm, m()); d != "" {
				t.Error("two calls differ")
			}
			if sec := float64(len(pcm)) / SampleRate; sec < 0.8 || sec > 1.2 {
				t.Errorf("%.2f s long", sec)
			}
			peak, step := 0.0, 0.0
			for i, s := range pcm {
				peak = max(peak, math.Abs(float64(s)))
				if i > 0 {
					step = max(step, math.Abs(float64(s)-float64(pcm[i-1])))
				}
			}
			if db := 20 * math.Log10(peak/math.MaxInt16); db < -13.5 || db > -12.5 {
				t.Errorf("level %.1f dBFS", db)
			}
			// A sine of 784 Hz moves by at most 2*pi*784/8000 of its height
			// from sample to sample; a click moves more.
			if limit := level * 2 * math.Pi * 784 / SampleRate; step > limit+1 {
				t.Errorf("a step of %.0f, more than %.0f", step, limit)
			}
			if pcm[0] != 0 || pcm[len(pcm)-1] != 0 {
				t.Error("does not begin and end in silence")
			}
		})
	}
	if pitch(Yes(), 0.10) >= pitch(Yes(), 0.50) {
		t.Error("yes does not rise")
	}
	if pitch(No(), 0.10) <= pitch(No(), 0.50) {
		t.Error("no does not fall")
	}
}

// pitch counts how often the wave rises through zero in the 0.1 s from at.
func pitch(pcm []int16, at float64) int {
	from := int(at * SampleRate)
	n := 0
	for i := from; i < from+SampleRate/10; i++ {
		if pcm[i] < 0 && pcm[i+1] >= 0 {
			n++
		}
	}
	return n
}

func BenchmarkEncode(b *testing.B) {
	pcm := Yes()[:160]
	for _, c := range []Codec{PCMU, PCMA} {
		b.Run(c.String(), func(b *testing.B) {
			buf := make([]byte, 0, 160)
			b.ReportAllocs()
			for b.Loop() {
				buf = c.AppendEncoded(buf[:0], pcm)
			}
		})
	}
}
