package front

import (
	"net/netip"
	"sync"
)

// Bounds of what unfinished messages may hold in memory: slow senders cost
// nothing else.
const (
	spaceTotal      = 64 << 20
	spacePerAddress = 8 << 20 // 5,000 phones with half a message each
)

// space is the memory that unfinished messages hold.
type space struct {
	mu    sync.Mutex
	total int
	from  map[netip.Addr]int
}

// take claims n bytes for an address, or gives them back when n is negative.
// Bounds per address do not hold where free says so.
func (s *space) take(a netip.Addr, n int, free bool) bool {
	if n == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > 0 && (s.total+n > spaceTotal || !free && s.from[a]+n > spacePerAddress) {
		return false
	}
	s.total += n
	if s.from[a] += n; s.from[a] <= 0 {
		delete(s.from, a)
	}
	return true
}
