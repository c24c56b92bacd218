package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// health is what the last ping found.
type health struct {
	mu      sync.Mutex
	last    error
	onState func(error)
}

// Ping asks whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.do(ctx, "ping", func(ctx context.Context) error { return s.rdb.Ping(ctx).Err() })
}

// Health is nil while the store answers, and otherwise the last error; it does
// not ask by itself.
func (s *Store) Health() error {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	return s.health.last
}

// Durability says in plain words what survives, for /readyz and the log.
func (s *Store) Durability() string { return s.backend.durability }

// Durable tells whether what was acknowledged survives the end of this process
// and of the store's.
func (s *Store) Durable() bool { return s.backend.durable }

// watchHealth pings once a second and tells of changes.
func (s *Store) watchHealth(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.Ping(ctx)
		if ctx.Err() != nil {
			return
		}
		s.setHealth(err)
	}
}

func (s *Store) setHealth(err error) {
	s.health.mu.Lock()
	changed := (err == nil) != (s.health.last == nil)
	s.health.last = err
	s.health.mu.Unlock()
	if !changed {
		return
	}
	if err != nil {
		s.log.Error("store does not answer", "err", err)
	} else {
		s.log.Info("store answers again")
	}
	if s.health.onState != nil {
		s.health.onState(err)
	}
}

// inspect looks at an operator's server once: how durable it is, and whether it
// is new enough. What it may not ask it leaves open.
func (s *Store) inspect(ctx context.Context) {
	info, err := s.rdb.Info(ctx).Result()
	if err != nil {
		s.backend.durability = "as configured at the server; it does not tell (" + firstWord(err) + ")"
		s.log.Warn("cannot see whether Redis keeps what it is told", "err", err)
		return
	}
	f := infoFields(info)
	if v := version(f); v > 0 && v < 7 {
		s.log.Warn("this Redis is older than 7.0, the oldest that is supported", "version", f["redis_version"])
	}
	s.backend.durable = f["aof_enabled"] == "1"
	s.backend.durability = "as configured at the server: append-only file on"
	if !s.backend.durable {
		s.backend.durability = "as configured at the server: append-only file OFF, a crash loses logins"
		s.log.Warn("this Redis has no append-only file: a crash loses logins; set appendonly yes")
	}
}

// version is the major version of Redis or of Valkey, 0 when unknown.
func version(f map[string]string) int {
	if f["valkey_version"] != "" {
		return 7 // Valkey began from Redis 7.2
	}
	major, _, _ := strings.Cut(f["redis_version"], ".")
	n, _ := strconv.Atoi(major)
	return n
}

// infoFields reads the answer of INFO.
func infoFields(info string) map[string]string {
	f := make(map[string]string)
	for line := range strings.Lines(info) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			f[k] = v
		}
	}
	return f
}

// firstWord is the kind of a Redis error: NOPERM, for one.
func firstWord(err error) string {
	var r redis.Error
	if errors.As(err, &r) {
		w, _, _ := strings.Cut(r.Error(), " ")
		return w
	}
	return "no answer"
}
