package ratelimit

import (
	"container/list"
	"hash/maphash"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Distinct counts how many different names each address has asked about in a
// window. It counts by marks in a field of bits: exact for a hundred names,
// within a few parts of a hundred for ten thousand. Safe for use by several
// goroutines.
type Distinct struct {
	trusted []netip.Prefix
	window  time.Duration
	most    int
	seed    maphash.Seed

	mu    sync.Mutex
	index map[netip.Addr]*list.Element
	order *list.List // of *marks, the last to ask in front
}

// marks are the names of one address: two kilobytes.
type marks struct {
	addr  netip.Addr
	since time.Time
	bits  [256]uint64
	set   int
}

// distinctSources bounds the addresses that are kept; the one that was silent
// longest makes room.
const distinctSources = 4096

// NewDistinct makes an empty count. Trusted addresses are never counted.
func NewDistinct(trusted []netip.Prefix, window time.Duration) *Distinct {
	return &Distinct{
		trusted: trusted, window: window, most: distinctSources, seed: maphash.MakeSeed(),
		index: map[netip.Addr]*list.Element{}, order: list.New(),
	}
}

// Seen notes a name and gives how many different ones the address has asked
// about in this window, about; 0 for a trusted address and for what is none.
func (d *Distinct) Seen(remote, name string, now time.Time) int {
	addr, ok := parse(remote)
	if !ok || slices.ContainsFunc(d.trusted, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.of(Site(addr), now)
	h := maphash.String(d.seed, name) % uint64(len(m.bits)*64)
	if word, bit := &m.bits[h/64], uint64(1)<<(h%64); *word&bit == 0 {
		*word |= bit
		m.set++
	}
	return m.count()
}

// of gives the marks of an address, fresh ones when its window is over.
func (d *Distinct) of(a netip.Addr, now time.Time) *marks {
	e, ok := d.index[a]
	if !ok && d.order.Len() >= d.most {
		e = d.order.Back()
		delete(d.index, e.Value.(*marks).addr)
		*e.Value.(*marks) = marks{addr: a, since: now}
		d.index[a] = e
	} else if !ok {
		e = d.order.PushFront(&marks{addr: a, since: now})
		d.index[a] = e
	}
	d.order.MoveToFront(e)
	m := e.Value.(*marks)
	if now.Sub(m.since) >= d.window {
		*m = marks{addr: a, since: now}
	}
	return m
}

// count estimates the names from the bits that are clear still: names that fell
// on the same bit are made up for.
func (m *marks) count() int {
	size := len(m.bits) * 64
	if m.set >= size {
		return math.MaxInt32
	}
	return int(math.Round(-float64(size) * math.Log(1-float64(m.set)/float64(size))))
}

// Known remembers pairs of an address and a name that proved itself from there.
type Known struct {
	keep time.Duration
	most int

	mu    sync.Mutex
	index map[pair]*list.Element
	order *list.List // of *proved, the last to come in front
}

type proved struct {
	who pair
	at  time.Time
}

// NewKnown makes an empty memory of pairs that are kept so long after they were
// last seen; above 50,000 the one seen longest ago makes room.
func NewKnown(keep time.Duration) *Known {
	return &Known{keep: keep, most: maxTracked, index: map[pair]*list.Element{}, order: list.New()}
}

// Add remembers that a name proved itself from an address.
func (k *Known) Add(remote, name string, now time.Time) {
	p := who(remote, name)
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, ok := k.index[p]; ok {
		e.Value.(*proved).at = now
		k.order.MoveToFront(e)
		return
	}
	if k.order.Len() >= k.most {
		oldest := k.order.Back()
		delete(k.index, oldest.Value.(*proved).who)
		k.order.Remove(oldest)
	}
	k.index[p] = k.order.PushFront(&proved{p, now})
}

// Has tells whether it did.
func (k *Known) Has(remote, name string, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.index[who(remote, name)]
	return ok && now.Sub(e.Value.(*proved).at) < k.keep
}
