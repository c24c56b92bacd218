package handler

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Limits bound how many requests are in their handlers at once; above, the
// answer is 503 with Retry-After. Zero values are 1000 calls and 2000 others.
// What is worth less is refused before there are as many; emergency calls have
// a tenth more.
type Limits struct{ Calls, Others int }

func (l Limits) orDefault() Limits {
	if l.Calls <= 0 {
		l.Calls = 1000
	}
	if l.Others <= 0 {
		l.Others = 2000
	}
	return l
}

// of is the number of requests in hand at which those of a value are refused.
func (l Limits) of(v Value, long bool) int {
	switch {
	case long && v == Emergency:
		return l.Calls + max(1, l.Calls/10)
	case long:
		return l.Calls
	case v == Subscribe:
		return max(1, l.Others/2)
	case v == Other:
		return max(1, l.Others*6/10)
	case v == Refresh:
		return max(1, l.Others*8/10)
	}
	return l.Others
}

// Load is the work in hand. It refuses by value, and spreads those it refuses
// over the time in which they can be served: it books each a place behind the
// others, at the rate at which work was last done, so that a fleet that comes
// at once does not come back at once. Safe for use by several goroutines.
type Load struct {
	limits Limits
	random func() float64 // [0,1)

	mu     sync.Mutex
	others int
	calls  int
	rate   meter
	booked time.Time // when the last of those who were sent away can be served
}

// NewLoad makes a Load; random may be nil.
func NewLoad(l Limits, random func() float64) *Load {
	if random == nil {
		random = rand.Float64
	}
	return &Load{limits: l.orDefault(), random: random}
}

// Bounds of a Retry-After. The upper one is shorter than most registrations.
const (
	soonest   = time.Second
	latest    = 10 * time.Minute
	callAfter = 5 * time.Second // calls end when people end them: there is no rate to go by
)

// Enter lets a request to its handler, or says when it may come back. long is
// for an INVITE, whose handler stays for the whole call.
func (l *Load) Enter(v Value, long bool, now time.Time) (retryAfter time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := &l.others
	if long {
		n = &l.calls
	}
	switch {
	case *n < l.limits.of(v, long):
		*n++
		return 0, true
	case long:
		return l.jittered(callAfter), false
	}
	return l.book(now), false
}

// Leave says that a request which was let in has been answered.
func (l *Load) Leave(long bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if long {
		l.calls--
		return
	}
	l.rate.done(now, l.others >= l.limits.Others/4)
	l.others--
}

// InHand is the number of requests in their handlers.
func (l *Load) InHand() (calls, others int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls, l.others
}

// book gives one more request its place: behind the work in hand and behind
// everybody who was sent away before. Retry-After is that queue divided by the
// rate.
func (l *Load) book(now time.Time) time.Duration {
	perSecond := l.rate.perSecond(now)
	if inHand := now.Add(time.Duration(float64(l.others) / perSecond * float64(time.Second))); l.booked.Before(inHand) {
		l.booked = inHand
	}
	l.booked = l.booked.Add(time.Duration(float64(time.Second) / perSecond))
	if last := now.Add(latest); l.booked.After(last) {
		l.booked = last
	}
	return l.jittered(l.booked.Sub(now))
}

// jittered is a time, up to 20% more or less.
func (l *Load) jittered(d time.Duration) time.Duration {
	return max(soonest, time.Duration(float64(d)*(0.8+0.4*l.random())))
}

// meter measures how much work is done a second while there is enough of it.
type meter struct {
	rate  float64
	count int
	since time.Time
	busy  bool
}

const (
	sample    = 250 * time.Millisecond
	slowest   = 10.0  // a second: what is assumed when nothing gets done
	uncertain = 200.0 // a second: what is assumed before anything was measured
)

func (m *meter) done(now time.Time, busy bool) {
	if m.since.IsZero() || !m.busy && now.Sub(m.since) >= sample {
		m.since, m.count = now, 0 // a pause is no work, and says nothing about the rate
	}
	m.count++
	m.busy = m.busy || busy
	m.turn(now)
}

// turn ends a sample. One with little to do says nothing about the rate.
func (m *meter) turn(now time.Time) {
	took := now.Sub(m.since)
	if took < sample {
		return
	}
	if m.busy {
		got := float64(m.count) / took.Seconds()
		if m.rate == 0 {
			m.rate = got
		}
		m.rate += (got - m.rate) * 0.4
	}
	m.count, m.since, m.busy = 0, now, false
}

func (m *meter) perSecond(now time.Time) float64 {
	if !m.since.IsZero() && now.Sub(m.since) >= 4*sample { // asked in an overload: nothing has been done for long
		m.busy = true
		m.turn(now)
	}
	if m.rate == 0 {
		return uncertain
	}
	return max(m.rate, slowest)
}
