package ratelimit

import (
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Budgets of one address, which may be a site of 5,000 phones: all of them
// start at once after a power cut, each asks twice, and some repeat themselves.
// Strangers are addresses from which nobody was authenticated in the last day.
// What new strangers may do all together keeps a flood of forged addresses from
// the others.
type Budgets struct {
	Stranger, Known           Rate // messages
	StrangerBytes, KnownBytes Rate
	AllStrangers              Rate // messages of all strangers together
}

// DefaultBudgets are for sites of 5,000 phones.
func DefaultBudgets() Budgets {
	return Budgets{
		Stranger: Rate{1_000, 20_000}, Known: Rate{20_000, 400_000},
		StrangerBytes: Rate{1 << 20, 32 << 20}, KnownBytes: Rate{32 << 20, 512 << 20},
		AllStrangers: Rate{20_000, 100_000},
	}
}

// What makes a stranger's address banned, within one window.
const (
	window      = time.Hour
	grace       = 30 * time.Second // a site's first phone has proved itself by then
	namesMost   = 20               // different names
	unknownMost = 1_000            // requests that were refused for want of proof
	unknownFor  = 5 * time.Minute
	strangeMost = 100
	banFor      = 15 * time.Minute
	knownFor    = 24 * time.Hour
)

// Bounds of the memory: known addresses and strangers are kept apart, so that
// no number of strangers makes the guard forget who is known.
const (
	maxStrangers = 32_768
	maxKnown     = 32_768
)

// Verdict is what becomes of a message.
type Verdict uint8

// The verdicts.
const (
	Pass   Verdict = iota
	Over           // the address' budget, or that of all strangers, is spent
	Banned         // the address is banned
)

// Guard keeps account of every address that sends something. Safe for use by
// several goroutines.
type Guard struct {
	trusted []netip.Prefix
	budgets Budgets
	bans    *Bans
	report  func(Ban)
	seed    maphash.Seed

	mu        sync.Mutex
	strangers *table
	known     *table
	all       Bucket
}

// NewGuard makes a guard. Trusted addresses always pass and are not accounted
// for. report, which may be nil, is told of each ban that begins here; it must
// not block.
func NewGuard(trusted []netip.Prefix, b Budgets, bans *Bans, report func(Ban)) *Guard {
	if report == nil {
		report = func(Ban) {}
	}
	return &Guard{
		trusted: trusted, budgets: b, bans: bans, report: report, seed: maphash.MakeSeed(),
		strangers: newTable(maxStrangers), known: newTable(maxKnown),
	}
}

// Trusts tells whether an address has no budget and is never banned.
func (g *Guard) Trusts(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(g.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Admit accounts for one message of so many bytes. An address from which
// somebody was authenticated here passes whatever the bans say: another node
// may have met a forger of it.
func (g *Guard) Admit(a netip.Addr, size int, now time.Time) Verdict {
	if g.Trusts(a) {
		return Pass
	}
	a = Site(a)
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.knownNow(a, now); s != nil {
		return spend(s, size, g.budgets.Known, g.budgets.KnownBytes, now)
	}
	if g.bans.Holds(a, now) {
		return Banned
	}
	if !g.all.Take(1, g.budgets.AllStrangers, now) {
		return Over
	}
	return spend(g.strangers.get(a, now), size, g.budgets.Stranger, g.budgets.StrangerBytes, now)
}

func spend(s *source, size int, messages, bytes Rate, now time.Time) Verdict {
	if !s.messages.Take(1, messages, now) || !s.bytes.Take(float64(size), bytes, now) {
		return Over
	}
	return Pass
}

// knownNow finds an address that is known still.
func (g *Guard) knownNow(a netip.Addr, now time.Time) *source {
	s := g.known.find(a)
	if s != nil && now.UnixNano() >= s.until {
		g.known.drop(a)
		return nil
	}
	return s
}

// Known tells whether somebody was authenticated from there in the last day.
func (g *Guard) Known(a netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.knownNow(Site(a), now) != nil
}

// Authenticated remembers that somebody proved who they are from there.
func (g *Guard) Authenticated(a netip.Addr, now time.Time) {
	if g.Trusts(a) {
		return
	}
	a = Site(a)
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.known.get(a, now)
	s.until = now.Add(knownFor).UnixNano()
	g.strangers.drop(a)
}

// Unproven notes a request for a name that was refused for want of proof.
func (g *Guard) Unproven(a netip.Addr, name string, now time.Time) {
	g.note(a, now, func(s *source) string {
		s.unproven++
		if name != "" {
			h := maphash.String(g.seed, name)
			s.names[h>>62] |= 1 << (h & 63)
		}
		age := now.UnixNano() - s.since
		switch {
		case s.distinct() >= namesMost && age >= int64(grace):
			return BanNames
		case s.unproven >= unknownMost && age >= int64(unknownFor):
			return BanUnknown
		}
		return ""
	})
}

// Strange notes something that no phone sends; weight 1 is a broken message,
// more is worse, 100 is enough for a ban.
func (g *Guard) Strange(a netip.Addr, weight uint32, now time.Time) {
	g.note(a, now, func(s *source) string {
		if s.strange += weight; s.strange >= strangeMost {
			return BanStrange
		}
		return ""
	})
}

// Tool notes a scanner that gives its name, on a connection: the address is no
// forgery.
func (g *Guard) Tool(a netip.Addr, now time.Time) {
	g.note(a, now, func(*source) string { return BanTool })
}

// note accounts for a stranger's behaviour and bans it when why says so.
func (g *Guard) note(a netip.Addr, now time.Time, why func(*source) string) {
	if g.Trusts(a) {
		return
	}
	a = Site(a)
	g.mu.Lock()
	if g.knownNow(a, now) != nil {
		g.mu.Unlock()
		return
	}
	s := g.strangers.get(a, now)
	if now.UnixNano()-s.since >= int64(window) {
		s.since, s.names, s.unproven, s.strange = now.UnixNano(), [4]uint64{}, 0, 0
	}
	reason := why(s)
	if reason != "" {
		g.strangers.drop(a)
	}
	g.mu.Unlock()
	if reason == "" {
		return
	}
	if b := (Ban{Addr: a, Until: now.Add(banFor), Why: reason}); g.bans.Add(b) {
		g.report(b)
	}
}

// Holds tells whether the address is banned and nobody there is known: for
// what costs before the first message, such as a connection.
func (g *Guard) Holds(a netip.Addr, now time.Time) bool {
	return g.bans.Holds(a, now) && !g.Trusts(a) && !g.Known(a, now)
}

// Sizes are the numbers of addresses accounted for.
func (g *Guard) Sizes() (strangers, known int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.strangers.len(), g.known.len()
}

// source is the account of one address.
type source struct {
	addr              netip.Addr
	messages, bytes   Bucket
	since             int64     // Unix ns: of the window
	until             int64     // Unix ns: known until then
	names             [4]uint64 // one bit per name: close enough up to 50 of them
	unproven, strange uint32
}

func (s *source) distinct() int {
	n := 0
	for _, w := range s.names {
		n += bits.OnesCount64(w)
	}
	return n
}
