package media

import "time"

// Clip is a piece of sound, ready to be sent in both laws. It is not changed
// once made, and may be played by many sessions at once.
type Clip struct{ u, a []byte }

// NewClip encodes 16-bit samples at SampleRate.
func NewClip(pcm []int16) *Clip {
	return &Clip{
		u: PCMU.AppendEncoded(make([]byte, 0, len(pcm)), pcm),
		a: PCMA.AppendEncoded(make([]byte, 0, len(pcm)), pcm),
	}
}

// EncodedClip takes sound that is G.711 already; the clip plays these very
// bytes in that law. The caller no longer changes b.
func EncodedClip(law Codec, b []byte) *Clip {
	pcm := law.AppendDecoded(make([]int16, 0, len(b)), b)
	if law == PCMA {
		return &Clip{u: PCMU.AppendEncoded(make([]byte, 0, len(b)), pcm), a: b}
	}
	return &Clip{u: b, a: PCMA.AppendEncoded(make([]byte, 0, len(b)), pcm)}
}

// Encoded is the sound in a law, one byte per sample; not to be changed.
func (c *Clip) Encoded(law Codec) []byte {
	if law == PCMA {
		return c.a
	}
	return c.u
}

// Duration is how long it plays.
func (c *Clip) Duration() time.Duration { return duration(len(c.u)) }

// Sound is clips that play one after the other, without a gap.
type Sound []*Clip

// Duration is how long it plays in all.
func (s Sound) Duration() (d time.Duration) {
	for _, c := range s {
		d += c.Duration()
	}
	return d
}

// Encoded is the whole sound in a law.
func (s Sound) Encoded(law Codec) []byte {
	var b []byte
	for _, c := range s {
		b = append(b, c.Encoded(law)...)
	}
	return b
}

// samples is how many fit into d.
func samples(d time.Duration) int { return int(d * SampleRate / time.Second) }

// duration is how long n samples last.
func duration(n int) time.Duration { return time.Duration(n) * time.Second / SampleRate }

// quiet is the code of silence in a law.
func quiet(law Codec) byte {
	if law == PCMA {
		return 0xd5
	}
	return 0xff
}
