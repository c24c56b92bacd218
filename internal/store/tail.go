package store

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

// Tail gives every event after from to handle, in order within each tenant, on
// every node, until ctx ends: for views. Nil is "from now on". A tenant that is
// not in from was made later and is read from its beginning. While the store
// does not answer, Tail waits and goes on where it was. handle must not block.
// Events may come more than once only if handle sees them through two Tails.
func (s *Store) Tail(ctx context.Context, from Positions, handle func(event.Event)) error {
	if from == nil {
		now, err := s.now(ctx)
		if err != nil {
			return err
		}
		from = now
	}
	return s.readStreams(ctx, func(ctx context.Context, tenants func(context.Context) ([]directory.TenantCode, error)) error {
		t := tailer{s: s, at: maps.Clone(from), handle: handle}
		var wait pause
		for {
			err := t.read(ctx, tenants)
			if ended(ctx, err) {
				return ctx.Err()
			}
			if err == nil {
				wait.reset()
				continue
			}
			s.log.Warn("events not read", "err", err)
			if err := rest(ctx, wait.take()); err != nil {
				return err
			}
		}
	})
}

// tailer is one reader of Tail.
type tailer struct {
	s      *Store
	at     Positions
	handle func(event.Event)
	roll   roll
}

// now waits for an answer of Positions.
func (s *Store) now(ctx context.Context) (Positions, error) {
	var wait pause
	for {
		at, err := s.Positions(ctx)
		if err == nil {
			return at, nil
		}
		if err := rest(ctx, wait.take()); err != nil {
			return nil, err
		}
	}
}

// read waits for events once.
func (t *tailer) read(ctx context.Context, tenants func(context.Context) ([]directory.TenantCode, error)) error {
	if err := t.roll.refresh(ctx, tenants); err != nil {
		return err
	}
	if len(t.roll.codes) == 0 {
		return rest(ctx, blockFor)
	}
	names := make([]string, 0, 2*len(t.roll.codes))
	for _, c := range t.roll.codes {
		names = append(names, key(c, kEvents))
	}
	for _, c := range t.roll.codes {
		if t.at[c] == "" {
			t.at[c] = "0"
		}
		names = append(names, t.at[c])
	}
	streams, err := t.s.reader.XRead(ctx, &redis.XReadArgs{Streams: names, Count: readMost, Block: blockFor}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return t.s.fault("tail", err)
	}
	for _, stream := range streams {
		c := tenantOfKey(stream.Stream)
		events, _ := t.s.parseEvents(c, stream.Messages)
		for _, e := range events {
			t.handle(e)
		}
		if n := len(stream.Messages); n > 0 {
			t.at[c] = stream.Messages[n-1].ID
		}
	}
	return nil
}

// tenantOfKey gives the tenant of a key made by key.
func tenantOfKey(k string) directory.TenantCode {
	code, _, _ := strings.Cut(strings.TrimPrefix(k, "{"), "}")
	return directory.TenantCode(code)
}
