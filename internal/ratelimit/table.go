package ratelimit

import (
	"container/list"
	"net/netip"
	"time"
)

// table holds so many sources, and makes room by forgetting the one that was
// silent the longest.
type table struct {
	max   int
	index map[netip.Addr]*list.Element
	order *list.List // of *source, the last to speak in front
}

func newTable(size int) *table {
	return &table{max: size, index: map[netip.Addr]*list.Element{}, order: list.New()}
}

func (t *table) len() int { return t.order.Len() }

// find gives the account of an address, or nil.
func (t *table) find(a netip.Addr) *source {
	e, ok := t.index[a]
	if !ok {
		return nil
	}
	t.order.MoveToFront(e)
	return e.Value.(*source)
}

// get gives the account of an address, a new one if there is none. A full
// table gives the place of the longest silent.
func (t *table) get(a netip.Addr, now time.Time) *source {
	if s := t.find(a); s != nil {
		return s
	}
	if t.order.Len() < t.max {
		s := &source{addr: a, since: now.UnixNano()}
		t.index[a] = t.order.PushFront(s)
		return s
	}
	e := t.order.Back()
	s := e.Value.(*source)
	delete(t.index, s.addr)
	*s = source{addr: a, since: now.UnixNano()}
	t.index[a] = e
	t.order.MoveToFront(e)
	return s
}

func (t *table) drop(a netip.Addr) {
	if e, ok := t.index[a]; ok {
		t.order.Remove(e)
		delete(t.index, a)
	}
}
