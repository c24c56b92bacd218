package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"perch/hotdesk/directory"
)

const (
	// blockFor is how long a read waits for events: how late a new tenant's
	// stream is noticed, and how long a reader takes to end.
	blockFor = 250 * time.Millisecond
	// readMost is how many events of a tenant are read at once.
	readMost = 256
	// lastWords is how long a removed tenant's stream is still read.
	lastWords = 5 * time.Second
	// firstPause and lastPause bound how long a reader rests after an error.
	firstPause, lastPause = 50 * time.Millisecond, 5 * time.Second
)

// readStreams runs read for the streams of all tenants until ctx ends: once for
// all of them, or, on Redis Cluster, where one command cannot read from several
// slots, once for each.
func (s *Store) readStreams(ctx context.Context, read func(ctx context.Context, tenants func(context.Context) ([]directory.TenantCode, error)) error) error {
	if !s.cluster {
		return read(ctx, s.TenantCodes)
	}
	var readers sync.WaitGroup
	defer readers.Wait()
	var listed atomic.Pointer[[]directory.TenantCode]
	running := make(map[directory.TenantCode]bool)
	for {
		codes, err := s.TenantCodes(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("tenants not read", "err", err)
		} else {
			listed.Store(&codes)
		}
		for _, t := range codes {
			if running[t] {
				continue
			}
			running[t] = true
			one := func(context.Context) ([]directory.TenantCode, error) {
				if !slices.Contains(*listed.Load(), t) {
					return nil, nil
				}
				return []directory.TenantCode{t}, nil
			}
			readers.Go(func() { _ = read(ctx, one) })
		}
		if err := rest(ctx, blockFor); err != nil {
			return err
		}
	}
}

// roll is the list of tenants whose streams are read: one that was removed
// stays a little, for its last events.
type roll struct {
	codes  []directory.TenantCode
	seen   map[directory.TenantCode]time.Time
	listed time.Time
}

// refresh lists again, if the list is old.
func (r *roll) refresh(ctx context.Context, list func(context.Context) ([]directory.TenantCode, error)) error {
	now := time.Now()
	if now.Sub(r.listed) < blockFor {
		return nil
	}
	codes, err := list(ctx)
	if err != nil {
		return err
	}
	if r.seen == nil {
		r.seen = make(map[directory.TenantCode]time.Time)
	}
	for _, t := range codes {
		r.seen[t] = now
	}
	for t, seen := range r.seen {
		if now.Sub(seen) > lastWords {
			delete(r.seen, t)
		}
	}
	r.codes, r.listed = slices.Sorted(maps.Keys(r.seen)), now
	return nil
}

// forget makes the next refresh list the tenants there are, and no other.
func (r *roll) forget() { *r = roll{} }

// rest waits, or ends with ctx.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// pause grows with each error and is back at the start after a success.
type pause struct{ next time.Duration }

func (p *pause) reset() { p.next = 0 }

func (p *pause) take() time.Duration {
	p.next = min(max(2*p.next, firstPause), lastPause)
	return p.next
}

// ended tells whether a reader's error is the end of ctx.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled)
}
