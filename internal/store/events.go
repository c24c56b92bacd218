package store

import (
	"context"
	"crypto/rand"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

//go:embed lua/append.lua
var luaAppend string

var appendScript = newScript("append", luaAppend, []string{kEvents}, "request")

// Append writes events that no other change writes with it, in order within
// each tenant. Node is this one; At is now unless set. The store ends a stream
// at about 100,000 events per tenant.
func (s *Store) Append(ctx context.Context, events ...event.Event) error {
	now := time.Now()
	byTenant, order := grouped(events, func(e event.Event) directory.TenantCode { return e.Tenant })
	for _, t := range order {
		args := make([]any, len(byTenant[t]))
		for i, e := range byTenant[t] {
			e.Node = s.node
			if e.At == 0 {
				e.At = now.UnixMilli()
			}
			args[i] = asJSON{e}
		}
		// The id is for a retry of the client's own: an event must not be there twice.
		if _, err := s.change(ctx, appendScript, t, now, []string{keyRequest(t, rand.Text())}, args...); err != nil {
			return err
		}
	}
	return nil
}

// parseEvent reads one entry of a tenant's stream.
func parseEvent(t directory.TenantCode, m redis.XMessage) (event.Event, error) {
	var e event.Event
	text, _ := m.Values["e"].(string)
	if text == "" {
		return e, errors.New("entry without an event")
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return e, fmt.Errorf("entry that is no event: %w", err)
	}
	e.ID, e.Tenant = m.ID, t
	return e, nil
}

// parseEvents reads a batch; an entry that cannot be read is logged and left
// out, one that was trimmed away before it was read is counted in lost.
func (s *Store) parseEvents(t directory.TenantCode, batch []redis.XMessage) (events []event.Event, lost int) {
	events = make([]event.Event, 0, len(batch))
	for _, m := range batch {
		if m.Values == nil {
			lost++
			continue
		}
		e, err := parseEvent(t, m)
		if err != nil {
			s.log.Error("event not readable", "tenant", t, "id", m.ID, "err", err)
			continue
		}
		events = append(events, e)
	}
	return events, lost
}

// Positions is how far somebody has read: the id of the last event by tenant.
type Positions map[directory.TenantCode]string

// Positions gives the ends of all streams now: where Tail goes on after a
// snapshot that is read next.
func (s *Store) Positions(ctx context.Context) (Positions, error) {
	codes, err := s.TenantCodes(ctx)
	if err != nil {
		return nil, err
	}
	at := make(Positions, len(codes))
	err = s.do(ctx, "positions", func(ctx context.Context) error {
		replies := make([]*redis.XMessageSliceCmd, len(codes))
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, t := range codes {
				replies[i] = p.XRevRangeN(ctx, key(t, kEvents), "+", "-", 1)
			}
			return nil
		})
		for i, t := range codes {
			at[t] = "0"
			if last := replies[i].Val(); len(last) > 0 {
				at[t] = last[0].ID
			}
		}
		return err
	})
	return at, err
}
