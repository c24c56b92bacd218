package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

func TestQRCodes(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		must := func(_ *testing.T, err error) { t.Helper(); o.must(err) }
		now := time.UnixMilli(1_700_000_000_000)
		seat := directory.Seat{Device: desk(1), Line: 1}
		must(t, s.NewQRCode(t.Context(), seat, "AAAA", "t1", now))
		c, err := s.LookQRCode(t.Context(), acme, "AAAA", now)
		if err != nil || c.MAC != desk(1).MAC || c.Trace != "t1" || c.Line != 1 {
			t.Fatalf("%+v, %v", c, err)
		}
		if _, err := s.TakeQRCode(t.Context(), "other", "AAAA", now); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("another tenant's code: %v", err)
		}
		if c, err = s.TakeQRCode(t.Context(), acme, "AAAA", now); err != nil || c.Trace != "t1" {
			t.Fatalf("%+v, %v", c, err)
		}
		if _, err := s.TakeQRCode(t.Context(), acme, "AAAA", now); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("taken twice: %v", err)
		}
		must(t, s.BackQRCode(t.Context(), acme, "AAAA", c, now))
		if _, err := s.TakeQRCode(t.Context(), acme, "AAAA", now); err != nil {
			t.Errorf("put back: %v", err)
		}
		must(t, s.NewQRCode(t.Context(), seat, "BBBB", "t2", now))
		must(t, s.NewQRCode(t.Context(), seat, "CCCC", "t3", now))
		if _, err := s.LookQRCode(t.Context(), acme, "BBBB", now); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("an older code of the device: %v", err)
		}
		if _, err := s.LookQRCode(t.Context(), acme, "CCCC", now.Add(QRLife)); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("an old code: %v", err)
		}
		for i := 3; i < qrMost; i++ {
			must(t, s.NewQRCode(t.Context(), seat, fmt.Sprint("D", i), "t", now))
		}
		if err := s.NewQRCode(t.Context(), seat, "E", "t", now.Add(time.Minute)); !errors.Is(err, ErrTooMany) {
			t.Errorf("too many: %v", err)
		}
		must(t, s.NewQRCode(t.Context(), directory.Seat{Device: desk(2)}, "F", "t", now))
		must(t, s.NewQRCode(t.Context(), seat, "G", "t", now.Add(qrWindow)))
	})
}

func TestPlaceOfAPhone(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		place := func() string {
			p, err := s.Phone(t.Context(), desk(1))
			o.must(err)
			return p.Place
		}
		o.must(s.SetPlace(t.Context(), desk(1), directory.PlaceExternal, o.now))
		if place() != directory.PlaceExternal {
			t.Errorf("place %q", place())
		}
		o.must(s.Fetched(t.Context(), FetchedArgs{Device: desk(1), Digest: "d", Now: o.now}))
		if place() != directory.PlaceExternal {
			t.Errorf("after a fetch: place %q", place())
		}
		o.must(s.SetPlace(t.Context(), desk(1), "", o.now))
		if place() != "" {
			t.Errorf("place %q", place())
		}
	})
}
