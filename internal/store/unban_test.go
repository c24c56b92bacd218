package store

import (
	"net/netip"
	"testing"
	"time"

	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
)

func TestLiftBan(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		now, addr := time.UnixMilli(1_790_000_000_000), netip.MustParseAddr("192.0.2.66")
		must(t, s.AddBan(t.Context(), Ban{Addr: addr, Until: now.Add(time.Hour)}, now))
		if was, err := s.LiftBan(t.Context(), addr, now); !was || err != nil {
			t.Error(was, err)
		}
		if was, err := s.LiftBan(t.Context(), addr, now); was || err != nil {
			t.Error(was, err)
		}
		if all, err := s.Bans(t.Context(), now); len(all) != 0 || err != nil {
			t.Error(all, err)
		}
		if all, err := s.Unbanned(t.Context(), now.Add(-time.Minute)); len(all) != 1 || !all[addr].Equal(now) || err != nil {
			t.Error(all, err)
		}
		if all, err := s.Unbanned(t.Context(), now); len(all) != 0 || err != nil {
			t.Error(all, err)
		}
	})
}

// TestTheAuditOutlivesItsTenant, but not for ever, unless the tenant comes back.
func TestTheAuditOutlivesItsTenant(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenant := directory.Tenant{Code: acme, Domains: []string{"acme.test"}, Realm: "acme.test"}
		must(t, s.WriteDirectory(t.Context(), Changes{Tenants: []directory.Tenant{tenant}}, nil))
		must(t, s.AppendAudit(t.Context(), acme, []audit.Record{{Event: "1-0", At: 5, Number: "1001"}}))
		must(t, s.WriteDirectory(t.Context(), Changes{DropTenants: []directory.TenantCode{acme}}, nil))
		ttl := func() time.Duration { return s.rdb.TTL(t.Context(), key(acme, kAudit)).Val() }
		if ttl() < 24*time.Hour {
			t.Error("kept for", ttl())
		}
		must(t, s.WriteDirectory(t.Context(), Changes{Tenants: []directory.Tenant{tenant}}, nil))
		if ttl() > 0 {
			t.Error("the tenant is back, its audit goes in", ttl())
		}
	})
}

func BenchmarkAppendAudit(b *testing.B) {
	s := open(b, Options{DataDir: b.TempDir()})
	records := make([]audit.Record, 100)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		for i := range records {
			n++
			records[i] = audit.Record{
				Event: time.Duration(n).String(), At: int64(n), Act: audit.Login, Number: "1001", MAC: "001565aabb01", Line: 1,
				Desk: "Berlin 3.14", Site: "berlin", Door: "phone-app", Result: "ok", Trace: "0123456789abcdef0123",
			}
		}
		if err := s.AppendAudit(b.Context(), acme, records); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
