package store

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// memory is the in-process engine: the same scripts, nothing kept. It listens
// on the loopback with a password of its own, because its in-memory pipe
// blocks on long pipelines.
type memory struct {
	engine         *miniredis.Miniredis
	addr, password string
	stop, done     chan struct{}
	closing        sync.Once
}

func startMemory() (*memory, error) {
	m := &memory{engine: miniredis.NewMiniRedis(), password: rand.Text(), stop: make(chan struct{}), done: make(chan struct{})}
	m.engine.RequireAuth(m.password)
	if err := m.engine.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("in-process engine: %w", err)
	}
	m.addr = m.engine.Addr()
	go m.age()
	return m, nil
}

// age lets keys expire, once a second: the engine has no clock of its own, and
// its option to look at one walks all keys on every command.
func (m *memory) age() {
	defer close(m.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-m.stop:
			return
		case now := <-tick.C:
			m.engine.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Close ends the engine; what it held is gone.
func (m *memory) Close() error {
	m.closing.Do(func() {
		close(m.stop)
		<-m.done
		m.engine.Close()
	})
	return nil
}
