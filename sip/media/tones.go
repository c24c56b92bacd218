package media

import "math"

// Tones finds keys in sound (ITU-T Q.23, Q.24): two sines at once, one of four
// low and one of four high frequencies. It looks at windows of 205 samples,
// which half overlap, by Goertzel's algorithm. Speech must not be taken for a
// key: nearly all of a window's power must be in the two, neither may be much
// louder than the other, nor may there be a second harmonic, as voices have.
type Tones struct {
	window [windowSize]float64
	filled int
	heard  Key // the key of the window before, 0 none
	held   Key // the key that is down, 0 none
	misses int // windows since the key that is down was last heard
}

const (
	windowSize = 205
	windowStep = 103

	minPower   = 2e4  // mean square of a window, about -42 dBm0; less is silence
	minShare   = 0.70 // of a window's power in the two sines
	rowLouder  = 2.5  // 4 dB
	colLouder  = 6.3  // 8 dB: lines damp high frequencies
	minLead    = 6.3  // 8 dB over the other sines of its group
	maxSecond  = 0.10 // power of a second harmonic, as part of the sine's
	missesOver = 3    // windows without the key before it is let go: a gap of 40 ms, never one of 10
)

// The sines by group; as coefficients of the algorithm, 2 cos(2 pi f / 8000).
var (
	rows, cols       = coefficients(1, 697, 770, 852, 941), coefficients(1, 1209, 1336, 1477, 1633)
	rowTwos, colTwos = coefficients(2, 697, 770, 852, 941), coefficients(2, 1209, 1336, 1477, 1633)
)

// toneKeys is the keypad, row by row.
const toneKeys = "123A456B789C*0#D"

func coefficients(times float64, pitches ...float64) (c [4]float64) {
	for i, f := range pitches {
		c[i] = 2 * math.Cos(2*math.Pi*f*times/SampleRate)
	}
	return c
}

// Hear takes G.711 sound and calls press for each key in it.
func (t *Tones) Hear(law Codec, b []byte, press func(Key)) {
	table := &linearU
	if law == PCMA {
		table = &linearA
	}
	for _, v := range b {
		t.window[t.filled] = table[v]
		if t.filled++; t.filled == windowSize {
			t.judge(press)
			t.filled = copy(t.window[:], t.window[windowStep:])
		}
	}
}

// Lost says that some sound did not arrive: what follows may be the same press.
func (t *Tones) Lost() { t.filled, t.heard = 0, 0 }

// Silence says that the peer sent nothing for so many samples, as phones do
// that leave silence out.
func (t *Tones) Silence(n int) {
	t.Lost()
	if n >= windowStep*missesOver {
		t.held = 0
	}
}

// judge looks at a full window. A key counts when two in a row hold it, which
// 40 ms of it always do and 20 ms never.
func (t *Tones) judge(press func(Key)) {
	key := t.find()
	before := t.heard
	t.heard = key
	if key != 0 && key == t.held {
		t.misses = 0
		return
	}
	if t.misses++; t.misses >= missesOver {
		t.held = 0
	}
	if key != 0 && key == before {
		t.held, t.misses = key, 0
		press(key)
	}
}

// find gives the key in the window, 0 for none.
func (t *Tones) find() Key {
	power := 0.0
	for _, x := range t.window {
		power += x * x
	}
	if power < minPower*windowSize {
		return 0
	}
	row, rowPower := t.loudest(&rows)
	if row < 0 { // as in most of what people say
		return 0
	}
	col, colPower := t.loudest(&cols)
	// |X|^2 of a sine over N samples is N/2 times the power it adds to the sum.
	const scale = 2.0 / windowSize
	switch {
	case col < 0,
		(rowPower+colPower)*scale < minShare*power,
		rowPower > colPower*rowLouder,
		colPower > rowPower*colLouder,
		// Twice a row's pitch is near a column's, whose sine spills over.
		t.strength(rowTwos[row]) > max(rowPower, colPower)*maxSecond,
		t.strength(colTwos[col]) > colPower*maxSecond:
		return 0
	}
	return Key(toneKeys[row*4+col])
}

// loudest gives the sine of a group that stands out, -1 when none does.
func (t *Tones) loudest(group *[4]float64) (best int, power float64) {
	best = -1
	second := 0.0
	for i, c := range group {
		p := t.strength(c)
		if p > power {
			best, power, second = i, p, power
		} else {
			second = max(second, p)
		}
	}
	if power < second*minLead {
		return -1, 0
	}
	return best, power
}

// strength is the squared magnitude of one frequency in the window.
func (t *Tones) strength(c float64) float64 {
	var a, b float64
	for _, x := range t.window {
		a, b = x+c*a-b, a
	}
	return a*a + b*b - c*a*b
}

// linearU and linearA are the samples of each code.
var linearU, linearA = linear(PCMU), linear(PCMA)

func linear(law Codec) (t [256]float64) {
	for i := range t {
		t[i] = float64(law.AppendDecoded(nil, []byte{byte(i)})[0])
	}
	return t
}
