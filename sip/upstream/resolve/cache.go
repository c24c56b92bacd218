package resolve

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Bounds of what is kept: a record lives at least five seconds, or a name with
// TTL 0 would be asked for at every call, and at most an hour, so that a wrong
// one is not kept for a week. That a name is not there is kept for at most five
// minutes, a failure of the servers a few seconds (RFC 2308 sections 5 and 7).
const (
	minTTL      = 5 * time.Second
	maxTTL      = time.Hour
	maxNegative = 5 * time.Minute
	failedTTL   = 3 * time.Second
	failedNAPTR = time.Minute // a server that answers no NAPTR would cost its time-out at each call
	staleFor    = time.Hour   // RFC 8767: what is over is better than nothing while no server answers
	maxEntries  = 4096
)

type question struct {
	name string
	typ  uint16
}

// answer is what a question got: records, or ErrNotFound or ErrServer.
type answer struct {
	rrs []dns.RR
	ttl time.Duration
	err error
}

type entry struct {
	answer
	until time.Time
	last  []dns.RR // of the last good answer, once it is over
	dead  time.Time
}

// cache keeps answers, and asks once for what many want.
type cache struct {
	ask func(context.Context, string, uint16) answer
	now func() time.Time

	mu      sync.Mutex
	entries map[question]entry
	asking  map[question]*flight
}

type flight struct {
	done chan struct{}
	got  answer
}

func newCache(ask func(context.Context, string, uint16) answer, now func() time.Time) *cache {
	return &cache{ask: ask, now: now, entries: map[question]entry{}, asking: map[question]*flight{}}
}

// get answers from what is kept, else asks. The records are shared: they are
// only read.
func (c *cache) get(ctx context.Context, name string, typ uint16) ([]dns.RR, error) {
	q := question{name, typ}
	c.mu.Lock()
	if e, ok := c.entries[q]; ok && c.now().Before(e.until) {
		c.mu.Unlock()
		return e.rrs, e.err
	}
	f := c.asking[q]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		c.asking[q] = f
		c.mu.Unlock()
		c.fly(ctx, q, f)
	} else {
		c.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return f.got.rrs, f.got.err
}

// fly asks for everybody who wants to know; the wish of the first to stop does
// not stop the others' question, which is bounded by itself.
func (c *cache) fly(ctx context.Context, q question, f *flight) {
	got := c.ask(context.WithoutCancel(ctx), q.name, q.typ)
	c.mu.Lock()
	f.got = c.keep(q, got)
	delete(c.asking, q)
	c.mu.Unlock()
	close(f.done)
}

// keep stores an answer; one that failed leaves the records of before in use.
func (c *cache) keep(q question, got answer) answer {
	now, before := c.now(), c.entries[q]
	e := entry{answer: got}
	switch {
	case got.err == nil:
		e.until = now.Add(min(max(got.ttl, minTTL), maxTTL))
		e.last, e.dead = got.rrs, e.until.Add(staleFor)
	case errors.Is(got.err, ErrNotFound):
		e.until = now.Add(min(max(got.ttl, minTTL), maxNegative))
	default:
		e.until = now.Add(failedTTL)
		if q.typ == dns.TypeNAPTR {
			e.until = now.Add(failedNAPTR)
		}
		if before.last != nil && now.Before(before.dead) {
			e.rrs, e.err, e.last, e.dead = before.last, nil, before.last, before.dead
		}
	}
	if len(c.entries) >= maxEntries {
		c.sweep(now)
	}
	c.entries[q] = e
	return e.answer
}

// sweep makes room: what is over, then anything.
func (c *cache) sweep(now time.Time) {
	for q, e := range c.entries {
		if now.After(e.until) {
			delete(c.entries, q)
		}
	}
	for q := range c.entries {
		if len(c.entries) < maxEntries/2 {
			return
		}
		delete(c.entries, q)
	}
}
