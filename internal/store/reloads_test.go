package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/reload"
	"perch/hotdesk/trace"
	"perch/internal/event"
)

// claim takes what is due; want is how many that must be.
func (o *office) claim(want int) []reload.Intent {
	o.t.Helper()
	list, _, err := o.s.ClaimReloads(o.t.Context(), o.now, time.Minute, 10)
	o.must(err)
	if len(list) != want {
		o.t.Fatalf("claimed %d, want %d: %+v", len(list), want, list)
	}
	return list
}

func TestClaimHandsOutOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.login("1001", desk(1))
		o.login("1002", desk(2))
		_, next, err := s.ClaimReloads(t.Context(), o.now.Add(-time.Second), time.Minute, 10)
		if !next.Equal(o.now) || err != nil {
			t.Error(next, err)
		}
		one, next, err := s.ClaimReloads(t.Context(), o.now, time.Minute, 1)
		if len(one) != 1 || !next.Equal(o.now) || err != nil || one[0].Claimed == 0 || one[0].Tenant != acme {
			t.Error(one, next, err)
		}
		o.claim(1)
		o.claim(0)
		o.later(time.Minute)
		o.claim(2) // the claimants died
	})
}

func TestSaveAndCloseReload(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.login("1001", desk(1))
		i := o.claim(1)[0]
		o.news()
		i.Sent = 1
		sent := event.Event{Type: event.NotifySent, At: 7, Tenant: acme, MAC: i.MAC, Trace: i.Trace}
		o.must(s.SaveReload(t.Context(), i, o.now.Add(time.Second)))
		o.must(s.SaveReload(t.Context(), i, o.now.Add(time.Second), sent)) // the same again, with news
		if e := o.events(); len(e) != 1 || e[0].At != 7 || e[0].Node != "test" {
			t.Errorf("%+v", e)
		}
		i.Claimed = 0
		if got, err := s.Reload(t.Context(), desk(1)); err != nil || cmp.Diff(i, got) != "" || o.due(desk(1)) != 1000 {
			t.Error(err, cmp.Diff(i, got), o.due(desk(1)))
		}
		o.login("1002", desk(1))
		o.news()
		for _, err := range []error{s.SaveReload(t.Context(), i, o.now, sent), s.CloseReload(t.Context(), i, sent)} {
			if !errors.Is(err, reload.ErrSuperseded) {
				t.Error(err)
			}
		}
		i, err := s.Reload(t.Context(), desk(1))
		o.must(err)
		o.must(s.CloseReload(t.Context(), i, sent))
		if err := s.CloseReload(t.Context(), i, sent); !errors.Is(err, reload.ErrSuperseded) || len(o.news()) != 1 || o.due(desk(1)) != -1 {
			t.Error(err)
		}
		if _, err := s.Reload(t.Context(), desk(1)); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestOpenReloadIsForWhoSitsThere(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		asked := func(id string) (trace.Trace, reload.Intent) {
			return trace.Trace{
					ID: id, Kind: trace.Reload, Tenant: acme, MAC: desk(1).MAC.String(), Started: o.now.UnixMilli(),
					Steps: []trace.Step{{Name: trace.Accepted, At: o.now.UnixMilli()}},
				},
				reload.Intent{Reason: "operator", Force: true}
		}
		b := o.login("1001", desk(1)).Binding
		tr, i := asked("op1")
		o.must(s.OpenReload(t.Context(), tr, i, o.now))
		if got := o.trace(desk(1)); got.Kind != trace.Login || got.Session != b.Session || got.Number != "1001" || got.State != trace.Running {
			t.Errorf("the login is still to be verified: %+v", got)
		}
		got, _ := o.intent(desk(1))
		if got.Trace != "op1" || got.Session != b.Session || !got.Force || got.Reason != "operator" {
			t.Errorf("%+v", got)
		}
		o.must(s.CloseReload(t.Context(), got))
		tr, i = asked("op2")
		o.news()
		for range 2 { // the second is the first, sent again
			o.must(s.OpenReload(t.Context(), tr, i, o.now.Add(time.Second)))
		}
		if got := o.trace(desk(1)); got.Kind != trace.Reload || o.due(desk(1)) != 1000 || len(o.news()) != 2 { // superseded, requested
			t.Errorf("%+v", got)
		}
	})
}

func TestSaveTrace(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		if _, err := s.Trace(t.Context(), desk(1)); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Error(err)
		}
		o.login("1001", desk(1))
		tr, err := s.Trace(t.Context(), desk(1))
		o.must(err)
		o.news()
		tr.Steps = append(tr.Steps, trace.Step{Name: trace.Fetched, At: o.now.UnixMilli()})
		tr.Expect = []string{"1002"}
		for range 2 { // the second is the first, sent again
			o.must(s.SaveTrace(t.Context(), tr, event.Event{Type: event.TraceReady, MAC: tr.MAC}))
		}
		if n := o.news(); len(n) != 1 {
			t.Error(n)
		}
		tr.State = trace.Failed
		if err := s.SaveTrace(t.Context(), tr); !errors.Is(err, trace.ErrConflict) {
			t.Error(err)
		}
		if tr, err = s.Trace(t.Context(), desk(1)); err != nil || tr.Rev != 2 || len(tr.Steps) != 3 {
			t.Error(tr, err)
		}
		tr.State = trace.Ready
		o.must(s.SaveTrace(t.Context(), tr))
		if _, open := o.intent(desk(1)); open || o.due(desk(1)) != -1 {
			t.Error("a ready trace has an open reload")
		}
		// Another login of the same revision is another trace.
		o.login("1002", desk(1))
		tr.Rev = 1
		if err := s.SaveTrace(t.Context(), tr); !errors.Is(err, trace.ErrConflict) {
			t.Error(err)
		}
	})
}

func TestArmReload(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		arm := func(want int) {
			t.Helper()
			o.news()
			o.must(s.ArmReload(t.Context(), desk(1), o.now))
			if n := o.news(); len(n) != want {
				t.Errorf("got %v, want %d events", n, want)
			}
		}
		arm(0) // nothing to arm for
		o.login("1001", desk(1))
		_, err := o.logout(desk(1))
		o.must(err)
		i := o.claim(1)[0]
		arm(0) // somebody is at it
		i.Sent = 1
		o.must(s.SaveReload(t.Context(), i, o.now.Add(time.Minute)))
		o.now = time.Now() // SaveReload stamps the real time
		arm(0)             // within 5 s of the NOTIFY
		o.later(6 * time.Second)
		arm(1)
		if o.due(desk(1)) != 0 {
			t.Error(o.due(desk(1)))
		}
		arm(0) // rate
		o.must(s.CloseReload(t.Context(), i))
		tr := o.trace(desk(1))
		tr.State = trace.Failed
		tr.Steps = append(tr.Steps, trace.Step{Name: trace.Fetched, Error: "never came"})
		o.must(s.SaveTrace(t.Context(), tr))
		o.later(6 * time.Second)
		arm(1)
		again, open := o.intent(desk(1))
		if got := o.trace(desk(1)); !open || again.Trace != got.ID || got.State != trace.Running || len(got.Steps) != 2 || got.Rev != 3 {
			t.Errorf("%+v %v %+v", again, open, got)
		}
		// Once the phone has registered otherwise there is nobody to arm for.
		o.must(o.register(desk(1).MAC.String(), o.contact("sip:idle", desk(1), ""), desk(1)))
		o.must(s.CloseReload(t.Context(), again))
		o.later(6 * time.Second)
		arm(0)
	})
}

func TestReloadWaitsForCalls(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		start := func(call string) {
			t.Helper()
			o.must(s.StartDialog(t.Context(), desk(1), call, o.now.Add(2*time.Minute), o.now))
		}
		end := func(call string) {
			t.Helper()
			o.must(s.EndDialog(t.Context(), desk(1), call, o.now, 300*time.Millisecond))
		}
		start("a")
		start("b")
		start("b")
		o.login("1001", desk(1))
		if o.due(desk(1)) != 120_000 {
			t.Error(o.due(desk(1)))
		}
		o.later(time.Second)
		end("a")
		if until, busy, err := s.Busy(t.Context(), desk(1), o.now); !busy || !until.Equal(o.now.Add(119*time.Second)) || err != nil {
			t.Error(until, busy, err)
		}
		end("b")
		end("b")
		if o.due(desk(1)) != 300 {
			t.Error(o.due(desk(1)))
		}
		if diff := cmp.Diff([]string{
			"call.started", "dialog.started 001565000001", "call.started", "call.changed",
			"binding.created 1001 001565000001", "reload.requested 1001 001565000001 login",
			"call.ended", "call.ended", "dialog.ended 001565000001",
		}, o.news()); diff != "" {
			t.Error(diff)
		}
		// A call that begins before the claim, and ends while the worker has decided to wait for it.
		start("c")
		o.later(time.Second)
		i := o.claim(1)[0]
		until, _, err := s.Busy(t.Context(), desk(1), o.now)
		o.must(err)
		end("c")
		o.must(s.SaveReload(t.Context(), i, until))
		if o.due(desk(1)) != 300 {
			t.Error(o.due(desk(1)))
		}
		// A forced one does not wait.
		start("d")
		r := o.request("1002", desk(1))
		r.Force = true
		_, err = s.Bind(t.Context(), r)
		o.must(err)
		if o.due(desk(1)) != 0 {
			t.Error(o.due(desk(1)))
		}
		// A lease that ran out is no call.
		o.later(time.Hour)
		if _, busy, err := s.Busy(t.Context(), desk(1), o.now); busy || err != nil {
			t.Error(busy, err)
		}
	})
}

func TestWaitingWorkerIsPulled(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.login("1001", desk(1))
		i := o.claim(1)[0]
		i.Sent = 1
		o.now = time.Now().Truncate(time.Millisecond) // SaveReload compares with the real time
		o.must(s.StartDialog(t.Context(), desk(1), "a", o.now.Add(2*time.Minute), o.now))
		until, _, err := s.Busy(t.Context(), desk(1), o.now)
		o.must(err)
		o.must(s.SaveReload(t.Context(), i, o.now.Add(30*time.Second)))
		o.must(s.EndDialog(t.Context(), desk(1), "a", o.now, time.Second))
		if o.due(desk(1)) != 30_000 {
			t.Error("it waits for the phone, not for the call", o.due(desk(1)))
		}
		o.must(s.StartDialog(t.Context(), desk(1), "b", until, o.now))
		o.must(s.SaveReload(t.Context(), i, until))
		o.must(s.EndDialog(t.Context(), desk(1), "b", o.now, time.Second))
		if o.due(desk(1)) != 1000 {
			t.Error(o.due(desk(1)))
		}
	})
}
