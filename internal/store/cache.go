package store

import (
	"sync"
	"time"
)

const (
	cacheFor  = time.Second // how old an answer about the directory may be
	cacheMost = 20_000      // answers kept; strangers' MACs and domains are among them
)

// cache keeps answers that each REGISTER needs for a second. A value is shared:
// nobody may change it. The zero cache is ready.
type cache[K comparable, V any] struct {
	mu      sync.Mutex
	round   uint64 // counts clear: an answer read before it is not kept after it
	entries map[K]cached[V]
}

type cached[V any] struct {
	value V
	found bool
	until time.Time
}

// get gives the kept answer, or reads and keeps one. An error is not kept.
func (c *cache[K, V]) get(k K, read func() (V, bool, error)) (V, bool, error) {
	now := time.Now()
	c.mu.Lock()
	e, ok := c.entries[k]
	round := c.round
	c.mu.Unlock()
	if ok && now.Before(e.until) {
		return e.value, e.found, nil
	}
	v, found, err := read()
	if err != nil {
		return v, false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if round == c.round {
		if c.entries == nil || len(c.entries) >= cacheMost {
			c.entries = make(map[K]cached[V])
		}
		c.entries[k] = cached[V]{v, found, now.Add(cacheFor)}
	}
	return v, found, nil
}

// clear forgets all.
func (c *cache[K, V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	c.entries = nil
}
