// Package store keeps everything in Redis: one code path over
// redis.UniversalClient and Lua, for the operator's server, for a child server
// of our own, and for the in-process engine of demo and unit tests. Each change
// of more than one key is one script, idempotent, with the time passed in; the
// script that changes the state writes the event. It knows no edge.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
)

// Store is the one connection to Redis. Its methods implement the small
// interfaces that the domain and the edges declare.
type Store struct {
	rdb     redis.UniversalClient
	reader  redis.UniversalClient // for streams: never retries by itself
	cluster bool
	node    string
	log     *slog.Logger
	observe func(op string, d time.Duration, err error)
	backend backend
	health  health
	life    lifecycle
	known   known
}

// deadline bounds one operation, retries included: longer than a server needs
// to come back, shorter than a SIP client waits.
const deadline = 4 * time.Second

// downDeadline bounds it while the store is known not to answer, so that
// requests fail instead of piling up.
const downDeadline = 500 * time.Millisecond

// New builds a Store on a client that is already connected; Open is the way in
// for a redis.url. Node names this process in events. observe may be nil.
func New(rdb redis.UniversalClient, node string, log *slog.Logger, observe func(op string, d time.Duration, err error)) *Store {
	if observe == nil {
		observe = func(string, time.Duration, error) {}
	}
	return &Store{rdb: rdb, reader: rdb, node: node, log: log, observe: observe}
}

// run runs one script; op is its name in perch_redis_seconds.
func (s *Store) run(ctx context.Context, op string, script *redis.Script, keys []string, args ...any) (any, error) {
	var v any
	err := s.do(ctx, op, func(ctx context.Context) (err error) {
		v, err = script.Run(ctx, s.rdb, keys, args...).Result()
		if errors.Is(err, redis.Nil) {
			v, err = nil, nil
		}
		return err
	})
	return v, err
}

// do runs one operation that is no script, bounded and observed in the same
// way. redis.Nil is an answer, which f handles.
func (s *Store) do(ctx context.Context, op string, f func(context.Context) error) error {
	limit := deadline
	if s.Health() != nil {
		limit = downDeadline
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	err := s.fault(op, f(ctx))
	s.observe(op, time.Since(start), err)
	return err
}

// fault gives a store error its operation and, where the store could not be
// reached, hotdesk.ErrUnavailable. A script's own error is a defect and stays
// what it is.
func (s *Store) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	var reply redis.Error
	if errors.As(err, &reply) && !isTransient(reply) {
		return fmt.Errorf("store: %s: %w", op, err)
	}
	return fmt.Errorf("store: %s: %w: %w", op, hotdesk.ErrUnavailable, err)
}

// isTransient tells the replies of a server that will be able to answer later:
// loading, failing over, out of memory or disk.
func isTransient(err redis.Error) bool {
	for _, p := range []string{"LOADING", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "MISCONF", "OOM", "NOREPLICAS", "MOVED", "ASK"} {
		if redis.HasErrorPrefix(err, p) {
			return true
		}
	}
	return false
}
