package event

import (
	"sync"
	"sync/atomic"
)

// Bus gives every published event to every subscription of this process. It
// never blocks the publisher: a subscription that falls behind is cut off and
// counted, and its owner starts again from a snapshot. The zero Bus is ready.
type Bus struct {
	mu     sync.RWMutex
	subs   map[*Subscription]struct{}
	closed bool
	cutOff atomic.Int64
}

// Subscription is one reader of a Bus.
type Subscription struct {
	bus    *Bus
	c      chan Event
	behind bool // under bus.mu
}

// Subscribe begins a subscription that may be buffer events behind; at least 1.
// On a closed Bus it is over at once.
func (b *Bus) Subscribe(buffer int) *Subscription {
	s := &Subscription{bus: b, c: make(chan Event, max(buffer, 1))}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(s.c)
		return s
	}
	if b.subs == nil {
		b.subs = make(map[*Subscription]struct{})
	}
	b.subs[s] = struct{}{}
	return s
}

// Publish gives an event to all subscriptions.
func (b *Bus) Publish(e Event) {
	b.mu.RLock()
	var slow []*Subscription
	for s := range b.subs {
		select {
		case s.c <- e:
		default:
			slow = append(slow, s)
		}
	}
	b.mu.RUnlock()
	for _, s := range slow {
		if b.end(s, true) {
			b.cutOff.Add(1)
		}
	}
}

// CutOff counts the subscriptions that fell behind.
func (b *Bus) CutOff() int64 { return b.cutOff.Load() }

// Subscribers counts the subscriptions.
func (b *Bus) Subscribers() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.subs)
}

// Close ends all subscriptions, and those to come. It is safe twice.
func (b *Bus) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for s := range b.subs {
		close(s.c)
	}
	b.subs = nil
}

// C gives the events; it is closed when the subscription is over, after those
// that were still in it.
func (s *Subscription) C() <-chan Event { return s.c }

// Behind tells, once C is closed, that events were missed.
func (s *Subscription) Behind() bool {
	s.bus.mu.RLock()
	defer s.bus.mu.RUnlock()
	return s.behind
}

// Close ends the subscription. It is safe twice.
func (s *Subscription) Close() { s.bus.end(s, false) }

func (b *Bus) end(s *Subscription, behind bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, open := b.subs[s]; !open {
		return false
	}
	delete(b.subs, s)
	s.behind = behind
	close(s.c)
	return true
}
