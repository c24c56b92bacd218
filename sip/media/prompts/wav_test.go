package prompts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"perch/sip/media"
)

// wav builds a file of the given form; each part may be changed.
func wav(form, channels uint16, rate uint32, bits uint16, sound []byte, before ...string) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF....WAVE")
	for _, c := range before {
		b.WriteString(c)
	}
	b.WriteString("fmt ")
	for _, v := range []any{uint32(16), form, channels, rate, rate * uint32(channels) * uint32(bits) / 8, channels * bits / 8, bits} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(len(sound)))
	b.Write(sound)
	return b.Bytes()
}

func TestReadWAV(t *testing.T) {
	sound := []byte{0x10, 0x20, 0x30, 0x40, 0x50, 0x60}
	for _, tc := range []struct {
		name  string
		file  []byte
		fault string // empty: it is read
	}{
		{"mu-law", wav(7, 1, 8000, 8, sound), ""},
		{"A-law", wav(6, 1, 8000, 8, sound), ""},
		{"16 bits", wav(1, 1, 8000, 16, sound), ""},
		{"chunks before", wav(7, 1, 8000, 8, sound, "LIST\x03\x00\x00\x00abc\x00", "fact\x04\x00\x00\x00\x06\x00\x00\x00"), ""},
		{"written as a stream", bytes.Replace(wav(7, 1, 8000, 8, sound), []byte("data\x06\x00\x00\x00"), []byte("data\xff\xff\xff\xff"), 1), ""},
		{"stereo", wav(1, 2, 8000, 16, sound), "2 channels"},
		{"CD", wav(1, 1, 44100, 16, sound), "44100 samples"},
		{"8 bits linear", wav(1, 1, 8000, 8, sound), "8 bits"},
		{"floating point", wav(3, 1, 8000, 32, sound), "form 3"},
		{"MP3 in WAV", wav(85, 1, 8000, 0, sound), "form 85"},
		{"empty sound", wav(7, 1, 8000, 8, nil), "no sound"},
		{"too long", wav(7, 1, 8000, 8, make([]byte, maxFile)), "longer than a minute"},
		{"cut off in fmt", wav(7, 1, 8000, 8, sound)[:30], "fmt chunk has 10"},
		{"sound before fmt", append([]byte("RIFF....WAVEdata\x02\x00\x00\x00ab"), wav(7, 1, 8000, 8, sound)[12:]...), "before its fmt"},
		{"endless chunks", append([]byte("RIFF....WAVE"), bytes.Repeat([]byte("junk\x00\x00\x00\x00"), 1000)...), "no sound"},
		{"empty", nil, "no RIFF"},
		{"an MP3", []byte("ID3\x04 and so on, and so on"), "no RIFF"},
		{"big-endian", bytes.Replace(wav(7, 1, 8000, 8, sound), []byte("RIFF"), []byte("RIFX"), 1), "no RIFF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := ReadWAV(bytes.NewReader(tc.file))
			switch {
			case tc.fault == "" && err != nil:
				t.Error(err)
			case tc.fault == "" && c.Duration() == 0:
				t.Error("no sound was read")
			case tc.fault != "" && (!errors.Is(err, ErrWAV) || !strings.Contains(err.Error(), tc.fault)):
				t.Errorf("%v, want %q", err, tc.fault)
			}
		})
	}
}

// TestEncodedStays: sound that is G.711 already is played as it is.
func TestEncodedStays(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for form, law := range map[uint16]media.Codec{6: media.PCMA, 7: media.PCMU} {
		c, err := ReadWAV(bytes.NewReader(wav(form, 1, 8000, 8, all)))
		if err != nil || !bytes.Equal(c.Encoded(law), all) {
			t.Errorf("%v: %v", law, err)
		}
	}
}

// TestWhatSoxWrites: files of a program that many use.
func TestWhatSoxWrites(t *testing.T) {
	for _, encoding := range [][]string{{"-e", "signed", "-b", "16"}, {"-e", "a-law"}, {"-e", "mu-law"}} {
		name := filepath.Join(t.TempDir(), "out.wav")
		args := append([]string{"-D", "-n", "-r", "8000", "-c", "1"}, encoding...)
		args = append(args, name, "synth", "0.5", "sine", "440", "vol", "0.5")
		if out, err := exec.CommandContext(t.Context(), "sox", args...).CombinedOutput(); err != nil {
			t.Fatalf("sox: %v\n%s", err, out)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c, err := ReadWAV(f)
		if err != nil || len(c.Encoded(media.PCMU)) != 4000 {
			t.Errorf("%v: %v", encoding, err)
		}
	}
}

func FuzzReadWAV(f *testing.F) {
	for _, b := range [][]byte{wav(7, 1, 8000, 8, []byte("ab")), wav(1, 1, 8000, 16, []byte("abc"), "LIST\xff\xff\xff\xff"), wav(0xfffe, 1, 8000, 8, []byte("ab"))} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ReadWAV(bytes.NewReader(b))
		if err == nil && (len(c.Encoded(media.PCMU)) == 0 || len(c.Encoded(media.PCMU)) != len(c.Encoded(media.PCMA)) || len(c.Encoded(media.PCMU)) > len(b)) {
			t.Errorf("%d bytes became %d and %d", len(b), len(c.Encoded(media.PCMU)), len(c.Encoded(media.PCMA)))
		}
	})
}
