package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/provisioning/history"
)

func TestProofs(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.must(s.WriteDirectory(t.Context(), Changes{Devices: []directory.Device{{ID: desk(1)}}}, nil)) // with its place in the index
		// Many requests of one phone at once: no change is lost.
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for range 5 {
					_, err := s.ChangeProofs(t.Context(), desk(1), func(p directory.Proofs) directory.Proofs {
						p.Handed++
						return p
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		d, p, err := s.DeviceAndProofs(t.Context(), desk(1).MAC)
		o.must(err)
		if d.ID != desk(1) || p.Handed != 40 {
			t.Errorf("%+v %+v", d.ID, p)
		}
		if same, err := s.ChangeProofs(t.Context(), desk(1), func(p directory.Proofs) directory.Proofs { return p }); err != nil || same != p {
			t.Errorf("%+v %v", same, err)
		}
		if _, err := s.ChangeProofs(t.Context(), desk(9), func(directory.Proofs) directory.Proofs { return directory.Proofs{Used: 1} }); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("a device that is not there: %v", err)
		}
		if _, _, err := s.DeviceAndProofs(t.Context(), directory.MAC{2, 0, 0, 0, 0, 9}); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("a device that is not there: %v", err)
		}
		o.must(s.WriteDirectory(t.Context(), Changes{DropDevices: []directory.DeviceID{desk(1)}}, nil))
		if p, err := s.Proofs(t.Context(), desk(1)); err != nil || p != (directory.Proofs{}) {
			t.Errorf("of a device that was removed: %+v %v", p, err)
		}
	})
}

func TestHistory(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		add := func(minute int, file, digest, body string) {
			t.Helper()
			o.must(s.AddServed(t.Context(), history.Served{
				Device: desk(1), At: o.now.Add(time.Duration(minute) * time.Minute), File: file, Digest: digest, Number: "1001", Masked: []byte(body),
			}, 4, time.Hour))
		}
		list := func() (out []string) {
			all, err := s.Served(t.Context(), desk(1))
			o.must(err)
			for _, e := range all {
				body, err := s.Rendering(t.Context(), acme, e.Body)
				o.must(err)
				out = append(out, fmt.Sprintf("%s %s %s", e.File, e.Digest, body))
			}
			return out
		}
		if got := list(); got != nil {
			t.Errorf("%v", got)
		}
		add(0, "a.cfg", "d1", "one")
		add(1, "a.cfg", "d1", "one") // the same again
		add(2, "b.xml", "d9", "other")
		add(3, "a.cfg", "d1", "one") // the last of that name, still
		add(4, "a.cfg", "d2", "two")
		add(5, "a.cfg", "d1", "one")
		if diff := cmp.Diff([]string{"a.cfg d1 one", "a.cfg d2 two", "b.xml d9 other", "a.cfg d1 one"}, list()); diff != "" {
			t.Error(diff)
		}
		add(6, "a.cfg", "d3", "three")
		if got := list(); len(got) != 4 || got[0] != "a.cfg d3 three" {
			t.Errorf("%v", got)
		}
		if _, err := s.Rendering(t.Context(), acme, "nothing"); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}
