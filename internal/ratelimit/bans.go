package ratelimit

import (
	"net/netip"
	"sync"
	"time"
)

// Why an address was banned: the closed set of words for the log and metrics.
const (
	BanNames   = "names"   // asked for many names and never proved to be one
	BanUnknown = "unknown" // asked long and often and never proved to be anybody
	BanStrange = "strange" // sent what makes no sense, again and again
	BanTool    = "tool"    // gave the name of a known scanner
	BanShared  = "shared"  // another node banned it
)

// BanReasons lists them.
func BanReasons() []string { return []string{BanNames, BanUnknown, BanStrange, BanTool, BanShared} }

// Ban keeps an address out until a time. For IPv6 the address stands for its /64.
type Ban struct {
	Addr  netip.Addr
	Until time.Time
	Why   string
}

// maxBans bounds the list; above, any other ban makes room.
const maxBans = 16_384

// Bans is a list of banned addresses with their ends.
type Bans struct {
	mu    sync.RWMutex
	until map[netip.Addr]int64 // Unix ns
}

// NewBans makes an empty list.
func NewBans() *Bans { return &Bans{until: map[netip.Addr]int64{}} }

// Add bans an address; a ban that lasts longer stays. False when it was banned
// as long before.
func (l *Bans) Add(b Ban) bool {
	a, until := Site(b.Addr), b.Until.UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	old, there := l.until[a]
	if there && old >= until {
		return false
	}
	if !there && len(l.until) >= maxBans {
		for other := range l.until {
			delete(l.until, other)
			break
		}
	}
	l.until[a] = until
	return true
}

// Holds tells whether an address is banned now.
func (l *Bans) Holds(a netip.Addr, now time.Time) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.until) == 0 {
		return false
	}
	until, ok := l.until[Site(a)]
	return ok && now.UnixNano() < until
}

// Lift ends a ban.
func (l *Bans) Lift(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.until, Site(a))
}

// Sweep forgets bans that are over and gives the number of the others.
func (l *Bans) Sweep(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for a, until := range l.until {
		if now.UnixNano() >= until {
			delete(l.until, a)
		}
	}
	return len(l.until)
}

// Site is what an address stands for in every count: itself, or for IPv6 its
// /64, which one site has.
func Site(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}
