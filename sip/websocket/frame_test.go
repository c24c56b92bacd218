package websocket

import (
	"bytes"
	"testing"
)

// FuzzUnframe: no bytes of the stack's make it read beyond them, and a frame
// that we made, unmasked, comes back whole.
func FuzzUnframe(f *testing.F) {
	for _, n := range []int{0, 1, 125, 126, 127, MaxMessage} {
		f.Add(frame(bytes.Repeat([]byte("x"), n)))
	}
	f.Add([]byte("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		payload, size, err := unframe(b)
		if err == nil && size > 0 && (size > len(b) || len(payload) > size-2) {
			t.Fatal(len(payload), size)
		}
		if len(b) > MaxMessage {
			return
		}
		framed := frame(b)
		head := len(framed) - len(b) - maskBytes
		plain := append(append([]byte{framed[0], framed[1] &^ maskBit}, framed[2:head]...), b...)
		payload, size, err = unframe(append(plain, "rest"...))
		if err != nil || size != len(plain) || !bytes.Equal(payload, b) {
			t.Fatal(len(payload), size, err)
		}
	})
}
