package media

import (
	"fmt"
	"testing"
	"time"
)

// typed takes what waits in the keypad.
func typed(k *Keypad) string {
	var b []byte
	for len(k.keys) > 0 {
		b = append(b, (<-k.Keys()).Byte())
	}
	return string(b)
}

func TestKeypad(t *testing.T) {
	type press struct {
		at  int // ms
		way Way
		key Key
	}
	for _, tc := range []struct {
		name    string
		presses []press
		want    string
	}{
		{"one way", []press{{0, InBand, '1'}, {200, InBand, '1'}, {400, InBand, '2'}}, "112"},
		{"events and tones", []press{{0, ByRTP, '1'}, {60, InBand, '1'}, {300, ByRTP, '1'}, {360, InBand, '1'}}, "11"},
		{"tones before events", []press{{0, InBand, '1'}, {5, ByRTP, '1'}, {300, InBand, '2'}, {305, ByRTP, '2'}}, "12"},
		{"an INFO when the key is let go", []press{{50, InBand, '1'}, {250, InBand, '1'}, {300, ByInfo, '1'}, {500, ByInfo, '1'}, {700, ByInfo, '3'}}, "113"},
		{"all three", []press{{0, ByRTP, '9'}, {50, InBand, '9'}, {100, ByInfo, '9'}, {500, ByRTP, '9'}, {550, InBand, '9'}, {600, ByInfo, '9'}}, "99"},
		{"events after an INFO of the same press", []press{{0, ByInfo, '#'}, {10, ByRTP, '#'}, {20, ByInfo, '1'}, {30, ByRTP, '1'}}, "#1"},
		{"the echo comes too late to be one", []press{{0, InBand, '1'}, {6000, ByRTP, '1'}}, "11"},
		{"a voice that sounded like a key", []press{{0, InBand, '7'}, {900, ByRTP, '1'}, {950, InBand, '1'}, {1000, ByRTP, '7'}, {1500, ByRTP, '7'}}, "717"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := NewKeypad()
			for _, p := range tc.presses {
				k.Press(p.way, p.key, time.Unix(0, 0).Add(time.Duration(p.at)*time.Millisecond))
			}
			if got := typed(k); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestKeypadIsBounded(t *testing.T) {
	k, now := NewKeypad(), time.Now()
	for i := range 3 * typedAhead {
		k.Press(ByRTP, '5', now.Add(time.Duration(i)*time.Second))
	}
	if len(k.keys) != typedAhead || k.Count(ByRTP) != typedAhead || len(k.recent) != remembered {
		t.Errorf("%d wait, %d counted, %d remembered", len(k.keys), k.Count(ByRTP), len(k.recent))
	}
	k.Forget()
	if len(k.keys) != 0 {
		t.Error("still typed ahead")
	}
	k.without(ByRTP)
	if !k.Press(InBand, '6', now.Add(time.Hour)) {
		t.Error("tones do not count though events were agreed away")
	}
}

// TestKeysAreMasked: whatever prints a key or a keypad's channel of them.
func TestKeysAreMasked(t *testing.T) {
	for _, format := range []string{"%v", "%s", "%+v", "%#v", "%q"} {
		if got := fmt.Sprintf(format, Key('7')); got != "." && got != `"."` {
			t.Errorf("%s prints %s", format, got)
		}
	}
}
