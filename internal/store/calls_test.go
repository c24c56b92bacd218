package store

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/internal/event"
	"perch/sip/calls"
)

func talk(o *office, callID string) calls.Call {
	at := o.now.UnixMilli()
	return calls.Call{
		ID: calls.NewID(acme, callID), Tenant: acme, CallID: callID, Node: "test", Began: at, Answered: at,
		Lease: at + time.Hour.Milliseconds(),
		Legs: []calls.Leg{
			{Party: calls.Party{Number: "1001", MAC: desk(1).MAC.String(), Display: `A "quoted" ☎`}, Direction: calls.Initiator, Phase: calls.Confirmed, Tag: "a", Began: at},
			{Branch: "1", Party: calls.Party{Number: "1002", MAC: desk(2).MAC.String()}, Direction: calls.Recipient, Phase: calls.Confirmed, Tag: "b", Began: at},
		},
	}
}

func TestCallInTheStore(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		c := talk(o, "c")
		save := func(want error) {
			t.Helper()
			rev, err := s.SaveCall(t.Context(), c, o.now)
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
			if err == nil {
				if rev <= c.Rev {
					t.Errorf("revision %d after %d", rev, c.Rev)
				}
				c.Rev = rev
			}
		}
		save(nil)
		save(nil)
		got, err := s.Call(t.Context(), acme, c.ID)
		o.must(err)
		same(t, "call", []calls.Call{c}, []calls.Call{got})
		for i := 1; i <= 2; i++ {
			if until, busy, err := s.Busy(t.Context(), desk(i), o.now); !busy || until.UnixMilli() != c.Lease || err != nil {
				t.Errorf("desk %d: %v %v %v", i, until, busy, err)
			}
			if of, err := s.CallsOf(t.Context(), desk(i), o.now); len(of) != 1 || of[0].ID != c.ID || err != nil {
				t.Errorf("desk %d is in %v, %v", i, of, err)
			}
		}
		old := c
		old.Rev--
		if _, err := s.SaveCall(t.Context(), old, o.now); !errors.Is(err, calls.ErrConflict) {
			t.Errorf("an old revision: %v", err)
		}
		newest, err := s.CallRev(t.Context(), acme)
		o.must(err)
		lamps, err := s.Lamps(t.Context(), acme)
		o.must(err)
		if newest != c.Rev || lamps["1001"] != c.Rev || lamps["1002"] != c.Rev {
			t.Errorf("newest %d, lamps %v", newest, lamps)
		}
		c.Finish(calls.Ending{By: calls.ByCaller, Reason: calls.HungUp}, o.now)
		save(nil)
		save(calls.ErrOver)
		c.Rev, c.Ended = 0, 0
		save(calls.ErrOver)
		if _, err := s.Call(t.Context(), acme, c.ID); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Errorf("after the end: %v", err)
		}
		past, err := s.PastCall(t.Context(), acme, c.ID)
		o.must(err)
		if past.By != calls.ByCaller || len(past.Steps) != 1 {
			t.Errorf("%+v", past)
		}
		if _, busy, _ := s.Busy(t.Context(), desk(2), o.now); busy {
			t.Error("still busy")
		}
		for range s.Calls(t.Context(), acme) {
			t.Error("a call is up")
		}
	})
}

func TestCallEvents(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		c := talk(o, "c")
		rev, err := s.SaveCall(t.Context(), c, o.now)
		o.must(err)
		c.Rev = rev
		c.Finish(calls.Ending{By: calls.ByCaller, Reason: calls.HungUp}, o.now)
		_, err = s.SaveCall(t.Context(), c, o.now)
		o.must(err)
		var got []string
		var last calls.Call
		for _, e := range o.events() {
			got = append(got, string(e.Type))
			if e.Type == event.CallEnded || e.Type == event.CallStarted {
				o.must(json.Unmarshal(e.Call, &last))
				if last.CallID != "" || last.Legs[0].Tag != "" || last.Legs[0].Party.Display != `A "quoted" ☎` || e.Tenant != acme {
					t.Errorf("%s", e.Call)
				}
			}
		}
		if want := "call.started dialog.started dialog.started call.ended dialog.ended dialog.ended"; strings.Join(got, " ") != want {
			t.Errorf("got %v", got)
		}
		if last.Rev <= rev || !last.Over() {
			t.Errorf("%+v", last)
		}
	})
}

func TestCallWithoutAnAnswerMayBeginAgain(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		c := talk(o, "c")
		c.Answered = 0
		rev, err := s.SaveCall(t.Context(), c, o.now)
		o.must(err)
		c.Rev = rev
		c.Finish(calls.Ending{Reason: calls.Refused, Status: 407}, o.now)
		_, err = s.SaveCall(t.Context(), c, o.now)
		o.must(err)
		_, err = s.SaveCall(t.Context(), talk(o, "c"), o.now)
		o.must(err)
		if _, err := s.Call(t.Context(), acme, c.ID); err != nil {
			t.Error(err)
		}
		if _, err := s.PastCall(t.Context(), acme, c.ID); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Error("it is up and over at once", err)
		}
	})
}

func TestDueCalls(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		due := func(want int) []calls.Call {
			t.Helper()
			got, err := s.DueCalls(t.Context(), acme, o.now, 10)
			o.must(err)
			if len(got) != want {
				t.Errorf("%d are due, want %d", len(got), want)
			}
			return got
		}
		c, foreign := talk(o, "c"), talk(o, "foreign")
		foreign.Node = "other"
		var err error
		c.Rev, err = s.SaveCall(t.Context(), c, o.now)
		o.must(err)
		_, err = s.SaveCall(t.Context(), foreign, o.now)
		o.must(err)
		due(0)
		o.later(time.Hour - calls.Probing)
		same(t, "call", []calls.Call{c}, due(1))
		due(0) // it is being asked
		o.later(takeOverAfter + time.Second)
		if got := due(1); got[0].ID != foreign.ID {
			t.Errorf("%+v", got)
		}
		o.later(calls.Probing + takeOverAfter + time.Second)
		due(2)
		c.Finish(calls.Ending{Reason: calls.Expired}, o.now)
		_, err = s.SaveCall(t.Context(), c, o.now)
		o.must(err)
		o.later(calls.Remembered - time.Second)
		due(1)
		if _, err := s.PastCall(t.Context(), acme, c.ID); err != nil {
			t.Error(err)
		}
		o.later(2 * time.Second)
		due(0)
		if _, err := s.PastCall(t.Context(), acme, c.ID); !errors.Is(err, hotdesk.ErrNotFound) {
			t.Error("still remembered", err)
		}
	})
}
