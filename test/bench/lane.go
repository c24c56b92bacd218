package main

import (
	"errors"
	"fmt"
	"time"
)

// repeatAfter is when a request over UDP is sent again: RFC 3261's T1.
const repeatAfter = 500 * time.Millisecond

// lane is one socket or connection and the users that register over it.
type lane struct {
	wire       wire
	users      []*user
	next       int
	free       []*slot
	slots      []*slot
	count      counts
	registered int
	every      time.Duration // between two requests; 0: at once
	due        time.Time
	challenge  bool
}

type counts struct {
	ok, repeated, challenged, other int
	took                            []time.Duration
}

// slot is one request under way.
type slot struct {
	id    int
	user  *user
	begun time.Time // of the first request
	sent  time.Time // of the last
	text  []byte
}

func newLane(w wire, l load, number int) *lane {
	n := &lane{wire: w, challenge: l.Challenge}
	for i := number; i < l.Users; i += l.Conns {
		n.users = append(n.users, newUser(numberOf(i), w.local(), l.Transport))
	}
	for i := range min(l.Window, len(n.users)) {
		s := &slot{id: i}
		n.slots, n.free = append(n.slots, s), append(n.free, s)
	}
	if l.Rate > 0 {
		n.every = time.Duration(int64(time.Second) * int64(l.Conns) / int64(l.Rate))
	}
	return n
}

// firstRound registers each user once.
func (n *lane) firstRound(until time.Time) error {
	left := len(n.users)
	for n.registered < len(n.users) {
		if time.Now().After(until) {
			return fmt.Errorf("%d of %d users could not register; other answers: %d", len(n.users)-n.registered, len(n.users), n.count.other)
		}
		for left > 0 && len(n.free) > 0 {
			n.begin()
			left--
		}
		if err := n.step(); err != nil {
			return err
		}
	}
	return nil
}

// refreshUntil refreshes without end, then waits for what is under way.
func (n *lane) refreshUntil(until time.Time) error {
	n.due = time.Now()
	for {
		now := time.Now()
		if now.After(until) {
			break
		}
		for len(n.free) > 0 && (n.every == 0 || !now.Before(n.due)) {
			n.begin()
			n.due = n.due.Add(n.every)
		}
		if err := n.step(); err != nil {
			return err
		}
	}
	took, ok := n.count.took, n.count.ok // what comes late is no part of the rate
	for grace := time.Now().Add(2 * time.Second); len(n.free) < len(n.slots) && time.Now().Before(grace); {
		if err := n.step(); err != nil {
			return err
		}
	}
	n.count.took, n.count.ok = took, ok
	return nil
}

func (n *lane) begin() {
	s := n.free[len(n.free)-1]
	n.free = n.free[:len(n.free)-1]
	s.user = n.users[n.next%len(n.users)]
	n.next++
	if n.challenge {
		s.user.nonce = ""
	}
	s.begun = time.Now()
	n.send(s)
}

func (n *lane) send(s *slot) {
	s.text = s.user.appendRegister(s.text[:0], s.id)
	s.sent = time.Now()
	n.wire.queue(s.text)
}

// step sends what is queued, takes what has come, and repeats what is lost.
func (n *lane) step() error {
	wait := 50 * time.Millisecond
	if n.every > 0 && len(n.free) > 0 {
		wait = min(wait, max(time.Until(n.due), 50*time.Microsecond))
	}
	err := n.wire.exchange(wait, n.answer)
	if !errors.Is(err, errSilence) {
		return err
	}
	if n.wire.reliable() {
		return nil
	}
	for _, s := range n.slots {
		if s.user != nil && time.Since(s.sent) > repeatAfter {
			n.count.repeated++
			s.sent = time.Now()
			n.wire.queue(s.text)
		}
	}
	return nil
}

// answer takes one response.
func (n *lane) answer(msg []byte) {
	id, seq, code := readResponse(msg)
	if id < 0 || id >= len(n.slots) || n.slots[id].user == nil || n.slots[id].user.seq != seq || code < 200 {
		return // late, or repeated
	}
	s := n.slots[id]
	switch {
	case code == 200:
		if !s.user.registered {
			s.user.registered = true
			n.registered++
		}
		s.user.broken = 0
		n.count.ok++
		n.count.took = append(n.count.took, time.Since(s.begun))
	case code == 401 && s.user.challenged(msg):
		n.count.challenged++
		n.send(s)
		return
	default:
		n.count.other++
	}
	s.user = nil
	n.free = append(n.free, s)
}
