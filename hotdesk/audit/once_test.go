package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/internal/store"
	"perch/internal/store/storetest"
)

// TestEachActIsRecordedOnce: jobs fail before and after the record is written,
// two read side by side, and yet each act is in the audit once.
func TestEachActIsRecordedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const acme, acts = directory.TenantCode("acme"), 400
		tenant := directory.Tenant{Code: acme, Domains: []string{"acme.test"}, Realm: "acme.test"}
		if err := s.WriteDirectory(t.Context(), store.Changes{Tenants: []directory.Tenant{tenant}}, nil); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		job := audit.NewJob(s, s, nil)
		var calls atomic.Int64
		shaky := func(ctx context.Context, batch []event.Event) error {
			switch calls.Add(1) % 4 {
			case 1:
				return errors.New("died before")
			case 3:
				return errors.Join(job.Handle(ctx, batch), errors.New("died after"))
			}
			return job.Handle(ctx, batch)
		}
		var jobs sync.WaitGroup
		for range 2 {
			jobs.Go(func() { _ = s.Consume(ctx, "audit", shaky) })
		}
		for n := range acts {
			if err := s.Append(t.Context(), event.Event{Type: event.BindingEnded, Tenant: acme, Number: "1001", Trace: fmt.Sprint(n)}); err != nil {
				t.Fatal(err)
			}
		}
		seen := map[string]int{}
		patience, tick := time.After(time.Minute), time.NewTicker(20*time.Millisecond)
		defer tick.Stop()
		for len(seen) < acts {
			clear(seen)
			if err := s.AuditBack(t.Context(), acme, time.Time{}, func(r audit.Record) bool {
				if r.Act == audit.Logout {
					seen[r.Trace]++
				}
				return true
			}); err != nil {
				t.Fatal(err)
			}
			select {
			case <-patience:
				t.Fatalf("%d of %d acts are recorded", len(seen), acts)
			case <-tick.C:
			}
		}
		stop()
		jobs.Wait()
		for trace, n := range seen {
			if n != 1 {
				t.Errorf("act %s is recorded %d times", trace, n)
			}
		}
		var order []int64
		_ = s.AuditBack(t.Context(), acme, time.Time{}, func(r audit.Record) bool {
			order = append(order, r.At)
			return true
		})
		if !slices.IsSortedFunc(order, func(a, b int64) int { return int(b - a) }) {
			t.Log("records are not in the order of their acts: two jobs read") // the search does not need it
		}
	})
}
