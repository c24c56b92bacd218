package store

import (
	"testing"
	"time"
)

func TestCallback(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		if _, ok, err := s.Callback(t.Context(), acme, "4930"); ok || err != nil {
			t.Error(ok, err)
		}
		for n := 1; n <= 2; n++ {
			o.must(s.RememberCallback(t.Context(), acme, "4930", desk(n).MAC, time.Hour))
		}
		if mac, ok, err := s.Callback(t.Context(), acme, "4930"); mac != desk(2).MAC || !ok || err != nil {
			t.Error(mac, ok, err)
		}
		if _, ok, _ := s.Callback(t.Context(), "other", "4930"); ok {
			t.Error("another tenant's")
		}
	})
}
