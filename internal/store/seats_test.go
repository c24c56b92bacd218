package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
)

func TestBindWritesEverythingAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		out := o.login("1001", desk(1))
		b, ok := o.seats(desk(1)).At(1)
		if !ok || b.Number != "1001" || out.Binding == nil || *out.Binding != b {
			t.Fatalf("seat %+v, outcome %+v", b, out)
		}
		logins, err := s.Logins(t.Context(), directory.ExtensionID{Tenant: acme, Number: "1001"})
		o.must(err)
		if diff := cmp.Diff([]directory.Seat{{Device: desk(1), Line: 1}}, logins); diff != "" {
			t.Error(diff)
		}
		want := trace.Trace{
			Rev: 1, ID: "t1", Kind: trace.Login, Tenant: acme, MAC: desk(1).MAC.String(), Line: 1, Number: "1001",
			Session: b.Session, Door: "feature-code", Brand: "yealink", State: trace.Running, Started: b.Since,
			Steps: []trace.Step{{Name: trace.Accepted, At: b.Since}, {Name: trace.Bound, At: o.now.UnixMilli(), Millis: 40}},
		}
		if diff := cmp.Diff(want, o.trace(desk(1))); diff != "" {
			t.Error(diff)
		}
		if i, open := o.intent(desk(1)); !open || i.Session != b.Session || i.Trace != "t1" || i.Reason != "login" || o.due(desk(1)) != 0 {
			t.Errorf("intent %+v open %v due %d", i, open, o.due(desk(1)))
		}
		if diff := cmp.Diff([]string{"binding.created 1001 001565000001", "reload.requested 1001 001565000001 login"}, o.news()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBindRefusals(t *testing.T) {
	deny := hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Deny, OnOccupied: directory.Deny}
	ask := hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Move, OnOccupied: directory.Ask}
	unheard := hotdesk.Rules{MaxLogins: 1, OnConflict: "whatever", OnOccupied: "whatever"}
	for _, tc := range []struct {
		name   string
		number string
		at     directory.DeviceID
		rules  hotdesk.Rules
		want   hotdesk.Reason
		who    string
	}{
		{"unknown device", "1003", desk(9), move, hotdesk.UnknownDevice, ""},
		{"unknown number", "4000", desk(2), move, hotdesk.BadCredentials, ""},
		{"taken", "1003", desk(1), deny, hotdesk.DeskTaken, "1001"},
		{"ask", "1003", desk(1), ask, hotdesk.AskFirst, "1001"},
		{"taken, setting not understood", "1003", desk(1), unheard, hotdesk.DeskTaken, "1001"},
		{"elsewhere", "1001", desk(2), deny, hotdesk.Elsewhere, ""},
		{"elsewhere, setting not understood", "1001", desk(2), unheard, hotdesk.Elsewhere, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			engines(t, func(t *testing.T, s *Store) {
				o := newOffice(t, s)
				o.login("1001", desk(1))
				o.news()
				r := o.request(tc.number, tc.at)
				r.Rules = tc.rules
				_, err := s.Bind(t.Context(), r)
				if got := o.refused(err, tc.want); got.Occupant != tc.who || got.Since.IsZero() != (tc.who == "") {
					t.Errorf("refusal %+v", got)
				}
				if n := o.news(); len(n) > 0 || len(o.seats(desk(2)).Bindings) > 0 {
					t.Errorf("a refusal changed something: %v", n)
				}
			})
		})
	}
}

func TestBindReplacesAndMoves(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.login("1001", desk(1))
		o.login("1002", desk(2))
		o.later(time.Second)
		o.news()
		out := o.login("1001", desk(2))
		if diff := cmp.Diff([]string{
			"binding.ended 1002 001565000002 replaced",
			"binding.ended 1001 001565000001 move",
			"binding.created 1001 001565000002",
			"trace.superseded 001565000002",
			"reload.requested 1001 001565000002 login",
			"trace.superseded 001565000001",
			"reload.requested 001565000001 logout",
		}, o.news()); diff != "" {
			t.Error(diff)
		}
		if len(out.Ended) != 2 || out.Ended[0].Seat.Device != desk(2) || out.Ended[1].Seat.Device != desk(1) {
			t.Errorf("ended %+v", out.Ended)
		}
		left := o.trace(desk(1))
		if left.ID != "t3-1" || left.Kind != trace.Logout || left.Number != "" || left.Session != "" || len(left.Steps) != 2 {
			t.Errorf("trace of the desk left: %+v", left)
		}
		if e := o.seats(desk(1)).Ending; len(e) != 1 || e[0].Number != "1001" {
			t.Errorf("ending %+v", e)
		}
		if i, open := o.intent(desk(1)); !open || i.Session != "" || i.Trace != "t3-1" {
			t.Errorf("intent %+v %v", i, open)
		}
	})
}

func TestBindSameAgain(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		first := o.login("1001", desk(1))
		out := o.login("1001", desk(1))
		if !out.Already || out.Binding.Session != first.Binding.Session || out.Trace != "t2" || o.trace(desk(1)).Kind != trace.Login {
			t.Errorf("outcome %+v, trace %+v", out, o.trace(desk(1)))
		}
		o.must(o.register("1001", o.contact("sip:a", desk(1), first.Binding.Session), desk(1)))
		if o.login("1001", desk(1)); o.trace(desk(1)).Kind != trace.Reload {
			t.Error("the phone has registered as 1001 already: its identity does not change")
		}
	})
}

func TestSameRequestSameAnswer(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		r := o.request("1001", desk(1))
		first, err := s.Bind(t.Context(), r)
		o.must(err)
		o.news()
		o.login("1002", desk(1))
		o.news()
		again, err := s.Bind(t.Context(), r)
		o.must(err)
		if diff := cmp.Diff(first, again); diff != "" || len(o.news()) > 0 {
			t.Error("the second answer is another, or changed something", diff)
		}
		if b, _ := o.seats(desk(1)).At(1); b.Number != "1002" {
			t.Error("the repeated request was carried out again")
		}
	})
}

func TestMaxLogins(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		two := hotdesk.Rules{MaxLogins: 2, OnConflict: directory.Move, OnOccupied: directory.Replace}
		for n := 1; n <= 3; n++ {
			r := o.request("1001", desk(n))
			r.Rules = two
			_, err := s.Bind(t.Context(), r)
			o.must(err)
			o.later(time.Second)
		}
		if len(o.seats(desk(1)).Bindings) != 0 || len(o.seats(desk(2)).Bindings) != 1 || len(o.seats(desk(3)).Bindings) != 1 {
			t.Error("the oldest login should have ended, and only that")
		}
	})
}

func TestOwnerReturns(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.device(directory.Device{ID: desk(1), Owner: "1003"})
		o.login("1001", desk(1))
		o.news()
		out, err := o.logout(desk(1))
		o.must(err)
		if out.Binding == nil || out.Binding.Number != "1003" || out.Binding.By != "owner" || len(out.Binding.Session) != 32 {
			t.Fatalf("outcome %+v", out)
		}
		if tr := o.trace(desk(1)); tr.Kind != trace.Login || tr.Session != out.Binding.Session || tr.Number != "1003" {
			t.Errorf("trace %+v", tr)
		}
		// Neither on_occupied nor on_conflict holds for an automatic return.
		r := o.request("1002", desk(1))
		r.Rules = hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Deny, OnOccupied: directory.Deny}
		_, err = s.Bind(t.Context(), r)
		o.must(err)
		// Moved away by its guest, the desk is its owner's again; who then logs in elsewhere.
		o.login("1002", desk(2))
		if b, ok := o.seats(desk(1)).At(1); !ok || b.Number != "1003" {
			t.Fatalf("seat %+v", b)
		}
		r = o.request("1003", desk(3))
		r.Rules.OnConflict = directory.Deny
		out, err = s.Bind(t.Context(), r)
		o.must(err)
		if len(out.Ended) != 1 || len(o.seats(desk(1)).Bindings) != 0 {
			t.Errorf("the owner's own login ends the automatic one: %+v", out)
		}
	})
}

func TestExpiredBindingIsAbsent(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		r := o.request("1001", desk(1))
		r.Binding.Until = o.now.Add(time.Minute).UnixMilli()
		_, err := s.Bind(t.Context(), r)
		o.must(err)
		o.later(time.Minute)
		o.news()
		r = o.request("1002", desk(1))
		r.Rules = hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Deny, OnOccupied: directory.Deny}
		_, err = s.Bind(t.Context(), r)
		o.must(err)
		if n := o.news(); n[0] != "binding.ended 1001 001565000001 expired" {
			t.Error(n)
		}
	})
}

func TestUnbind(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		_, err := o.logout(desk(1))
		o.refused(err, hotdesk.NobodyHere)
		o.login("1001", desk(1))
		_, err = s.Unbind(t.Context(), hotdesk.UnbindRequest{Now: o.now, Device: desk(1), Number: "1002", Trace: "x"})
		o.refused(err, hotdesk.NobodyHere)
		o.news()
		out, err := o.logout(desk(1))
		o.must(err)
		if out.Binding != nil || len(out.Ended) != 1 || o.trace(desk(1)).Kind != trace.Logout {
			t.Errorf("outcome %+v", out)
		}
		if diff := cmp.Diff([]string{"binding.ended 1001 001565000001 logout", "trace.superseded 001565000001", "reload.requested 001565000001 logout"}, o.news()); diff != "" {
			t.Error(diff)
		}
		all, err := s.AllSeats(t.Context(), acme)
		o.must(err)
		if len(all) != 1 || len(all[desk(1).MAC].Ending) != 1 {
			t.Errorf("mapping %+v", all)
		}
	})
}

func TestUnbindOfRemovedDevice(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.login("1001", desk(1))
		o.must(s.rdb.HDel(t.Context(), key(acme, kDevices), desk(1).MAC.String()).Err())
		o.news()
		_, err := s.Unbind(t.Context(), hotdesk.UnbindRequest{Now: o.now, Device: desk(1), Trace: "x", By: "directory"})
		o.must(err)
		if diff := cmp.Diff([]string{"binding.ended 1001 001565000001 removed"}, o.news()); diff != "" {
			t.Error(diff)
		}
		if _, open := o.intent(desk(1)); open || o.due(desk(1)) != -1 {
			t.Error("a removed device has nothing to reload")
		}
	})
}

func TestEndingSessionsAreBounded(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		first := o.login("1001", desk(1))
		o.must(o.register("1001", o.contact("sip:a", desk(1), first.Binding.Session), desk(1)))
		for n := range 8 {
			o.login(people[(n+1)%2], desk(1))
		}
		e := o.seats(desk(1)).Ending
		if len(e) != 4 || e[0].Session != first.Binding.Session {
			t.Errorf("the session by which the phone is reached was forgotten: %+v", e)
		}
	})
}
