package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

const (
	// abandonedAfter is how long a delivered event may be unacknowledged before
	// another node takes it.
	abandonedAfter = 30 * time.Second
	adoptEvery     = 10 * time.Second
)

// Consume gives every event of every tenant to handle, on one node of all those
// that consume for the same group, in order within each tenant, until ctx ends:
// for jobs. A batch is of one tenant and is acknowledged when handle returned
// nil; after an error the same events come again, later, and other tenants do
// not wait for that. A group that is new begins with the oldest event. After a
// restart what this node left unacknowledged comes first; what a node that died
// left, comes here half a minute later. handle sees an event at least once.
func (s *Store) Consume(ctx context.Context, group string, handle func(context.Context, []event.Event) error) error {
	return s.readStreams(ctx, func(ctx context.Context, tenants func(context.Context) ([]directory.TenantCode, error)) error {
		c := consumer{s: s, group: group, handle: handle, tenants: tenants, at: make(map[directory.TenantCode]*progress), adopted: time.Now(), idle: abandonedAfter}
		var wait pause
		for {
			err := c.round(ctx)
			if ended(ctx, err) {
				return ctx.Err()
			}
			if err == nil {
				wait.reset()
				continue
			}
			if errors.Is(err, errNoGroup) {
				if err := rest(ctx, firstPause); err != nil {
					return err
				}
				continue
			}
			// An answer that was lost may have delivered events: begin with those.
			c.again()
			s.log.Warn("events not read", "group", group, "err", err)
			if err := rest(ctx, wait.take()); err != nil {
				return err
			}
		}
	})
}

// errNoGroup says that a stream has gone: its tenant was removed, or the store
// has lost its memory. The consumer begins again with the tenants there are.
var errNoGroup = errors.New("the stream or its group has gone")

func isNoGroup(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "NOGROUP") }

// consumer is one reader of Consume.
type consumer struct {
	s       *Store
	group   string
	handle  func(context.Context, []event.Event) error
	tenants func(context.Context) ([]directory.TenantCode, error)
	at      map[directory.TenantCode]*progress
	roll    roll
	adopted time.Time
	idle    time.Duration // abandonedAfter
}

// progress is where a consumer is with one tenant: own says that there may be
// delivered events that it has not acknowledged, which come before new ones,
// and not before notBefore.
type progress struct {
	own       bool
	notBefore time.Time
	wait      pause
}

// round lists the tenants, handles what was delivered before, and waits for
// what is new.
func (c *consumer) round(ctx context.Context) error {
	if err := c.list(ctx); err != nil {
		return err
	}
	if time.Since(c.adopted) > adoptEvery {
		if err := c.adopt(ctx); err != nil {
			return err
		}
		c.adopted = time.Now()
	}
	var ready []directory.TenantCode
	for _, t := range c.roll.codes {
		p := c.at[t]
		if !p.own {
			ready = append(ready, t)
			continue
		}
		if time.Now().Before(p.notBefore) {
			continue
		}
		if err := c.read(ctx, "0", -1, t); err != nil {
			return err
		}
	}
	if len(ready) == 0 {
		if slices.ContainsFunc(c.roll.codes, func(t directory.TenantCode) bool { return !time.Now().Before(c.at[t].notBefore) }) {
			return nil
		}
		return rest(ctx, firstPause)
	}
	wait := blockFor
	if len(ready) < len(c.roll.codes) {
		wait = firstPause
	}
	return c.read(ctx, ">", wait, ready...)
}

// read reads once from the streams of the tenants and handles what came. id is
// "0" for what this consumer has not acknowledged, ">" for what is new.
func (c *consumer) read(ctx context.Context, id string, block time.Duration, tenants ...directory.TenantCode) error {
	names := make([]string, 0, 2*len(tenants))
	for _, t := range tenants {
		names = append(names, key(t, kEvents))
	}
	for range tenants {
		names = append(names, id)
	}
	streams, err := c.s.reader.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: c.group, Consumer: c.s.node, Streams: names, Count: readMost, Block: block,
	}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		if isNoGroup(err) {
			clear(c.at)
			c.roll.forget()
			return errNoGroup
		}
		return c.s.fault("consume", err)
	}
	for _, stream := range streams {
		t := tenantOfKey(stream.Stream)
		if id == "0" && len(stream.Messages) == 0 {
			c.at[t].own = false
			continue
		}
		if err := c.take(ctx, t, stream.Messages); err != nil {
			return err
		}
	}
	if id == "0" && len(streams) == 0 {
		c.at[tenants[0]].own = false
	}
	return nil
}

// take handles one batch and acknowledges it.
func (c *consumer) take(ctx context.Context, t directory.TenantCode, batch []redis.XMessage) error {
	if len(batch) == 0 {
		return nil
	}
	p := c.at[t]
	events, lost := c.s.parseEvents(t, batch)
	if lost > 0 {
		c.s.log.Error("events were gone before they were handled", "group", c.group, "tenant", t, "count", lost)
	}
	if len(events) > 0 {
		if err := c.handle(ctx, events); err != nil {
			d := p.wait.take()
			p.own, p.notBefore = true, time.Now().Add(d)
			if ctx.Err() == nil {
				c.s.log.Warn("events not handled, trying again", "group", c.group, "tenant", t, "after", d, "err", err)
			}
			return ctx.Err()
		}
	}
	p.wait.reset()
	ids := make([]string, len(batch))
	for i, m := range batch {
		ids[i] = m.ID
	}
	// What is done is acknowledged even while Perch stops.
	ctx = context.WithoutCancel(ctx)
	return c.s.do(ctx, "ack", func(ctx context.Context) error {
		return c.s.rdb.XAck(ctx, key(t, kEvents), c.group, ids...).Err()
	})
}

// list takes note of the tenants there are, and makes their groups.
func (c *consumer) list(ctx context.Context) error {
	if err := c.roll.refresh(ctx, c.tenants); err != nil {
		return err
	}
	for _, t := range c.roll.codes {
		if c.at[t] != nil {
			continue
		}
		err := c.s.do(ctx, "group", func(ctx context.Context) error {
			err := c.s.rdb.XGroupCreateMkStream(ctx, key(t, kEvents), c.group, "0").Err()
			if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		c.at[t] = &progress{own: true}
	}
	return nil
}

// adopt takes over what other nodes have left unacknowledged for too long.
func (c *consumer) adopt(ctx context.Context) error {
	for _, t := range c.roll.codes {
		var ids []string
		err := c.s.do(ctx, "adopt", func(ctx context.Context) (err error) {
			ids, _, err = c.s.rdb.XAutoClaimJustID(ctx, &redis.XAutoClaimArgs{
				Stream: key(t, kEvents), Group: c.group, Consumer: c.s.node, MinIdle: c.idle, Start: "0", Count: readMost,
			}).Result()
			if isNoGroup(err) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			c.at[t].own = true
		}
	}
	return nil
}

// again makes every tenant begin with what was delivered and not acknowledged.
func (c *consumer) again() {
	for _, p := range c.at {
		p.own = true
	}
}
