package store

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
)

var (
	//go:embed lua/audit_append.lua
	luaAuditAppend string
	//go:embed lua/audit_trim.lua
	luaAuditTrim string

	auditKeys         = []string{kAudit, kAuditSeen, kAuditLast, kAuditLate, kPeople, kPersonOf, kPersonSeen}
	auditAppendScript = newScript("audit_append", luaAuditAppend, auditKeys)
	auditTrimScript   = newScript("audit_trim", luaAuditTrim, []string{kAudit, kPeople, kPersonOf, kPersonSeen})
)

var _ audit.Store = (*Store)(nil)

const (
	// auditRemembers is how long an event is known to be recorded: longer than a
	// job may leave it unacknowledged.
	auditRemembers = 48 * time.Hour
	auditBatch     = 1000 // records read at once
	peopleBatch    = 1000 // people forgotten at once
)

// AppendAudit implements audit.Store.
func (s *Store) AppendAudit(ctx context.Context, t directory.TenantCode, records []audit.Record) error {
	args := make([]any, 0, 1+5*len(records))
	args = append(args, auditRemembers.Milliseconds())
	for _, r := range records {
		args = append(args, r.Event, r.At, r.Number, rand.Text(), asJSON{r})
	}
	_, err := s.change(ctx, auditAppendScript, t, time.Now(), nil, args...)
	return err
}

// TrimAudit forgets the records of a tenant that are older than before, and the
// people whom no other record names. It says how many records went.
func (s *Store) TrimAudit(ctx context.Context, t directory.TenantCode, before time.Time) (int, error) {
	records := 0
	for {
		v, err := s.change(ctx, auditTrimScript, t, time.Now(), nil, ms(before), peopleBatch)
		if err != nil {
			return records, err
		}
		a, ok := v.([]any)
		if !ok || len(a) != 2 {
			return records, fmt.Errorf("store: audit_trim: answer %v", v)
		}
		n, _ := a[0].(int64)
		people, _ := a[1].(int64)
		records += int(n)
		if people < peopleBatch {
			return records, nil
		}
	}
}

// AuditBack calls f for the records of a tenant from the newest to the oldest,
// until it says no. before, if not zero, leaves out what was later by more than
// the audit ever was late.
func (s *Store) AuditBack(ctx context.Context, t directory.TenantCode, before time.Time, f func(audit.Record) bool) error {
	from := "+"
	if !before.IsZero() {
		late, err := s.auditLate(ctx, t)
		if err != nil {
			return err
		}
		from = ms(before.Add(late))
	}
	for {
		var part []redis.XMessage
		err := s.do(ctx, "audit", func(ctx context.Context) (err error) {
			part, err = s.rdb.XRevRangeN(ctx, key(t, kAudit), from, "-", auditBatch).Result()
			return err
		})
		if err != nil || len(part) == 0 {
			return err
		}
		records, err := s.records(ctx, t, part)
		if err != nil {
			return err
		}
		for _, r := range records {
			if !f(r) {
				return nil
			}
		}
		if len(part) < auditBatch {
			return nil
		}
		from = "(" + part[len(part)-1].ID
	}
}

// auditLate is how much greater than the time of a record its id is at most.
func (s *Store) auditLate(ctx context.Context, t directory.TenantCode) (time.Duration, error) {
	var n int64
	err := s.do(ctx, "audit", func(ctx context.Context) error {
		text, err := s.rdb.Get(ctx, key(t, kAuditLate)).Result()
		n, _ = strconv.ParseInt(text, 10, 64)
		return notNil(err)
	})
	return time.Duration(n+1) * time.Millisecond, err
}

// records reads entries of the stream and puts in whose they are.
func (s *Store) records(ctx context.Context, t directory.TenantCode, part []redis.XMessage) ([]audit.Record, error) {
	out := make([]audit.Record, len(part))
	people := make([]string, len(part))
	var ask []string
	for i, m := range part {
		text, _ := m.Values["r"].(string)
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			return nil, fmt.Errorf("store: audit: record %s: %w", m.ID, err)
		}
		out[i].ID, out[i].Tenant = m.ID, t
		people[i], _ = m.Values["p"].(string)
		if people[i] != "" {
			ask = append(ask, people[i])
		}
	}
	slices.Sort(ask)
	ask = slices.Compact(ask)
	if len(ask) == 0 {
		return out, nil
	}
	numbers := make(map[string]string, len(ask))
	err := s.do(ctx, "audit", func(ctx context.Context) error {
		values, err := s.rdb.HMGet(ctx, key(t, kPeople), ask...).Result()
		for i, v := range values {
			numbers[ask[i]], _ = v.(string)
		}
		return err
	})
	for i := range out {
		out[i].Number = numbers[people[i]]
	}
	return out, err
}
