package media

import "math/bits"

// SampleRate is that of every sound here, in samples per second.
const SampleRate = 8000

// Codec is one of the two laws of ITU-T G.711; 8000 bytes per second.
type Codec uint8

// The value is the static RTP payload type (RFC 3551 section 6).
const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// String is the encoding name of an rtpmap attribute (RFC 3551 section 4.5.14).
func (c Codec) String() string {
	if c == PCMA {
		return "PCMA"
	}
	return "PCMU"
}

// AppendEncoded appends one byte per sample.
func (c Codec) AppendEncoded(dst []byte, pcm []int16) []byte {
	for _, s := range pcm {
		if c == PCMA {
			dst = append(dst, encodeA(s))
		} else {
			dst = append(dst, encodeU(s))
		}
	}
	return dst
}

// AppendDecoded appends one sample per byte.
func (c Codec) AppendDecoded(dst []int16, b []byte) []int16 {
	for _, v := range b {
		if c == PCMA {
			dst = append(dst, decodeA(v))
		} else {
			dst = append(dst, decodeU(v))
		}
	}
	return dst
}

// Both laws are a sign, three bits of exponent and four of mantissa. G.711
// counts mu-law in 14 bits and A-law in 13; here both are aligned to 16 bits.
const (
	biasU = 132   // added so that every segment begins at a power of two
	clipU = 32635 // 32767 - biasU
	maskA = 0x55  // A-law inverts every other bit on the line
)

func encodeU(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, clipU) + biasU
	exp := bits.Len(uint(v)) - 8
	return ^(sign | byte(exp<<4) | byte(v>>(exp+3)&0xf))
}

func decodeU(b byte) int16 {
	b = ^b
	v := (int(b&0xf)<<3+biasU)<<(b>>4&7) - biasU
	if b&0x80 != 0 {
		return int16(-v)
	}
	return int16(v)
}

func encodeA(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = ^v, 0
	}
	exp := max(0, bits.Len(uint(v))-8)
	return (sign | byte(exp<<4) | byte(v>>(max(exp, 1)+3)&0xf)) ^ maskA
}

func decodeA(b byte) int16 {
	b ^= maskA
	v, exp := int(b&0xf)<<4+8, b>>4&7
	if exp > 0 {
		v = (v + 256) << (exp - 1)
	}
	if b&0x80 == 0 {
		return int16(-v)
	}
	return int16(v)
}
