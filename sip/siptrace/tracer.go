package siptrace

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxWatchers is how many may watch at the same time: each message of each
// socket is compared with what every one of them looks for.
const MaxWatchers = 8

// backlog is how many messages may wait for a watcher that is slow. What comes
// beyond is dropped and counted.
const backlog = 512

// ErrTooMany says that MaxWatchers watch already.
var ErrTooMany = errors.New("siptrace: too many watchers")

// ErrNothing says that a filter names neither a device nor an extension.
var ErrNothing = errors.New("siptrace: a filter needs a MAC or a number")

// Packet is a message as a socket saw it. Text is only read, and only until Saw
// returns.
type Packet struct {
	Transport     string // udp, tcp, tls, ws, wss
	In            bool   // it came from the peer
	Local, Remote string // ip:port
	Text          []byte
}

// Message is a packet as a watcher gets it: redacted, and its own copy.
type Message struct {
	At            time.Time
	Transport     string
	In            bool
	Local, Remote string
	Text          []byte
	// Dropped is how many messages of this watcher were dropped so far, because
	// it was slow.
	Dropped uint64
}

// Tracer hands messages to watchers. The zero value is ready; a nil one is
// always off. Safe for use by several goroutines.
type Tracer struct {
	mu       sync.Mutex
	watchers atomic.Pointer[[]*Watcher] // nil: nobody watches; replaced, never changed
}

// On tells whether anybody watches: callers ask before they prepare a Packet.
func (t *Tracer) On() bool { return t != nil && t.watchers.Load() != nil }

// Saw shows a packet to all watchers. It never blocks.
func (t *Tracer) Saw(p Packet) {
	if t == nil {
		return
	}
	all := t.watchers.Load()
	if all == nil {
		return
	}
	var parts *names
	var text []byte
	for _, w := range *all {
		if parts == nil {
			parts = namesIn(p.Text)
		}
		if !w.wants(p, parts) {
			continue
		}
		if text == nil {
			text = Redact(p.Text)
		}
		w.give(Message{At: time.Now(), Transport: p.Transport, In: p.In, Local: p.Local, Remote: p.Remote, Text: text})
	}
}

// Watch begins to collect what f describes. Close the Watcher. The error is
// ErrTooMany or ErrNothing.
func (t *Tracer) Watch(f Filter) (*Watcher, error) {
	if f.MAC == "" && f.Number == "" {
		return nil, ErrNothing
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var now []*Watcher
	if all := t.watchers.Load(); all != nil {
		now = slices.Clone(*all)
	}
	if len(now) >= MaxWatchers {
		return nil, ErrTooMany
	}
	w := newWatcher(t, f)
	now = append(now, w)
	t.watchers.Store(&now)
	return w, nil
}

func (t *Tracer) leave(w *Watcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.watchers.Load()
	if all == nil {
		return
	}
	rest := slices.DeleteFunc(slices.Clone(*all), func(other *Watcher) bool { return other == w })
	if len(rest) == 0 {
		t.watchers.Store(nil)
		return
	}
	t.watchers.Store(&rest)
}
