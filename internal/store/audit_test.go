package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"perch/hotdesk"
	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/provisioning/history"
	"perch/sip/calls"
)

func (o *office) record(id string, at time.Time, number string) audit.Record {
	return audit.Record{Event: id, At: at.UnixMilli(), Tenant: acme, Act: audit.Login, Number: number, MAC: desk(1).MAC.String(), Line: 1, Result: "ok"}
}

// audited reads the whole audit, the newest first, as "event number".
func (o *office) audited(before time.Time) []string {
	o.t.Helper()
	out := []string{}
	o.must(o.s.AuditBack(o.t.Context(), acme, before, func(r audit.Record) bool {
		out = append(out, r.Event+" "+r.Number)
		return true
	}))
	return out
}

func (o *office) keep(records ...audit.Record) {
	o.t.Helper()
	o.must(o.s.AppendAudit(o.t.Context(), acme, records))
}

func TestAuditRecordsEachEventOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		first := []audit.Record{o.record("1-0", o.now, "1001"), o.record("2-0", o.now, "1002")}
		o.keep(first...)
		o.keep(first...)
		o.later(time.Minute)
		o.keep(o.record("3-0", o.now, ""), first[1])
		if diff := cmp.Diff([]string{"3-0 ", "2-0 1002", "1-0 1001"}, o.audited(time.Time{})); diff != "" {
			t.Error(diff)
		}
	})
}

// TestAuditIsFoundByTime: whatever the order in which records were written, a
// search from a moment sees all from before it.
func TestAuditIsFoundByTime(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			s.rdb.Del(background, key(acme, kAudit), key(acme, kAuditLast), key(acme, kAuditLate))
			times := rapid.SliceOfN(rapid.Int64Range(1, 1000), 1, 20).Draw(rt, "times")
			for _, ms := range times {
				n++
				o.keep(o.record(fmt.Sprint("e", n), time.UnixMilli(ms), "1001"))
			}
			moment := rapid.Int64Range(0, 1001).Draw(rt, "moment")
			found := 0
			must(rt, s.AuditBack(background, acme, time.UnixMilli(moment), func(r audit.Record) bool {
				if r.At <= moment {
					found++
				}
				return true
			}))
			want := len(slices.DeleteFunc(times, func(ms int64) bool { return ms > moment }))
			if found != want {
				rt.Fatalf("%d found, want %d", found, want)
			}
		})
	})
}

func TestAuditTrim(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.keep(o.record("1-0", o.now, "1001"), o.record("2-0", o.now, "1002"))
		o.later(24 * time.Hour)
		o.keep(o.record("3-0", o.now, "1002"))
		n, err := s.TrimAudit(t.Context(), acme, o.now.Add(-time.Hour))
		if n != 2 || err != nil {
			t.Error(n, err)
		}
		if diff := cmp.Diff([]string{"3-0 1002"}, o.audited(time.Time{})); diff != "" {
			t.Error(diff)
		}
		for _, k := range []string{kPeople, kPersonOf} {
			if n := s.rdb.HLen(t.Context(), key(acme, k)).Val(); n != 1 {
				t.Errorf("%s has %d fields", k, n)
			}
		}
		o.keep(o.record("4-0", o.now, "1001"))
		if diff := cmp.Diff([]string{"4-0 1001", "3-0 1002"}, o.audited(time.Time{})); diff != "" {
			t.Error(diff)
		}
	})
}

func TestErase(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		ada := directory.ExtensionID{Tenant: acme, Number: "1001"}
		o.login("1001", desk(1))
		o.login("1001", desk(2)) // moves
		o.login("1002", desk(3))
		o.keep(o.record("1-0", o.now, "1001"), o.record("2-0", o.now, "1002"))
		_, err := s.Begin(t.Context(), ada, "device:001565000001", time.Now().Add(time.Hour))
		o.must(err)
		out, err := s.Erase(t.Context(), ada, "admin", hotdesk.CLI, time.Now().Add(time.Hour))
		o.must(err)
		if len(out.Pseudonym) < 8 || out.Events < 3 {
			t.Errorf("%+v", out)
		}
		if diff := cmp.Diff([]string{"2-0 1002", "1-0 " + out.Pseudonym}, o.audited(time.Time{})); diff != "" {
			t.Error(diff)
		}
		if b, ok := o.seats(desk(2)).At(1); !ok || b.Number != "1001" {
			t.Error("who sits there now was forgotten")
		}
		all, err := s.rdb.XRange(t.Context(), key(acme, kEvents), "-", "+").Result()
		o.must(err)
		for _, m := range all {
			if e, err := parseEvent(acme, m); err != nil || e.Number == "1001" {
				t.Errorf("left in the stream: %+v %v", e, err)
			}
		}
		// Who has the number next is somebody else.
		o.keep(o.record("3-0", o.now, "1001"))
		if diff := cmp.Diff([]string{"3-0 1001", "2-0 1002", "1-0 " + out.Pseudonym}, o.audited(time.Time{})); diff != "" {
			t.Error(diff)
		}
		if list, err := s.Lockouts(t.Context(), acme, time.Now().Add(time.Hour)); len(list) != 0 || err != nil {
			t.Error(list, err)
		}
		again, err := s.Erase(t.Context(), directory.ExtensionID{Tenant: acme, Number: "1003"}, "admin", hotdesk.CLI, o.now)
		if again.Pseudonym != "" || err != nil {
			t.Error(again, err)
		}
	})
}

func TestLockoutsAreListedAndLifted(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		ada, nobody := directory.ExtensionID{Tenant: acme, Number: "1001"}, directory.ExtensionID{Tenant: acme, Number: "4321"}
		guess := func(e directory.ExtensionID, source string, times int) (last hotdesk.Attempt) {
			for range times {
				a, err := s.Begin(t.Context(), e, source, o.now)
				o.must(err)
				last = a
			}
			return last
		}
		dev := "device:" + desk(1).MAC.String()
		guess(ada, dev, 7)
		guess(ada, "192.0.2.1", 2)
		guess(nobody, "192.0.2.1", 6)
		list := func() (out []string) {
			all, err := s.Lockouts(t.Context(), acme, o.now)
			o.must(err)
			for _, l := range all {
				out = append(out, fmt.Sprintf("%s %v %s %d %v", l.Number, l.Known, l.Source, l.Failures, l.Locked(o.now)))
			}
			return out
		}
		want := []string{
			"1001 true  7 false", "1001 true 192.0.2.1 2 false", "1001 true " + dev + " 5 true",
			"4321 false  5 false", "4321 false 192.0.2.1 5 true",
		}
		if diff := cmp.Diff(want, list()); diff != "" {
			t.Error(diff)
		}
		n, err := s.LiftLockouts(t.Context(), hotdesk.Lift{Tenant: acme, Number: "1001", Source: dev, By: "admin", Door: hotdesk.CLI}, o.now)
		if n != 1 || err != nil {
			t.Error(n, err)
		}
		if a := guess(ada, dev, 1); a.LockedFor > 0 || a.Failures != 1 {
			t.Errorf("%+v", a)
		}
		if n, err = s.LiftLockouts(t.Context(), hotdesk.Lift{Tenant: acme, By: "admin"}, o.now); n != 5 || err != nil || len(list()) != 0 {
			t.Error(n, err, list())
		}
		o.later(time.Hour)
		// Many sources, each within its rights: told of once.
		for n := range 15 {
			guess(ada, fmt.Sprintf("192.0.2.%d", n), 1)
		}
		var told []string
		all, err := s.rdb.XRange(t.Context(), key(acme, kEvents), "-", "+").Result()
		o.must(err)
		for _, m := range all {
			e, err := parseEvent(acme, m)
			o.must(err)
			if e.Type == event.LockoutBegan || e.Type == event.LockoutLifted {
				told = append(told, fmt.Sprintf("%s %s %s %s %s", e.Type, e.Number, e.Target, e.Reason, e.MAC))
			}
		}
		slices.Sort(told)
		want = []string{
			"lockout.began  192.0.2.1 source ",
			"lockout.began 1001  extension ",
			"lockout.began 1001 " + dev + " source " + desk(1).MAC.String(),
			"lockout.lifted    ", "lockout.lifted  192.0.2.1  ",
			"lockout.lifted 1001   ", "lockout.lifted 1001 " + dev + "  " + desk(1).MAC.String(),
			"lockout.lifted 1001 " + dev + "  " + desk(1).MAC.String(), "lockout.lifted 1001 192.0.2.1  ",
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
		o.later(2 * time.Hour)
		if got := list(); len(got) != 0 {
			t.Error("forgotten, but listed:", got)
		}
	})
}

// TestEraseCallsAndFiles: what phones were given and who called whom is forgotten
// with the person, and nobody else's.
func TestEraseCallsAndFiles(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		now := time.Now()
		o.must(s.WriteDirectory(t.Context(), Changes{Devices: []directory.Device{{ID: desk(1), Brand: "yealink"}}}, nil))
		for n, number := range []string{"1001", "", "1002", "1001"} {
			o.must(s.AddServed(t.Context(), history.Served{
				Device: desk(1), At: now.Add(time.Duration(n) * time.Second), File: "x.cfg", Digest: fmt.Sprint("d", n), Number: number, Masked: []byte("for " + number + fmt.Sprint(n)),
			}, 10, time.Hour))
		}
		for id, numbers := range map[string][2]string{"a": {"1001", "1002"}, "b": {"1002", "1001"}, "c": {"1002", "1003"}} {
			c := calls.Call{ID: calls.ID(id), Tenant: acme, Ended: now.Add(-time.Hour).UnixMilli(), Called: calls.Party{Number: numbers[1]}, Legs: []calls.Leg{{Party: calls.Party{Number: numbers[0]}}}}
			text, err := json.Marshal(c)
			o.must(err)
			o.must(s.rdb.HSet(t.Context(), key(acme, kCallsPast), id, text).Err())
		}
		out, err := s.Erase(t.Context(), directory.ExtensionID{Tenant: acme, Number: "1001"}, "admin", hotdesk.CLI, now)
		if out.Files != 2 || out.Calls != 2 || err != nil {
			t.Errorf("%+v %v", out, err)
		}
		served, err := s.Served(t.Context(), desk(1))
		o.must(err)
		var left []string
		for _, e := range served {
			body, err := s.Rendering(t.Context(), acme, e.Body)
			left = append(left, fmt.Sprintf("%s %v %q %v", e.Digest, strings.HasPrefix(e.Number, "erased-"), body, err == nil))
		}
		want := []string{`d3 true "" false`, `d2 false "for 10022" true`, `d1 false "for 1" true`, `d0 true "" false`}
		if diff := cmp.Diff(want, left); diff != "" {
			t.Error(diff)
		}
		if ids := s.rdb.HKeys(t.Context(), key(acme, kCallsPast)).Val(); len(ids) != 1 || ids[0] != "c" {
			t.Error(ids)
		}
	})
}
