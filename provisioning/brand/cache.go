package brand

import (
	lru "container/list"
	"reflect"
	"sync"
)

// Cache keeps the newest rendering of each file, so that a phone that asks again
// for what has not changed costs a comparison. A rendering is a pure function of
// its Desk and File: what is equal is equal to the last field, passwords
// included, and nothing has to be told when something changes. Safe for use by
// several goroutines; what Write returns is shared and must not be changed.
type Cache struct {
	mu      sync.Mutex
	most    int // bytes of bodies
	size    int
	entries map[cacheKey]*lru.Element
	recent  lru.List // of *cacheEntry, the newest use first
}

type cacheKey struct {
	brand Name
	file  File
}

type cacheEntry struct {
	key    cacheKey
	desk   Desk
	out    Rendered
	report Report
}

// overhead is what an entry is reckoned to take besides its body: a desk with
// its keys.
const overhead = 8 << 10

// NewCache makes a Cache of at most so many bytes.
func NewCache(most int) *Cache {
	return &Cache{most: most, entries: map[cacheKey]*lru.Element{}}
}

// Write is b.Write, from memory where the same was written last.
func (c *Cache) Write(b Brand, d Desk, f File) (Rendered, Report, error) {
	key := cacheKey{b.Name, f}
	if e := c.get(key); e != nil && reflect.DeepEqual(e.desk, d) {
		return e.out, e.report, nil
	}
	out, report, err := b.Write(d, f)
	if err == nil {
		c.put(&cacheEntry{key, d, out, report})
	}
	return out, report, err
}

func (c *Cache) get(key cacheKey) *cacheEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.entries[key]
	if !ok {
		return nil
	}
	c.recent.MoveToFront(at)
	return at.Value.(*cacheEntry)
}

func (c *Cache) put(e *cacheEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.entries[e.key]; ok {
		c.drop(at)
	}
	c.entries[e.key] = c.recent.PushFront(e)
	c.size += len(e.out.Body) + overhead
	for c.size > c.most && c.recent.Len() > 0 {
		c.drop(c.recent.Back())
	}
}

func (c *Cache) drop(at *lru.Element) {
	e := c.recent.Remove(at).(*cacheEntry)
	delete(c.entries, e.key)
	c.size -= len(e.out.Body) + overhead
}
