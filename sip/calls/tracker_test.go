package calls

import (
	"errors"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

var dialogAB = Dialog{Tenant: "acme", CallID: "c", FromTag: "a", ToTag: "b"}

func TestCallFromInviteToBye(t *testing.T) {
	w := newWorld(t)
	r := w.Begin(start("c"))
	w.settle()
	w.pass(time.Second)
	w.Try(r, Branch{ID: "1", Party: grace})
	w.Try(r, Branch{ID: "2", Party: other})
	w.Ring(r, "1", 180, "b")
	w.settle()
	c, err := w.Store.Call(t.Context(), "acme", r.ID)
	if err != nil || c.Phase() != Early || len(c.Devices()) != 3 || len(c.Numbers()) != 2 || c.Peer(&c.Legs[0]).URI != "sip:1002@acme.test" {
		t.Fatalf("ringing: %+v, %v", c, err)
	}
	w.pass(time.Second)
	w.Answer(r, "1", Answered{Tag: "b"})
	w.Fail(r, "2", 487)
	w.settle()
	mac, _ := directory.ParseMAC(other.MAC)
	if of, err := w.Of(t.Context(), directory.DeviceID{Tenant: "acme", MAC: mac}); len(of) != 0 || err != nil {
		t.Errorf("the phone that was not answered is in %v, %v", of, err)
	}
	c, l, by, err := w.Find(t.Context(), Dialog{"acme", "c", "b", "a"})
	if err != nil || l.Party != grace || by != ByCalled || c.Phase() != Confirmed || c.Answered-c.Began != 2000 {
		t.Fatalf("talking: %+v %v %v", c, by, err)
	}
	w.HangUp(dialogAB)
	w.settle()
	if _, _, _, err := w.Find(t.Context(), dialogAB); !errors.Is(err, hotdesk.ErrNotFound) {
		t.Errorf("after the end: %v", err)
	}
	past := w.store.past[r.ID]
	if past.By != ByCaller || past.Reason != HungUp || past.Status != 200 || past.Node != "n1" {
		t.Errorf("ended by %s: %s (%d) at %s", past.By, past.Reason, past.Status, past.Node)
	}
	var steps []string
	for _, s := range past.Steps {
		steps = append(steps, s.Step)
	}
	if got := strings.Join(steps, " "); got != "invite trying trying ringing answered refused ended" {
		t.Errorf("steps: %s", got)
	}
	if len(w.open) != 0 {
		t.Errorf("%d entries left", len(w.open))
	}
}

func TestNothingLateBringsACallBack(t *testing.T) {
	late := map[string]func(w *world, r Ref){
		"180":           func(w *world, r Ref) { w.Ring(r, "1", 180, "b") },
		"200":           func(w *world, r Ref) { w.Answer(r, "1", Answered{Tag: "b"}) },
		"another place": func(w *world, r Ref) { w.Try(r, Branch{ID: "9", Party: other}) },
		"in the dialog": func(w *world, _ Ref) { w.Seen(dialogAB, 0) },
		"BYE again":     func(w *world, _ Ref) { w.HangUp(dialogAB) },
		"the same call": func(w *world, _ Ref) { w.Begin(start("c")) },
		"the end again": func(w *world, r Ref) { w.End(r, Ending{By: ByPerch}) },
	}
	for name, tell := range late {
		for _, settled := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				r := w.talk("c")
				w.HangUp(dialogAB)
				if settled {
					w.settle()
				}
				tell(w, r)
				w.settle()
				if len(w.store.up) != 0 || w.store.past[r.ID].By != ByCaller {
					t.Errorf("up: %v; past: %v", w.store.up, w.store.past)
				}
			})
		}
	}
}

func TestCallsOfStrangers(t *testing.T) {
	w := newWorld(t)
	r := w.talk("c")
	for _, d := range []Dialog{
		{"acme", "c", "a", "x"},
		{"acme", "c", "x", "b"},
		{"acme", "c", "a", ""},
		{"acme", "c", "", ""},
		{"acme", "other", "a", "b"},
		{"umbrella", "c", "a", "b"},
	} {
		w.HangUp(d)
		w.Seen(d, time.Hour)
	}
	w.settle()
	if c := w.store.up[r.ID]; c.Phase() != Confirmed || c.Session != 0 || len(w.store.up) != 1 || w.lost != 0 {
		t.Errorf("%+v", c)
	}
	if len(w.open) != 1 {
		t.Errorf("%d entries", len(w.open))
	}
}

func TestAgainAfterAChallenge(t *testing.T) {
	w := newWorld(t)
	r := w.Begin(start("c"))
	w.Try(r, Branch{ID: "1"})
	w.Fail(r, "1", 407)
	w.End(r, Ending{By: ByCalled, Reason: Refused, Status: 407})
	w.talk("c") // same Call-ID, the next CSeq
	w.settle()
	if c := w.store.up[r.ID]; c.Phase() != Confirmed || c.Status != 200 || len(c.Steps) < 8 {
		t.Errorf("%+v", c)
	}
}

func TestForksThatAllAnswer(t *testing.T) {
	w := newWorld(t)
	r := w.Begin(start("c"))
	w.Try(r, Branch{ID: "1", Party: grace})
	w.Try(r, Branch{ID: "2", Party: other})
	w.Answer(r, "1", Answered{Tag: "b"})
	w.Answer(r, "2", Answered{Tag: "d"})
	w.HangUp(dialogAB)
	w.settle()
	c := w.store.up[r.ID]
	if c.Over() || len(c.Devices()) != 2 {
		t.Fatalf("after the first BYE: %+v", c)
	}
	w.HangUp(Dialog{"acme", "c", "d", "a"})
	w.settle()
	if past := w.store.past[r.ID]; past.By != ByCalled {
		t.Errorf("%+v", past)
	}
}

func TestStoreThatIsAway(t *testing.T) {
	w := newWorld(t)
	w.store.away = 2
	r := w.talk("c")
	w.settle()
	if c := w.store.up[r.ID]; c.Phase() != Confirmed || w.lost != 0 {
		t.Errorf("%+v, %d lost", c, w.lost)
	}
}

func TestAnotherNodeChangesTheSameCall(t *testing.T) {
	w := newWorld(t)
	r := w.talk("c")
	w.settle()
	c := w.store.up[r.ID]
	c.Session = 1800
	if _, err := w.store.SaveCall(t.Context(), c, w.Now()); err != nil {
		t.Fatal(err)
	}
	w.HangUp(dialogAB)
	w.settle()
	if past := w.store.past[r.ID]; past.Session != 1800 || past.By != ByCaller {
		t.Errorf("%+v", past)
	}
}

func TestLease(t *testing.T) {
	w := newWorld(t)
	r := w.talk("c")
	w.settle()
	writes := len(w.store.history)
	w.Seen(dialogAB, 0)
	w.settle()
	if len(w.store.history) != writes {
		t.Error("a sign of life at once was written")
	}
	left := func() time.Duration { return time.UnixMilli(w.store.up[r.ID].Lease).Sub(w.Now()) }
	w.pass(10 * time.Minute)
	w.Seen(dialogAB, 0)
	w.settle()
	if left() != talking {
		t.Errorf("left %v", left())
	}
	w.Seen(dialogAB, 2*time.Minute)
	w.settle()
	if left() != 2*time.Minute+timerSlop {
		t.Errorf("with a session timer %v", left())
	}
}

func TestHostileText(t *testing.T) {
	w := newWorld(t)
	s := start(strings.Repeat("c", 5000))
	s.Caller.Display = "a\r\nVia: x\x00" + strings.Repeat("é", 500)
	s.Tag = strings.Repeat("t", 5000)
	s.Called = Party{Number: "*11*1001*4321", URI: "sip:*11*1001*4321@acme.test"}
	r := w.Begin(s)
	for i := range 200 {
		w.Try(r, Branch{ID: strings.Repeat("b", i+1), Party: grace})
	}
	w.settle()
	c := w.store.up[r.ID]
	if c.CallID != "" || len(c.Legs) != maxLegs || len(c.Legs[0].Tag) > 64 || len(c.Legs[0].Party.Display) > maxName ||
		strings.ContainsAny(c.Legs[0].Party.Display, "\r\n\x00") || strings.Contains(c.Called.Number+c.Called.URI, "4321") {
		t.Errorf("%+v", c)
	}
	if p := c.Public(); p.Legs[0].Tag != "" || p.CallID != "" || c.Legs[0].Tag == "" {
		t.Errorf("public: %+v", p)
	}
}
