package store

import (
	"context"
	_ "embed" // the script
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/sip/calls"
)

var (
	//go:embed lua/audit_erase.lua
	luaAuditErase string

	//go:embed lua/history_erase.lua
	luaHistoryErase string

	auditEraseScript   = newScript("audit_erase", luaAuditErase, []string{kEvents, kPeople, kPersonOf})
	historyEraseScript = newScript("history_erase", luaHistoryErase, nil, "history")
)

// settledAfter is how old an event has to be to be removed: jobs have done with it.
const settledAfter = 10 * time.Second

// Erase forgets that a number stands behind the records of the audit, the traces
// and the events of the past. What is true now stays: where the extension is
// logged in, what is registered, the directory. It may be called again; a part
// that failed is done then.
func (s *Store) Erase(ctx context.Context, e directory.ExtensionID, by string, door hotdesk.Door, now time.Time) (audit.Erased, error) {
	id := newSession()
	out := audit.Erased{}
	pseudonym := "erased-" + hexHead(string(id))
	v, err := s.change(ctx, auditEraseScript, e.Tenant, now, nil, e.Number, pseudonym, by, string(door))
	if err != nil {
		return out, err
	}
	out.Pseudonym, _ = v.(string)
	if out.Traces, err = s.eraseTraces(ctx, e, pseudonym); err != nil {
		return out, err
	}
	if out.Events, err = s.eraseEvents(ctx, e, now.Add(-settledAfter)); err != nil {
		return out, err
	}
	if out.Calls, err = s.eraseCalls(ctx, e, now.Add(-settledAfter)); err != nil {
		return out, err
	}
	if out.Files, err = s.eraseHistory(ctx, e, pseudonym); err != nil {
		return out, err
	}
	return out, s.eraseAttempts(ctx, e, now)
}

func hexHead(s string) string {
	if _, err := hex.DecodeString(s); err != nil || len(s) < 12 {
		return s
	}
	return s[:12]
}

// eraseTraces changes the traces of desks where the extension no longer sits.
func (s *Store) eraseTraces(ctx context.Context, e directory.ExtensionID, pseudonym string) (int, error) {
	all, err := s.AllTraces(ctx, e.Tenant)
	if err != nil {
		return 0, err
	}
	n := 0
	for mac, t := range all {
		if t.Number != e.Number {
			continue
		}
		seats, err := s.Seats(ctx, directory.DeviceID{Tenant: e.Tenant, MAC: mac})
		if err != nil {
			return n, err
		}
		if _, sits := seats.Of(e.Number); sits {
			continue
		}
		t.Number = pseudonym
		err = s.SaveTrace(ctx, t)
		if err != nil && !errors.Is(err, trace.ErrConflict) { // it is a newer story by now
			return n, err
		}
		n++
	}
	return n, nil
}

// eraseEvents removes the events that name the extension and that are older than
// before.
func (s *Store) eraseEvents(ctx context.Context, e directory.ExtensionID, before time.Time) (int, error) {
	n, from := 0, "-"
	for {
		var part []redis.XMessage
		err := s.do(ctx, "erase_events", func(ctx context.Context) (err error) {
			part, err = s.rdb.XRangeN(ctx, key(e.Tenant, kEvents), from, ms(before), auditBatch).Result()
			return err
		})
		if err != nil || len(part) == 0 {
			return n, err
		}
		var ids []string
		for _, m := range part {
			if text, _ := m.Values["e"].(string); strings.Contains(text, `"`+e.Number+`"`) {
				ids = append(ids, m.ID)
			}
		}
		if len(ids) > 0 {
			err := s.do(ctx, "erase_events", func(ctx context.Context) error {
				return s.rdb.XDel(ctx, key(e.Tenant, kEvents), ids...).Err()
			})
			if err != nil {
				return n, err
			}
			n += len(ids)
		}
		if len(part) < auditBatch {
			return n, nil
		}
		from = "(" + part[len(part)-1].ID
	}
}

// eraseCalls forgets the calls of the extension that had ended before.
func (s *Store) eraseCalls(ctx context.Context, e directory.ExtensionID, before time.Time) (int, error) {
	var ids []string
	for c, err := range s.PastCalls(ctx, e.Tenant) {
		if err != nil {
			return 0, err
		}
		is := func(l calls.Leg) bool { return l.Party.Number == e.Number }
		if c.Ended < before.UnixMilli() && (c.Called.Number == e.Number || slices.ContainsFunc(c.Legs, is)) {
			ids = append(ids, string(c.ID))
		}
	}
	for part := range slices.Chunk(ids, scanBatch) {
		err := s.do(ctx, "erase_calls", func(ctx context.Context) error {
			_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
				p.HDel(ctx, key(e.Tenant, kCallsPast), part...)
				for _, id := range part {
					p.ZRem(ctx, key(e.Tenant, kCallsPastDue), id)
				}
				return nil
			})
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// eraseHistory forgets what stood in the files that carried the extension's
// account; that they were served, and their digests, stay.
func (s *Store) eraseHistory(ctx context.Context, e directory.ExtensionID, pseudonym string) (int, error) {
	n := 0
	err := s.EachDevice(ctx, e.Tenant, func(d directory.Device) error {
		v, err := s.change(ctx, historyEraseScript, e.Tenant, time.Now(), []string{keyHistory(d.ID)}, e.Number, pseudonym)
		if err != nil {
			return err
		}
		bodies, _ := v.([]any)
		n += len(bodies)
		for _, b := range bodies {
			name, _ := b.(string)
			err := s.do(ctx, "erase_history", func(ctx context.Context) error {
				return s.rdb.Del(ctx, keyRendering(e.Tenant, name)).Err()
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// eraseAttempts forgets what is counted against the extension.
func (s *Store) eraseAttempts(ctx context.Context, e directory.ExtensionID, now time.Time) error {
	_, err := s.LiftLockouts(ctx, hotdesk.Lift{Tenant: e.Tenant, Number: e.Number, Quiet: true}, now)
	if err != nil {
		return fmt.Errorf("store: erase: %w", err)
	}
	return nil
}
