package media

import "math"

// Yes is the melody of success: three rising notes, about one second of
// 16-bit samples at SampleRate. The same samples each time.
func Yes() []int16 {
	return melody([]note{{0, 0.06}, {523.25, 0.18}, {659.26, 0.18}, {783.99, 0.40}, {0, 0.10}})
}

// No is the melody of refusal: three falling notes, about one second of
// 16-bit samples at SampleRate. The same samples each time.
func No() []int16 {
	return melody([]note{{0, 0.06}, {523.25, 0.18}, {440.00, 0.18}, {349.23, 0.48}, {0, 0.10}})
}

// note is a tone, or silence when pitch is 0: some phones lose the first
// packets of a call.
type note struct {
	pitch   float64 // Hz; above 300, or a telephone would swallow it
	seconds float64
}

// level is 13 dB below a full-scale sine, about -10 dBm0: as loud as a dial
// tone.
const level = 0.2239 * math.MaxInt16

// ramp is how long a note takes to rise and fall; a step in the wave would be
// heard as a click.
const ramp = 0.020

func melody(notes []note) []int16 {
	var pcm []int16
	for _, n := range notes {
		count := int(n.seconds * SampleRate)
		for i := range count {
			t := float64(i) / SampleRate
			left := float64(count-1-i) / SampleRate
			s := level * envelope(t) * envelope(left) * math.Sin(2*math.Pi*n.pitch*t)
			pcm = append(pcm, int16(math.Round(s)))
		}
	}
	return pcm
}

// envelope is a raised cosine from 0 to 1 over the ramp, t seconds from the
// nearer end of a note.
func envelope(t float64) float64 {
	if t >= ramp {
		return 1
	}
	return (1 - math.Cos(math.Pi*t/ramp)) / 2
}
