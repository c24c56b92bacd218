package media

import (
	"sync"
	"time"
)

// Key is one key of a telephone's keypad: 0-9, *, # or A-D. It prints as a dot,
// whatever the key: keys pressed may be a PIN.
type Key byte

// String hides the key.
func (Key) String() string { return "." }

// GoString hides the key from %#v too.
func (Key) GoString() string { return "." }

// Byte is the key's character.
func (k Key) Byte() byte { return byte(k) }

const keyNames = "0123456789*#ABCD"

// KeyOf gives the key of an event code of RFC 4733 section 3.2 (table 3); ok is
// false for those that are no keys.
func KeyOf(event int) (k Key, ok bool) {
	if event < 0 || event >= len(keyNames) {
		return 0, false
	}
	return Key(keyNames[event]), true
}

// Way is how a key press reached us. The greater is the surer.
type Way uint8

// The ways; the value 0 is none.
const (
	InBand Way = iota + 1 // as tones in the sound
	ByInfo                // in a SIP INFO
	ByRTP                 // as a telephone event, RFC 4733
)

// String is the way's name, also the metric's label.
func (w Way) String() string {
	switch w {
	case ByRTP:
		return "rtp"
	case ByInfo:
		return "info"
	case InBand:
		return "inband"
	}
	return "none"
}

const (
	// typedAhead is how many keys wait to be read; further ones are lost.
	typedAhead = 64
	// echoTime is within what time the same key by another way is the same press.
	// Tones are heard at once, but an INFO is often sent when the key is let go.
	echoTime = 5 * time.Second
	// remembered bounds the presses that are compared.
	remembered = 16
)

// Keypad gathers the keys pressed in one call, each press once: many phones
// send every press by two ways. What a person types ahead waits in it. Safe for
// use by several goroutines.
type Keypad struct {
	keys chan Key

	mu     sync.Mutex
	best   Way // the surest way by which this call's keys came
	recent []press
	counts [ByRTP + 1]int
}

// press is a key that was taken, and the ways by which it came since.
type press struct {
	key  Key
	at   time.Time
	ways [ByRTP + 1]bool
}

// NewKeypad makes an empty one.
func NewKeypad() *Keypad { return &Keypad{keys: make(chan Key, typedAhead)} }

// Keys gives the presses in order. The channel is never closed.
func (k *Keypad) Keys() <-chan Key { return k.keys }

// Press takes a key and tells whether it was a new press. One that already came
// by another way is dropped, and once a call has used one way all less sure
// ones are: the tones of a phone that also sends events are an echo.
func (k *Keypad) Press(way Way, key Key, at time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.recent {
		p := &k.recent[i]
		if p.key == key && !p.ways[way] && at.Sub(p.at) <= echoTime {
			p.ways[way] = true
			k.best = max(k.best, way)
			return false
		}
	}
	if way < k.best {
		return false
	}
	select {
	case k.keys <- key:
	default:
		return false
	}
	k.best = way
	k.counts[way]++
	p := press{key: key, at: at}
	p.ways[way] = true
	if k.recent = append(k.recent, p); len(k.recent) > remembered {
		k.recent = k.recent[1:]
	}
	return true
}

// Forget drops what was typed ahead.
func (k *Keypad) Forget() {
	for {
		select {
		case <-k.keys:
		default:
			return
		}
	}
}

// without says that the call has a way no longer: the others count again.
func (k *Keypad) without(way Way) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.best == way {
		k.best = 0
	}
}

// Count is how many presses were taken by a way.
func (k *Keypad) Count(way Way) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.counts[way]
}
