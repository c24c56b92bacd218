package presence

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"perch/hotdesk/directory"
	"perch/sip/calls"
)

func ext(number string) directory.ExtensionID {
	return directory.ExtensionID{Tenant: "acme", Number: number}
}

func leg(number, branch string, d calls.Direction, p calls.Phase) calls.Leg {
	return calls.Leg{Branch: branch, Direction: d, Phase: p, Party: calls.Party{
		Number: number, URI: "sip:" + number + "@acme.test", Display: "n" + number,
	}}
}

// call is 1001 calling 1002, in a phase.
func call(rev uint64, p calls.Phase, more ...calls.Leg) calls.Call {
	c := calls.Call{
		ID: "c", Rev: rev, Tenant: "acme", Began: 1, Called: calls.Party{URI: "sip:1002@acme.test"},
		Legs: append([]calls.Leg{leg("1001", "", calls.Initiator, p), leg("1002", "1", calls.Recipient, p)}, more...),
	}
	switch p {
	case calls.Confirmed:
		c.Answered, c.Legs[1].Answered = 2, 2
	case calls.Terminated:
		c.Ended = 3
	}
	return c
}

func TestStateFollowsTheCall(t *testing.T) {
	now := time.UnixMilli(0)
	l := &Lamps{Now: func() time.Time { return now }}
	for i, p := range []calls.Phase{calls.Trying, calls.Early, calls.Confirmed, calls.Terminated} {
		changed := l.Take(call(uint64(i+1), p))
		if diff := cmp.Diff([]directory.ExtensionID{ext("1001"), ext("1002")}, changed); diff != "" {
			t.Fatal(diff)
		}
		for number, d := range map[string]Dialog{
			"1001": {ID: "c", Direction: Initiator, Local: Party{URI: "sip:1001@acme.test", Display: "n1001"}, Remote: Party{URI: "sip:1002@acme.test"}},
			"1002": {ID: "c", Direction: Recipient, Local: Party{URI: "sip:1002@acme.test", Display: "n1002"}, Remote: Party{URI: "sip:1001@acme.test", Display: "n1001"}},
		} {
			d.Phase = p
			if number == "1001" && (p == calls.Confirmed || p == calls.Terminated) {
				d.Remote.Display = "n1002"
			}
			if diff := cmp.Diff(State{Version: uint64(i + 1), Dialogs: []Dialog{d}}, l.Watch(ext(number))); diff != "" {
				t.Errorf("%s %s: %s", number, p, diff)
			}
		}
	}
	if up, dialogs := l.Count(); up != 0 || dialogs != 0 {
		t.Errorf("%d calls, %d dialogs left", up, dialogs)
	}
	now = now.Add(showEnded + time.Second)
	if s := l.Watch(ext("1001")); len(s.Dialogs) != 0 || s.Version != 4 || s.Phase() != Terminated {
		t.Errorf("%+v", s)
	}
}

func TestWhatChangesNothing(t *testing.T) {
	l := &Lamps{}
	l.Take(call(5, calls.Confirmed))
	for name, c := range map[string]calls.Call{
		"older":             call(4, calls.Early),
		"the same":          call(5, calls.Confirmed),
		"newer, same state": call(6, calls.Confirmed),
	} {
		if changed := l.Take(c); len(changed) != 0 {
			t.Errorf("%s: %v", name, changed)
		}
	}
	feature := calls.Call{ID: "f", Rev: 7, Tenant: "acme", Kind: calls.Feature, Legs: []calls.Leg{leg("1001", "", calls.Initiator, calls.Confirmed)}}
	if changed := l.Take(feature); len(changed) != 0 || len(l.Watch(ext("1001")).Dialogs) != 1 {
		t.Errorf("a feature code lights a lamp: %v", changed)
	}
	if up, dialogs := l.Count(); up != 1 || dialogs != 3 {
		t.Errorf("%d calls, %d dialogs", up, dialogs)
	}
}

func TestPhonesOfOneExtensionAreOneDialog(t *testing.T) {
	for name, tc := range map[string]struct {
		c         calls.Call
		phase     calls.Phase
		direction calls.Direction
	}{
		"two ring":           {call(1, calls.Early, leg("1002", "2", calls.Recipient, calls.Trying)), calls.Early, calls.Recipient},
		"one answered":       {call(1, calls.Confirmed, leg("1002", "2", calls.Recipient, calls.Early)), calls.Confirmed, calls.Recipient},
		"calls its own desk": {call(1, calls.Early, leg("1001", "2", calls.Recipient, calls.Early)), calls.Early, calls.Recipient},
	} {
		t.Run(name, func(t *testing.T) {
			l := &Lamps{}
			l.Take(tc.c)
			number := tc.c.Legs[2].Party.Number
			s := l.Watch(ext(number))
			if len(s.Dialogs) != 1 || s.Dialogs[0].Phase != tc.phase || s.Dialogs[0].Direction != tc.direction {
				t.Errorf("%+v", s)
			}
		})
	}
	l := &Lamps{}
	l.Take(call(1, calls.Confirmed, leg("1003", "2", calls.Recipient, calls.Early)))
	if s := l.Watch(ext("1003")); len(s.Dialogs) != 0 {
		t.Errorf("it rings still where somebody else has answered: %+v", s)
	}
}

func TestCallsAt(t *testing.T) {
	l := &Lamps{}
	c := call(1, calls.Confirmed)
	c.Legs[0].Party.MAC = "001565aabb01"
	l.Take(c)
	for name, tc := range map[string]struct {
		mac, number string
		want        int
	}{
		"a device":                      {"001565aabb01", "1001", 1},
		"no device of ours":             {"", "1002", 1},
		"a device's number, not its":    {"", "1001", 0},
		"another device of that number": {"001565aabb09", "1001", 0},
	} {
		if got := l.CallsAt("acme", tc.mac, tc.number); len(got) != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPrivacy(t *testing.T) {
	l := &Lamps{}
	c := call(1, calls.Early)
	c.Legs[0].Party.Private = true
	l.Take(c)
	if s := l.Watch(ext("1002")); s.Dialogs[0].Remote != hidden {
		t.Errorf("%+v", s)
	}
}

func TestSnapshot(t *testing.T) {
	l := &Lamps{}
	l.Take(call(3, calls.Early))
	gone := calls.Call{ID: "x", Rev: 4, Tenant: "acme", Legs: []calls.Leg{leg("1003", "", calls.Initiator, calls.Trying)}}
	l.Take(gone)
	changed := l.Reset("acme", Snapshot{Rev: 8, Calls: []calls.Call{call(7, calls.Confirmed)}, Versions: map[string]uint64{"1003": 8, "1009": 2}})
	if diff := cmp.Diff([]directory.ExtensionID{ext("1001"), ext("1002"), ext("1003")}, changed); diff != "" {
		t.Error(diff)
	}
	if s := l.Watch(ext("1003")); s.Version != 8 || s.Phase() != Terminated || len(s.Dialogs) != 1 {
		t.Errorf("%+v", s)
	}
	if changed := l.Take(gone); len(changed) != 0 {
		t.Error("what was before the snapshot came again", changed)
	}
	if changed := l.Reset("acme", Snapshot{Rev: 8, Calls: []calls.Call{call(7, calls.Confirmed)}}); len(changed) != 0 {
		t.Errorf("the same again: %v", changed)
	}
}

func TestWatchTellsNothingOfUnknownTargets(t *testing.T) {
	l := &Lamps{}
	l.Take(call(1, calls.Confirmed))
	if diff := cmp.Diff(State{}, l.Watch(ext("no such"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(State{}, l.Watch(directory.ExtensionID{Tenant: "umbrella", Number: "1001"})); diff != "" {
		t.Error(diff)
	}
}

// TestAllNodesShowTheSame: in whatever order a view hears of changes, and
// whenever it starts from a snapshot, it ends where the others end.
func TestAllNodesShowTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := []calls.Phase{calls.Trying, calls.Early, calls.Confirmed, calls.Terminated}
		var history []calls.Call
		state := map[calls.ID]int{}
		stored := map[calls.ID]calls.Call{}
		for rev := range uint64(rapid.IntRange(1, 30).Draw(t, "changes")) {
			id := calls.ID(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id"))
			if state[id] == len(all) {
				continue
			}
			c := call(rev+1, all[state[id]])
			c.ID = id
			state[id]++
			history = append(history, c)
		}
		one, two := &Lamps{}, &Lamps{}
		at := rapid.IntRange(0, len(history)).Draw(t, "snapshot")
		from := rapid.IntRange(0, at).Draw(t, "first event")
		for i, c := range history {
			one.Take(c)
			if i < at {
				stored[c.ID] = c
				if c.Over() {
					delete(stored, c.ID)
				}
			}
		}
		snap := Snapshot{}
		if at > 0 {
			snap.Rev = history[at-1].Rev
		}
		for _, c := range stored {
			snap.Calls = append(snap.Calls, c)
		}
		two.Reset("acme", snap)
		for _, c := range history[from:] {
			two.Take(c)
		}
		a, b := one.Running("acme"), two.Running("acme")
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkTake(b *testing.B) {
	l := &Lamps{}
	b.ReportAllocs()
	rev := uint64(0)
	for b.Loop() {
		for _, p := range []calls.Phase{calls.Trying, calls.Early, calls.Confirmed, calls.Terminated} {
			rev++
			l.Take(call(rev, p))
		}
	}
}
