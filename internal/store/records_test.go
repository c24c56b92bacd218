package store

import (
	"errors"
	"testing"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

func TestRecords(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		if at, err := s.Records(t.Context(), desk(1)); err != nil || len(at.Seats.Bindings) != 0 || at.Extension.ID.Number != "" {
			t.Errorf("idle: %+v, %v", at, err)
		}
		b := o.login("1001", desk(1)).Binding
		o.must(s.Fetched(t.Context(), FetchedArgs{Device: desk(1), Digest: "d", Phone: directory.Phone{Model: "T46U"}, Now: o.now}))
		at, err := s.Records(t.Context(), desk(1))
		if err != nil || at.Phone.Model != "T46U" || len(at.Seats.Bindings) != 1 || at.Seats.Bindings[0].Session != b.Session || at.Extension.ID.Number != "1001" {
			t.Errorf("bound: %+v, %v", at, err)
		}
		if _, err := s.Records(t.Context(), desk(9)); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
	})
}
