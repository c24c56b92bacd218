package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

func mac(t testing.TB, s string) directory.MAC {
	t.Helper()
	m, err := directory.ParseMAC(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// small is a small tenant: extensions 1001 and 1002, two desks.
func small(t testing.TB, code directory.TenantCode, domain string, macs ...string) Changes {
	t.Helper()
	c := Changes{Tenants: []directory.Tenant{{Code: code, Domains: []string{domain}, Realm: domain, FeatureCodes: directory.DefaultFeatureCodes()}}}
	for _, n := range []string{"1001", "1002"} {
		c.Extensions = append(c.Extensions, directory.Extension{ID: directory.ExtensionID{Tenant: code, Number: n}, Name: "Ada \"the first\" Lovelace"})
	}
	for _, m := range macs {
		c.Devices = append(c.Devices, directory.Device{ID: directory.DeviceID{Tenant: code, MAC: mac(t, m)}, Brand: "yealink", Desk: "3.14"})
	}
	return c
}

func write(t testing.TB, s *Store, c Changes) {
	t.Helper()
	if err := s.WriteDirectory(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
}

func TestDirectory(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		c := small(t, "acme", "acme.test", "001565aabb01", "001565aabb02")
		var told []int
		if err := s.WriteDirectory(t.Context(), c, func(n int) { told = append(told, n) }); err != nil {
			t.Fatal(err)
		}
		if last := told[len(told)-1]; last != c.Len() || last != 5 {
			t.Errorf("progress ended at %d of %d", last, c.Len())
		}
		write(t, s, small(t, "beta", "beta.test"))

		all, err := s.Tenants(t.Context())
		if err != nil || len(all) != 2 || all[0].Code != "acme" || all[1].Code != "beta" {
			t.Errorf("tenants %v, %v", all, err)
		}
		if got, err := s.TenantByDomain(t.Context(), "ACME.test"); err != nil || !cmp.Equal(got, c.Tenants[0]) {
			t.Errorf("by domain: %v, %s", err, cmp.Diff(got, c.Tenants[0]))
		}
		if got, err := s.Extension(t.Context(), c.Extensions[0].ID); err != nil || !cmp.Equal(got, c.Extensions[0]) {
			t.Errorf("extension: %v, %s", err, cmp.Diff(got, c.Extensions[0]))
		}
		if got, err := s.Device(t.Context(), c.Devices[1].ID); err != nil || !cmp.Equal(got, c.Devices[1]) {
			t.Errorf("device: %v, %s", err, cmp.Diff(got, c.Devices[1]))
		}
		if got, seats, err := s.DeviceByMAC(t.Context(), c.Devices[0].ID.MAC); err != nil || !cmp.Equal(got, c.Devices[0]) || len(seats.Bindings) != 0 {
			t.Errorf("by MAC: %v, %v, %v", got, seats, err)
		}
		for k, ttl := range map[string]time.Duration{"mac:001565aabb01": -1, "domain:acme.test": -1} {
			if got := s.rdb.TTL(t.Context(), k).Val(); got != ttl {
				t.Errorf("%s is claimed for %v only", k, got)
			}
		}
		if n := s.rdb.SCard(t.Context(), key("acme", kTodo)).Val(); n != 0 {
			t.Errorf("%d things left to do", n)
		}
	})
}

func TestDirectoryOfNobody(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx, m := t.Context(), mac(t, "001565aabb01")
		_, noTenant := s.Tenant(ctx, "acme")
		_, noDomain := s.TenantByDomain(ctx, "acme.test")
		_, noExtension := s.Extension(ctx, directory.ExtensionID{Tenant: "acme", Number: "1001"})
		_, noDevice := s.Device(ctx, directory.DeviceID{Tenant: "acme", MAC: m})
		_, noMAC := s.TenantOfMAC(ctx, m)
		_, _, noSeats := s.DeviceByMAC(ctx, m)
		for i, err := range []error{noTenant, noDomain, noExtension, noDevice, noMAC, noSeats} {
			if !errors.Is(err, hotdesk.ErrNotFound) || errors.Is(err, hotdesk.ErrUnavailable) {
				t.Errorf("%d: %v", i, err)
			}
		}
		if p, err := s.Phone(ctx, directory.DeviceID{Tenant: "acme", MAC: m}); err != nil || p != (directory.Phone{}) {
			t.Errorf("phone: %v, %v", p, err)
		}
		if all, err := s.Tenants(ctx); err != nil || len(all) != 0 {
			t.Errorf("tenants: %v, %v", all, err)
		}
	})
}

func TestDirectoryEach(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		c := small(t, "acme", "acme.test")
		want := map[string]bool{"1001": true, "1002": true}
		for i := range 2500 {
			n := fmt.Sprint(5000 + i)
			want[n] = true
			c.Extensions = append(c.Extensions, directory.Extension{ID: directory.ExtensionID{Tenant: "acme", Number: n}})
			c.Devices = append(c.Devices, directory.Device{ID: directory.DeviceID{Tenant: "acme", MAC: directory.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}}})
		}
		write(t, s, c)
		got := map[string]bool{}
		err := s.EachExtension(t.Context(), "acme", func(e directory.Extension) error {
			if got[e.ID.Number] {
				t.Errorf("%s twice", e.ID.Number)
			}
			got[e.ID.Number] = true
			return nil
		})
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%d of %d extensions, %v", len(got), len(want), err)
		}
		devices := 0
		if err := s.EachDevice(t.Context(), "acme", func(directory.Device) error { devices++; return nil }); err != nil || devices != 2500 {
			t.Errorf("%d devices, %v", devices, err)
		}
		stop := errors.New("enough")
		if err := s.EachDevice(t.Context(), "acme", func(directory.Device) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDirectoryConflict(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		write(t, s, small(t, "acme", "acme.test", "001565aabb01"))
		for _, c := range []struct {
			name, domain, mac, what string
		}{
			{"mac", "beta.test", "001565aabb01", "MAC 001565aabb01"},
			{"domain", "acme.test", "001565aabb09", "domain acme.test"},
		} {
			t.Run(c.name, func(t *testing.T) {
				err := s.WriteDirectory(t.Context(), small(t, "beta", c.domain, c.mac), nil)
				var other *Conflict
				if !errors.As(err, &other) || other.What != c.what || other.Owner != "acme" {
					t.Errorf("got %v", err)
				}
				if all, _ := s.Tenants(t.Context()); len(all) != 1 {
					t.Errorf("something was written: %v", all)
				}
			})
		}
	})
}

func TestDirectoryMovesBetweenTenants(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		write(t, s, small(t, "acme", "acme.test", "001565aabb01"))
		if _, err := s.TenantByDomain(t.Context(), "acme.test"); err != nil { // now it is in the cache
			t.Fatal(err)
		}
		c := small(t, "beta", "acme.test", "001565aabb01")
		c.Tenants = append(c.Tenants, directory.Tenant{Code: "acme", Domains: []string{"old.test"}, Realm: "acme.test"})
		c.DropDevices = []directory.DeviceID{{Tenant: "acme", MAC: mac(t, "001565aabb01")}}
		write(t, s, c)
		if got, err := s.TenantByDomain(t.Context(), "acme.test"); err != nil || got.Code != "beta" {
			t.Errorf("domain: %v, %v", got.Code, err)
		}
		if got, err := s.TenantByDomain(t.Context(), "old.test"); err != nil || got.Code != "acme" {
			t.Errorf("old domain: %v, %v", got.Code, err)
		}
		if d, _, err := s.DeviceByMAC(t.Context(), mac(t, "001565aabb01")); err != nil || d.ID.Tenant != "beta" {
			t.Errorf("device: %v, %v", d, err)
		}
	})
}

func TestDirectoryClaimWithoutRecord(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		// One that is being made is respected; one whose record has gone is not.
		s.rdb.Set(ctx, "mac:001565aabb01", "gone", time.Minute)
		err := s.WriteDirectory(ctx, small(t, "acme", "acme.test", "001565aabb01"), nil)
		var other *Conflict
		if !errors.As(err, &other) || other.Owner != "gone" {
			t.Errorf("a fresh claim was taken: %v", err)
		}
		s.rdb.Set(ctx, "mac:001565aabb01", "gone", 0)
		s.rdb.Set(ctx, "domain:beta.test", "gone", 0)
		write(t, s, small(t, "beta", "beta.test", "001565aabb01"))
		if got, err := s.TenantOfMAC(ctx, mac(t, "001565aabb01")); err != nil || got != "beta" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestDirectoryFinishedByAnother(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		c := small(t, "acme", "acme.test", "001565aabb01")
		// A node that died after its script: the claims are still for a minute.
		for _, p := range c.parts() {
			if err := s.put(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		if ttl := s.rdb.TTL(ctx, "mac:001565aabb01").Val(); ttl <= 0 {
			t.Fatalf("claimed for %v", ttl)
		}
		s.rdb.Del(ctx, "domain:acme.test") // and for one of them the minute is over
		if err := s.finishAll(ctx); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"mac:001565aabb01", "domain:acme.test"} {
			if v, ttl := s.rdb.Get(ctx, k).Val(), s.rdb.TTL(ctx, k).Val(); v != "acme" || ttl != -1 {
				t.Errorf("%s is %q for %v", k, v, ttl)
			}
		}
	})
}

func TestDirectoryRemovalLogsOut(t *testing.T) {
	for _, what := range []string{"extension", "device", "tenant"} {
		t.Run(what, func(t *testing.T) {
			engines(t, func(t *testing.T, s *Store) {
				c := small(t, "acme", "acme.test", "001565aabb01", "001565aabb02")
				write(t, s, c)
				ext, dev := c.Extensions[0].ID, c.Devices[0].ID
				_, err := s.Bind(t.Context(), hotdesk.BindRequest{
					ID: "r1", Now: time.Now(), Device: dev, Rules: hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Move, OnOccupied: directory.Replace},
					Binding: hotdesk.Binding{Session: "s1", Number: ext.Number, Line: 1, Door: hotdesk.CLI, Trace: "t1"},
				})
				if err != nil {
					t.Fatal(err)
				}
				gone := map[string]Changes{
					"extension": {DropExtensions: []directory.ExtensionID{ext}},
					"device":    {DropDevices: []directory.DeviceID{dev}},
					"tenant":    {DropTenants: []directory.TenantCode{"acme"}},
				}[what]
				write(t, s, gone)
				if seats, err := s.Seats(t.Context(), dev); err != nil || len(seats.Bindings) != 0 {
					t.Errorf("still seated: %v, %v", seats, err)
				}
				if logins, err := s.Logins(t.Context(), ext); err != nil || len(logins) != 0 {
					t.Errorf("still logged in: %v, %v", logins, err)
				}
				if n := s.rdb.SCard(t.Context(), key("acme", kSeated)).Val(); n != 0 {
					t.Errorf("%d seats left", n)
				}
				var ended bool
				for _, m := range s.rdb.XRange(t.Context(), key("acme", kEvents), "-", "+").Val() {
					text := m.Values["e"].(string)
					ended = ended || strings.Contains(text, "binding.ended") && strings.Contains(text, "removed")
				}
				if !ended {
					t.Error("no event tells of the end")
				}
			})
		})
	}
}

func TestDirectoryRemovedTenantLeavesNothing(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		write(t, s, small(t, "acme", "acme.test", "001565aabb01"))
		write(t, s, Changes{DropTenants: []directory.TenantCode{"acme"}})
		left := s.rdb.Keys(t.Context(), "*").Val()
		left = slices.DeleteFunc(left, func(k string) bool { return k == key("acme", kEvents) })
		if len(left) != 0 {
			t.Errorf("left: %q", left)
		}
		if ttl := s.rdb.TTL(t.Context(), key("acme", kEvents)).Val(); ttl <= 0 {
			t.Error("its events stay for ever")
		}
		write(t, s, small(t, "acme", "acme.test", "001565aabb01"))
		if ttl := s.rdb.TTL(t.Context(), key("acme", kEvents)).Val(); ttl != -1 {
			t.Error("made again, its events are about to go")
		}
	})
}

func TestDirectoryTellsOncePerApply(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		c := small(t, "acme", "acme.test", "001565aabb01")
		c.Extensions = append(c.Extensions, make([]directory.Extension, 1200)...)
		for i := range c.Extensions {
			c.Extensions[i].ID = directory.ExtensionID{Tenant: "acme", Number: fmt.Sprint(i)}
		}
		write(t, s, c)
		if n := s.rdb.XLen(t.Context(), key("acme", kEvents)).Val(); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestApplied(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		if err := s.SetApplied(t.Context(), "a.yaml", "d1"); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Applied(t.Context()); err != nil || got["a.yaml"] != "d1" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
