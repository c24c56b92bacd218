package store

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"perch/hotdesk/directory"
)

func TestCheckKey(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		for range 2 {
			if err := s.CheckKey(t.Context(), "f1"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.CheckKey(t.Context(), "f2"); !errors.Is(err, ErrOtherKey) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCounts(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		if c, err := s.Counts(t.Context()); err != nil || c != (Counts{}) {
			t.Errorf("of nothing: %+v, %v", c, err)
		}
		o := newOffice(t, s)
		o.login("1001", desk(1))
		o.login("1002", desk(2))
		if err := o.register("1003", o.contact("sip:x@192.0.2.9", directory.DeviceID{}, ""), directory.DeviceID{}); err != nil {
			t.Fatal(err)
		}
		if c, err := s.Counts(t.Context()); err != nil || c.Bindings != 2 || c.Contacts != 1 || c.Subscriptions != 0 {
			t.Errorf("got %+v, %v", c, err)
		}
	})
}

func TestPending(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx, now := t.Context(), time.UnixMilli(1_790_000_000_000)
		stranger := func(n int) directory.MAC { return directory.MAC{2, 0, 0, 0, byte(n >> 8), byte(n)} }
		add := func(n int, at time.Time) {
			t.Helper()
			p := directory.Phone{Brand: "yealink", UserAgent: "Yealink\r\nX: y\u2028" + strings.Repeat("ä", 200)}
			if err := s.AddPending(ctx, stranger(n), "192.0.2.1", p, at); err != nil {
				t.Fatal(err)
			}
		}
		for n := range pendingMost + 5 {
			add(n, now.Add(time.Duration(n)*time.Second))
		}
		newest := stranger(pendingMost + 4)
		add(pendingMost+4, now.Add(time.Hour))
		all, err := s.AllPending(ctx, now.Add(time.Hour))
		if err != nil || len(all) != pendingMost {
			t.Fatalf("%d kept, %v", len(all), err)
		}
		first := now.Add((pendingMost + 4) * time.Second).UnixMilli()
		if p := all[0]; p.MAC != newest || p.First != first || p.Last != now.Add(time.Hour).UnixMilli() || p.Source != "192.0.2.1" {
			t.Errorf("newest is %+v", p)
		}
		if ua := all[0].UserAgent; strings.ContainsAny(ua, "\r\n\u2028") || len(ua) > pendingText || !utf8.ValidString(ua) {
			t.Errorf("user agent %q", ua)
		}
		if all[len(all)-1].MAC != stranger(5) {
			t.Errorf("oldest is %v", all[len(all)-1].MAC)
		}
		write(t, s, small(t, "acme", "acme.test", newest.String()))
		if all, err = s.AllPending(ctx, now.Add(time.Hour)); err != nil || all[0].MAC == newest {
			t.Errorf("adopted and still pending, %v", err)
		}
		later := now.Add(pendingFor + 2*time.Hour)
		if all, err = s.AllPending(ctx, later); err != nil || len(all) != 0 {
			t.Errorf("%d after a week, %v", len(all), err)
		}
		add(1, later)
		if n := s.rdb.HLen(ctx, kPending).Val(); n != 1 {
			t.Errorf("%d records after a week", n)
		}
	})
}
