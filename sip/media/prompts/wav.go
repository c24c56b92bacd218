package prompts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"perch/sip/media"
)

const (
	// maxFile bounds a WAV file, in bytes: a minute of 16-bit sound.
	maxFile = 60*media.SampleRate*2 + 4096
	// maxChunks bounds what may stand before the sound.
	maxChunks = 64
)

// The forms of sound in a WAV file (RFC 2361).
const (
	formPCM   = 1
	formALaw  = 6
	formMuLaw = 7
	formOther = 0xfffe // the form is in the extension
)

// ErrWAV is wrapped by what ReadWAV says of a file that it does not take.
var ErrWAV = errors.New("not a WAV file with 8 kHz mono sound of 16 bits, A-law or mu-law")

// ReadWAV reads a whole WAV file: 8,000 samples a second, one channel, 16 bits,
// A-law or mu-law, at most a minute. Chunks other than "fmt " and "data" are
// passed over. The error wraps ErrWAV and says what is wrong.
func ReadWAV(r io.Reader) (*media.Clip, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%w: longer than a minute", ErrWAV)
	}
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, fmt.Errorf("%w: no RIFF WAVE header", ErrWAV)
	}
	var form uint16
	rest := b[12:]
	for range maxChunks {
		name, body, after, ok := chunk(rest)
		if !ok {
			break
		}
		switch name {
		case "fmt ":
			if form, err = readForm(body); err != nil {
				return nil, err
			}
		case "data":
			return readSound(form, body)
		}
		rest = after
	}
	return nil, fmt.Errorf("%w: no sound in it", ErrWAV)
}

// chunk cuts the first chunk off. Sound that was written as a stream claims
// more than there is: it ends with the file.
func chunk(b []byte) (name string, body, rest []byte, ok bool) {
	if len(b) < 8 {
		return "", nil, nil, false
	}
	name, b, size := string(b[:4]), b[8:], binary.LittleEndian.Uint32(b[4:])
	if uint64(size) >= uint64(len(b)) {
		return name, b, nil, true
	}
	return name, b[:size], b[min(len(b), int(size)+int(size)%2):], true
}

func readForm(b []byte) (form uint16, err error) {
	if len(b) < 16 {
		return 0, fmt.Errorf("%w: its fmt chunk has %d bytes", ErrWAV, len(b))
	}
	form = binary.LittleEndian.Uint16(b)
	channels, rate, bits := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint16(b[14:])
	if form == formOther && len(b) >= 26 {
		form = binary.LittleEndian.Uint16(b[24:])
	}
	want := map[uint16]uint16{formPCM: 16, formALaw: 8, formMuLaw: 8}[form]
	switch {
	case want == 0:
		return 0, fmt.Errorf("%w: its sound is of form %d", ErrWAV, form)
	case channels != 1:
		return 0, fmt.Errorf("%w: it has %d channels", ErrWAV, channels)
	case rate != media.SampleRate:
		return 0, fmt.Errorf("%w: it has %d samples a second", ErrWAV, rate)
	case bits != want:
		return 0, fmt.Errorf("%w: it has %d bits a sample", ErrWAV, bits)
	}
	return form, nil
}

func readSound(form uint16, b []byte) (*media.Clip, error) {
	if len(b) < 2 {
		return nil, fmt.Errorf("%w: no sound in it", ErrWAV)
	}
	switch form {
	case formPCM:
		pcm := make([]int16, len(b)/2)
		for i := range pcm {
			pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		return media.NewClip(pcm), nil
	case formALaw:
		return media.EncodedClip(media.PCMA, slices.Clone(b)), nil
	case formMuLaw:
		return media.EncodedClip(media.PCMU, slices.Clone(b)), nil
	}
	return nil, fmt.Errorf("%w: sound before its fmt chunk", ErrWAV)
}
