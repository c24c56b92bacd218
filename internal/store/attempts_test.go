package store

import (
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

func TestAttempts(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		ada := directory.ExtensionID{Tenant: acme, Number: "1001"}
		try := func(source string, want hotdesk.Attempt) {
			t.Helper()
			got, err := s.Begin(t.Context(), ada, source, o.now)
			o.must(err)
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		for n := 1; n <= 5; n++ {
			try("a", hotdesk.Attempt{Failures: n, AllSources: n})
		}
		try("a", hotdesk.Attempt{Failures: 5, LockedFor: 15 * time.Minute, AllSources: 5})
		try("b", hotdesk.Attempt{Failures: 1, AllSources: 6})
		o.later(10 * time.Minute)
		try("a", hotdesk.Attempt{Failures: 5, LockedFor: 5 * time.Minute, AllSources: 6})
		o.must(s.Succeeded(t.Context(), ada, "b", o.now))
		try("b", hotdesk.Attempt{Failures: 1, AllSources: 6, KnownGood: true})
		o.later(5 * time.Minute)
		try("a", hotdesk.Attempt{Failures: 1, AllSources: 7})
		o.later(15 * time.Minute)
		try("a", hotdesk.Attempt{Failures: 1, AllSources: 8})
		o.later(time.Hour)
		try("a", hotdesk.Attempt{Failures: 1, AllSources: 1})
		o.later(31 * 24 * time.Hour)
		try("b", hotdesk.Attempt{Failures: 1, AllSources: 1})
	})
}

func TestFifthAttemptMaySucceed(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		ada := directory.ExtensionID{Tenant: acme, Number: "1001"}
		for range 5 {
			_, err := s.Begin(t.Context(), ada, "a", o.now)
			o.must(err)
		}
		o.must(s.Succeeded(t.Context(), ada, "a", o.now))
		got, err := s.Begin(t.Context(), ada, "a", o.now)
		o.must(err)
		if got != (hotdesk.Attempt{Failures: 1, AllSources: 5, KnownGood: true}) {
			t.Errorf("%+v", got)
		}
	})
}

func TestAttemptsExpireByThemselves(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		nobody := directory.ExtensionID{Tenant: acme, Number: "nobody"}
		_, err := s.Begin(t.Context(), nobody, "a", o.now)
		o.must(err)
		o.must(s.Succeeded(t.Context(), nobody, "b", o.now))
		for _, k := range []string{keyLock(nobody, "a"), keyGuesses(nobody), keyGood(nobody, "b")} {
			if ttl, err := s.rdb.PTTL(t.Context(), k).Result(); err != nil || (ttl <= 0 && ttl != -2) {
				t.Error(k, ttl, err)
			}
		}
	})
}
