package store

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestBans(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		now := time.UnixMilli(1_700_000_000_000)
		a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::")
		add := func(addr netip.Addr, until time.Time) {
			t.Helper()
			must(t, s.AddBan(t.Context(), Ban{addr, until}, now))
		}
		want := func(want ...Ban) {
			t.Helper()
			got, err := s.Bans(t.Context(), now)
			must(t, err)
			if !slices.EqualFunc(got, want, func(x, y Ban) bool { return x.Addr == y.Addr && x.Until.Equal(y.Until) }) {
				t.Errorf("bans %v, want %v", got, want)
			}
		}
		want()
		add(b, now.Add(time.Minute))
		add(a, now.Add(2*time.Minute))
		add(a, now.Add(time.Minute)) // shorter
		want(Ban{b, now.Add(time.Minute)}, Ban{a, now.Add(2 * time.Minute)})
		now = now.Add(time.Minute)
		want(Ban{a, now.Add(time.Minute)})
		add(b, now.Add(3*time.Minute))
		want(Ban{a, now.Add(time.Minute)}, Ban{b, now.Add(3 * time.Minute)})
		if n := len(members(t, s, kBans)); n != 2 {
			t.Errorf("%d are kept", n)
		}
	})
}

func TestBansAreBounded(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		now := time.UnixMilli(1_700_000_000_000)
		for i := range 12 {
			b := Ban{netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", i)), now.Add(time.Duration(i+1) * time.Minute)}
			_, err := s.run(t.Context(), "ban", banScript, []string{kBans}, ms(now), b.Addr.String(), ms(b.Until), 10)
			must(t, err)
		}
		got, err := s.Bans(t.Context(), now)
		must(t, err)
		if len(got) != 10 || got[0].Addr != netip.MustParseAddr("192.0.2.2") {
			t.Errorf("%v", got)
		}
	})
}
