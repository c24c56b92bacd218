package digest

import "sync"

// Window remembers which counts (nc) of which nonces were used, so that a
// request that was overheard cannot be sent again (RFC 7616 section 5.5), while
// a phone may send sixty requests at once that arrive in any order. Its memory
// is bounded: of too many nonces it forgets the least recently used, and then
// refuses every nonce it does not know that is not newer than a forgotten one.
// Safe for use by several goroutines.
type Window struct {
	mu    sync.Mutex
	max   int
	index map[nonceID]int32
	slots []slot
	head  int32 // most recently used
	tail  int32 // least recently used
	floor int64 // Unix ms: the newest issue time among forgotten nonces
}

// Counts is how far back a count may lie behind the highest one seen.
const Counts = 64

// DefaultNonces is how many nonces a Window keeps unless told; about 20 MB.
const DefaultNonces = 200_000

// nonceID is a nonce without its checksum: it holds no pointer into a message.
type nonceID [bodyLen]byte

// slot is one nonce in the list from head (used last) to tail.
type slot struct {
	id         nonceID
	highest    uint32
	seen       uint64 // bit i: count highest-i was used
	prev, next int32
}

const none int32 = -1

// NewWindow makes a window over at most max nonces, DefaultNonces if max is
// not positive.
func NewWindow(max int) *Window {
	if max <= 0 {
		max = DefaultNonces
	}
	return &Window{max: max, index: make(map[nonceID]int32), head: none, tail: none, floor: -1}
}

// Use takes one count of a nonce and tells whether that was its first use. It
// is false for a count seen before, 64 or more behind the highest, for a nonce
// that may have been forgotten, and for a text that is no nonce: the answer is
// then a challenge with stale=true, not a failure. A request without a count
// (RFC 2069) is count 0: such a nonce is good once. Call it last, for a Fresh
// nonce whose credentials verified: else strangers could use up counts.
func (w *Window) Use(nonce string, nc uint32) bool {
	var raw [nonceLen]byte
	if !decodeNonce(&raw, nonce) {
		return false
	}
	id := nonceID(raw[:bodyLen])
	w.mu.Lock()
	defer w.mu.Unlock()
	i, known := w.index[id]
	if !known {
		if millis(id[:]) <= w.floor {
			return false
		}
		i = w.add(id)
		w.slots[i].highest, w.slots[i].seen = nc, 1
		return true
	}
	if !w.slots[i].use(nc) {
		return false
	}
	w.unlink(i)
	w.pushFront(i)
	return true
}

// Len is how many nonces are remembered now.
func (w *Window) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.index)
}

// use marks nc; false when it was marked or is too old.
func (s *slot) use(nc uint32) bool {
	if nc > s.highest {
		if d := nc - s.highest; d < Counts {
			s.seen <<= d
		} else {
			s.seen = 0
		}
		s.highest = nc
		s.seen |= 1
		return true
	}
	d := s.highest - nc
	if d >= Counts || s.seen&(1<<d) != 0 {
		return false
	}
	s.seen |= 1 << d
	return true
}

// add makes room and puts a nonce at the front.
func (w *Window) add(id nonceID) int32 {
	var i int32
	if len(w.slots) < w.max {
		i = int32(len(w.slots))
		w.slots = append(w.slots, slot{})
	} else {
		i = w.tail
		w.unlink(i)
		old := w.slots[i].id
		delete(w.index, old)
		w.floor = max(w.floor, millis(old[:]))
	}
	w.slots[i] = slot{id: id}
	w.index[id] = i
	w.pushFront(i)
	return i
}

func (w *Window) unlink(i int32) {
	s := &w.slots[i]
	if s.prev != none {
		w.slots[s.prev].next = s.next
	} else {
		w.head = s.next
	}
	if s.next != none {
		w.slots[s.next].prev = s.prev
	} else {
		w.tail = s.prev
	}
}

func (w *Window) pushFront(i int32) {
	s := &w.slots[i]
	s.prev, s.next = none, w.head
	if w.head != none {
		w.slots[w.head].prev = i
	}
	w.head = i
	if w.tail == none {
		w.tail = i
	}
}
