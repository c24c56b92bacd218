// Package ratelimit keeps strangers at bay: it counts failures per address and
// name, holds each address to its budget, and says whom not to listen to and
// for how long. It knows no protocol; it promises bounded memory, and that an
// address it was told to trust is never locked out, banned or held to a budget.
package ratelimit

import (
	"container/list"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of the count of failures.
const (
	MaxFailures = 20
	LockFor     = 5 * time.Minute // also the window in which failures count
	maxTracked  = 50_000          // pairs of address and name
	maxName     = 64              // bytes of a name; longer ones name nobody
)

// Failures counts wrong answers per address and name and tells when to stop
// checking: after 20 in 5 minutes, for 5 minutes. It forgets the pair that
// failed longest ago when there are too many.
type Failures struct {
	trusted []netip.Prefix
	max     int

	mu    sync.Mutex
	index map[pair]*list.Element
	order *list.List // of *record, the last to fail in front
}

// pair is who failed.
type pair struct {
	addr netip.Addr // IPv6: the /64, which one site has
	name string
}

type record struct {
	who   pair
	count int
	since time.Time // of the window, or of the lock
}

// NewFailures makes an empty count. Addresses in trusted are never locked.
func NewFailures(trusted []netip.Prefix) *Failures {
	return &Failures{trusted: trusted, max: maxTracked, index: map[pair]*list.Element{}, order: list.New()}
}

// who makes the pair of a remote address, with or without port, and a name.
// An address that is none is one of its own kind.
func who(remote, name string) pair {
	if len(name) > maxName {
		name = ""
	}
	p := pair{name: name}
	addr, ok := parse(remote)
	if !ok {
		return p
	}
	p.addr = addr
	if addr.Is6() {
		p.addr = netip.PrefixFrom(addr, 64).Masked().Addr()
	}
	return p
}

func parse(remote string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(remote)
	return addr.Unmap().WithZone(""), err == nil
}

func (f *Failures) trusts(remote string) bool {
	addr, ok := parse(remote)
	return ok && slices.ContainsFunc(f.trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Locked tells whether answers from there, for that name, are not to be
// checked.
func (f *Failures) Locked(remote, name string, now time.Time) bool {
	if f.trusts(remote) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.index[who(remote, name)]
	if !ok {
		return false
	}
	r := e.Value.(*record)
	return r.count >= MaxFailures && now.Sub(r.since) < LockFor
}

// Fail counts one wrong answer. The 20th begins the lock.
func (f *Failures) Fail(remote, name string, now time.Time) {
	if f.trusts(remote) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := who(remote, name)
	e, ok := f.index[p]
	if !ok {
		if f.order.Len() >= f.max {
			oldest := f.order.Back()
			delete(f.index, oldest.Value.(*record).who)
			f.order.Remove(oldest)
		}
		f.index[p] = f.order.PushFront(&record{who: p, count: 1, since: now})
		return
	}
	f.order.MoveToFront(e)
	r := e.Value.(*record)
	if now.Sub(r.since) >= LockFor {
		r.count, r.since = 0, now
	}
	if r.count++; r.count == MaxFailures {
		r.since = now
	}
}

// Succeed forgets what the owner of the password had mistyped.
func (f *Failures) Succeed(remote, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := who(remote, name)
	if e, ok := f.index[p]; ok {
		delete(f.index, p)
		f.order.Remove(e)
	}
}
