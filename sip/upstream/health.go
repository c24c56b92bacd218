package upstream

import (
	"slices"
	"sync"
	"time"

	"perch/sip/flow"
)

// Hysteresis: one lost answer makes no hop go down, and one that comes through
// makes none come up.
const (
	downAfter  = 2
	upAfter    = 2
	forgetHop  = time.Hour // after which a hop that nobody asked for is forgotten
	maxHops    = 4096
	maxHoldOff = 10 * time.Minute // of a Retry-After
)

// Status is what is known of a next hop.
type Status struct {
	Hop    flow.Hop
	Up     bool
	Since  time.Time     // of Up; zero: never asked
	Why    string        // of being down
	Took   time.Duration // of its last answer
	Closed time.Time     // until when it wants nothing (Retry-After)
}

type hopState struct {
	Status
	row  int // successes in a row; failures are negative
	seen time.Time
}

// Health knows which next hops answer. What was never asked counts as up. Safe
// for use by several goroutines.
type Health struct {
	mu   sync.Mutex
	hops map[string]*hopState
}

// NewHealth makes a Health.
func NewHealth() *Health { return &Health{hops: map[string]*hopState{}} }

func (h *Health) of(hop flow.Hop, now time.Time) *hopState {
	s := h.hops[hop.String()]
	if s == nil {
		if len(h.hops) >= maxHops {
			h.sweep(now, 0)
		}
		s = &hopState{Status: Status{Hop: hop, Up: true}}
		h.hops[hop.String()] = s
	}
	s.seen = now
	return s
}

// sweep forgets hops that nobody has asked for in a time.
func (h *Health) sweep(now time.Time, unseen time.Duration) {
	for k, s := range h.hops {
		if now.Sub(s.seen) >= unseen {
			delete(h.hops, k)
		}
	}
}

// Answered notes that a hop gave a response; changed tells that it is up again.
func (h *Health) Answered(hop flow.Hop, took time.Duration, now time.Time) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.of(hop, now)
	s.row = max(s.row, 0) + 1
	if took > 0 {
		s.Took = took
	}
	if s.Since.IsZero() {
		s.Since = now
	}
	if s.Up || s.row < upAfter {
		return false
	}
	s.Up, s.Since, s.Why = true, now, ""
	return true
}

// Failed notes that a hop gave none, or said that it cannot (503); after is its
// Retry-After, during which it is left alone. changed tells that it is down now.
func (h *Health) Failed(hop flow.Hop, why string, after time.Duration, now time.Time) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.of(hop, now)
	s.row = min(s.row, 0) - 1
	if after > 0 {
		s.Closed = now.Add(min(after, maxHoldOff))
	}
	if !s.Up || s.row > -downAfter {
		return false
	}
	s.Up, s.Since, s.Why = false, now, why
	return true
}

// Order puts the hops that answer before those that do not, each in their own
// order. Those that want nothing for now are left out (RFC 3261 section
// 21.5.4), unless there is no other or all are asked for, as an emergency call
// does.
func (h *Health) Order(hops []flow.Hop, all bool, now time.Time) []flow.Hop {
	h.mu.Lock()
	defer h.mu.Unlock()
	var up, down, closed []flow.Hop
	for _, hop := range hops {
		switch s := h.of(hop, now); {
		case now.Before(s.Closed):
			closed = append(closed, hop)
		case s.Up:
			up = append(up, hop)
		default:
			down = append(down, hop)
		}
	}
	out := slices.Concat(up, down)
	if all || len(out) == 0 {
		out = append(out, closed...)
	}
	return out
}

// All is what is known now, in no order.
func (h *Health) All(now time.Time) []Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sweep(now, forgetHop)
	out := make([]Status, 0, len(h.hops))
	for _, s := range h.hops {
		out = append(out, s.Status)
	}
	return out
}

// Of is what is known of one hop.
func (h *Health) Of(hop flow.Hop) Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.hops[hop.String()]; s != nil {
		return s.Status
	}
	return Status{Hop: hop, Up: true}
}
