package auth

import (
	"container/list"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of the count of wrong answers.
const (
	maxFailures = 20
	lockFor     = 5 * time.Minute // also the window in which failures count
	maxTracked  = 50_000          // pairs of address and username
	maxUser     = 64              // bytes of a username; longer ones name nobody
)

// failures counts wrong digest answers per address and username and tells when
// to stop checking: after 20 in 5 minutes, for 5 minutes. It forgets the pair
// that failed longest ago when there are too many.
type failures struct {
	max int

	mu    sync.Mutex
	index map[pair]*list.Element
	order *list.List // of *record, the last to fail in front
}

// pair is who failed.
type pair struct {
	addr netip.Addr // IPv6: the /64, which one site has
	user string
}

type record struct {
	who   pair
	count int
	since time.Time // of the window, or of the lock
}

func newFailures(limit int) *failures {
	return &failures{max: limit, index: map[pair]*list.Element{}, order: list.New()}
}

// source makes the pair of a remote address and a username.
func source(remote, user string) pair {
	if len(user) > maxUser {
		user = ""
	}
	p := pair{user: user}
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		p.addr = ap.Addr().Unmap().WithZone("")
		if p.addr.Is6() {
			p.addr = netip.PrefixFrom(p.addr, 64).Masked().Addr()
		}
	}
	return p
}

// locked tells whether answers from there are not to be checked.
func (f *failures) locked(who pair, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.index[who]
	if !ok {
		return false
	}
	r := e.Value.(*record)
	return r.count >= maxFailures && now.Sub(r.since) < lockFor
}

// fail counts one wrong answer. The 20th begins the lock.
func (f *failures) fail(who pair, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.index[who]
	if !ok {
		if f.order.Len() >= f.max {
			oldest := f.order.Back()
			delete(f.index, oldest.Value.(*record).who)
			f.order.Remove(oldest)
		}
		f.index[who] = f.order.PushFront(&record{who: who, count: 1, since: now})
		return
	}
	f.order.MoveToFront(e)
	r := e.Value.(*record)
	if now.Sub(r.since) >= lockFor {
		r.count, r.since = 0, now
	}
	if r.count++; r.count == maxFailures {
		r.since = now
	}
}

// succeed forgets what the owner of the password had mistyped.
func (f *failures) succeed(who pair) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e, ok := f.index[who]; ok {
		delete(f.index, who)
		f.order.Remove(e)
	}
}

// trusted tells addresses that are never locked out.
func (a *Auth) trusted(remote string) bool {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := ap.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(a.Trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}
