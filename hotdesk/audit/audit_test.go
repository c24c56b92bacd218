package audit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
)

func TestOf(t *testing.T) {
	for _, tc := range []struct {
		name string
		e    event.Event
		want *Record
	}{
		{
			"a login",
			event.Event{ID: "1-0", Type: event.BindingCreated, At: 5, Number: "1001", MAC: "001565aabb01", Line: 1, Door: "phone-app", Session: "5e55", Trace: "t", Until: 9, Rule: "logout_at: 18:00 (site)"},
			&Record{Event: "1-0", At: 5, Act: Login, Number: "1001", MAC: "001565aabb01", Line: 1, Door: "phone-app", Result: "ok", Trace: "t", Until: 9, Rule: "logout_at: 18:00 (site)"},
		},
		{"by an owner's return", event.Event{Type: event.BindingCreated, Number: "1001", Detail: "owner"}, &Record{Act: Login, Number: "1001", By: "owner", Result: "ok"}},
		{"a move", event.Event{Type: event.BindingEnded, Number: "1001", Reason: "move"}, &Record{Act: Logout, Number: "1001", Result: "move"}},
		{"a refusal without a number", event.Event{Type: event.LoginRefused, Door: "feature-code", Reason: "bad_credentials"}, &Record{Act: Refused, Door: "feature-code", Result: "bad_credentials"}},
		{"an admin's reload", event.Event{Type: event.ReloadRequested, Reason: "operator", Door: "cli", MAC: "001565aabb01"}, &Record{Act: Reload, Result: "operator", Door: "cli", By: "admin", MAC: "001565aabb01"}},
		{"a login's reload", event.Event{Type: event.ReloadRequested, Reason: "login"}, nil},
		{"an emergency call", event.Event{Type: event.EmergencyCalled, Number: "1001", Detail: "Desk 1\r\nX: y"}, &Record{Act: Emergency, Number: "1001", Result: "called", Detail: "Desk 1??X: y"}},
		{"an emergency call without a route", event.Event{Type: event.EmergencyFailed, Reason: "no_route"}, &Record{Act: Emergency, Result: "no_route"}},
		{"a decoy", event.Event{Type: event.ProvisioningAlarm, Reason: "decoy", Detail: "192.0.2.1"}, &Record{Act: Alarm, Result: "decoy", Detail: "192.0.2.1"}},
		{"an erasure", event.Event{Type: event.Erased, Number: "1001", Target: "erased-1"}, &Record{Act: Erase, Detail: "erased-1"}},
		{"a lockout", event.Event{Type: event.LockoutBegan, Target: "192.0.2.1", Reason: "source", Until: 7}, &Record{Act: Lockout, Source: "192.0.2.1", Result: "source", Until: 7}},
		{"a contact", event.Event{Type: event.ContactAdded}, nil},
		{"a configuration", event.Event{Type: event.ConfigFetched}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := Of(tc.e)
			if ok != (tc.want != nil) {
				t.Fatal(ok)
			}
			if ok {
				if diff := cmp.Diff(*tc.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "plain", "a\r\nb", "\x00\x7f", "\xff\xfe", string(make([]byte, 1000)), "ÿÿ" + string(make([]byte, 297)) + "ÿ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if len(got) > maxDetail {
			t.Error("too long")
		}
		for _, c := range got {
			if c < ' ' || c == 0x7f {
				t.Errorf("%q", got)
			}
		}
	})
}

type shelf struct {
	kept []Record
	err  error
}

func (s *shelf) AppendAudit(_ context.Context, _ directory.TenantCode, records []Record) error {
	s.kept = append(s.kept, records...)
	return s.err
}

func (s *shelf) Device(_ context.Context, id directory.DeviceID) (directory.Device, error) {
	if id.MAC[5] == 2 {
		return directory.Device{}, hotdesk.ErrNotFound
	}
	return directory.Device{ID: id, Desk: "Berlin 3.14", Site: "berlin"}, nil
}

func TestJob(t *testing.T) {
	s := &shelf{}
	acts := map[Act]int{}
	j := NewJob(s, s, func(a Act) { acts[a]++ })
	batch := []event.Event{
		{ID: "1-0", Type: event.BindingCreated, Tenant: "acme", MAC: "001565000001"},
		{ID: "2-0", Type: event.ContactAdded, Tenant: "acme", MAC: "001565000001"},
		{ID: "3-0", Type: event.BindingEnded, Tenant: "acme", MAC: "001565000002"},
		{ID: "4-0", Type: event.DirectoryChanged, Tenant: "acme"},
	}
	if err := j.Handle(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range s.kept {
		got = append(got, r.Event+" "+string(r.Act)+" "+r.Desk+" "+r.Site)
	}
	if diff := cmp.Diff([]string{"1-0 login Berlin 3.14 berlin", "3-0 logout  ", "4-0 directory  "}, got); diff != "" {
		t.Error(diff)
	}
	if acts[Login] != 1 || acts[Logout] != 1 || acts[Directory] != 1 {
		t.Error(acts)
	}
	s.err = hotdesk.ErrUnavailable
	if err := j.Handle(t.Context(), batch); !errors.Is(err, hotdesk.ErrUnavailable) {
		t.Error(err)
	}
	if err := j.Handle(t.Context(), batch[1:2]); err != nil {
		t.Error("nothing to record, but", err)
	}
}

func TestAt(t *testing.T) {
	at := func(m int) int64 { return time.Date(2026, 5, 4, 10, m, 0, 0, time.UTC).UnixMilli() }
	// From the newest to the oldest, as the store gives them.
	records := []Record{
		{Act: Logout, At: at(50), MAC: "a", Line: 1, Desk: "3.14", Number: "1002"},
		{Act: Login, At: at(30), MAC: "a", Line: 1, Desk: "3.14", Number: "1002", Door: "phone-app", Trace: "t2"},
		{Act: Logout, At: at(30), MAC: "a", Line: 1, Desk: "3.14", Number: "1001"},
		{Act: Refused, At: at(29), MAC: "a", Line: 1, Desk: "3.14"},
		{Act: Login, At: at(20), MAC: "b", Line: 1, Desk: "3.15", Number: "1003"},
		{Act: Login, At: at(10), MAC: "a", Line: 1, Desk: "3.14", Number: "1001", Door: "api", By: "admin", Trace: "t1"},
		{Act: Logout, At: at(5), MAC: "a", Line: 1, Desk: "3.14", Number: "1004"},
	}
	for _, tc := range []struct {
		name   string
		moment int64
		match  Match
		want   []Seated
	}{
		{"before all", at(1), Match{Desk: "3.14"}, []Seated{}},
		{"nobody", at(7), Match{Desk: "3.14"}, []Seated{{MAC: "a", Line: 1, Desk: "3.14", Since: at(5), Until: at(10)}}},
		{"somebody", at(15), Match{Desk: "3.14"}, []Seated{{MAC: "a", Line: 1, Desk: "3.14", Number: "1001", Door: "api", By: "admin", Since: at(10), Until: at(30), Trace: "t1"}}},
		{"at the change", at(30), Match{MAC: "a"}, []Seated{{MAC: "a", Line: 1, Desk: "3.14", Number: "1002", Door: "phone-app", Since: at(30), Until: at(50), Trace: "t2"}}},
		{"after all", at(59), Match{Desk: "3.15"}, []Seated{{MAC: "b", Line: 1, Desk: "3.15", Number: "1003", Since: at(20)}}},
		{"another case", at(59), Match{Desk: "nowhere"}, []Seated{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := NewAt(tc.moment, tc.match, nil)
			for _, r := range records {
				a.See(r)
			}
			if diff := cmp.Diff(tc.want, a.Seats()); diff != "" {
				t.Error(diff)
			}
		})
	}
	a := NewAt(at(15), Match{Desk: "3.14"}, []string{"a"})
	for i, r := range records {
		a.See(r)
		if a.Done() != (i >= 5) {
			t.Errorf("after %d: done %v", i, a.Done())
		}
	}
}
