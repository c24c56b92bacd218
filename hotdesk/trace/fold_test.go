package trace

import (
	"slices"
	"testing"

	"perch/internal/event"
)

const (
	mac     = "001565aabb01"
	session = "5e55"
)

func login() Trace {
	return Trace{
		ID: "t1", Kind: Login, Tenant: "acme", MAC: mac, Number: "1001", Session: session, State: Running, Started: 1000,
		Steps: []Step{{Name: Accepted, At: 1000}, {Name: Bound, At: 1005, Millis: 5}},
	}
}

func ev(at int64, t event.Type, edit func(*event.Event)) event.Event {
	e := event.Event{Type: t, At: at, Tenant: "acme", MAC: mac, Session: session}
	if edit != nil {
		edit(&e)
	}
	return e
}

func fetched(at int64, targets ...string) event.Event {
	return ev(at, event.ConfigFetched, func(e *event.Event) { e.Targets = targets })
}

func lit(at int64, target string) event.Event {
	return ev(at, event.SubscriptionLit, func(e *event.Event) { e.Target = target })
}

func status(at int64, code int) event.Event {
	return ev(at, event.NotifyAnswered, func(e *event.Event) { e.Status = code })
}

func failed(at int64, step StepName) event.Event {
	return ev(at, event.StepFailed, func(e *event.Event) { e.Target, e.Reason = string(step), "never came" })
}

func TestFold(t *testing.T) {
	other := func(e *event.Event) { e.Session = "other" }
	registered := ev(1300, event.ContactAdded, nil)
	pushed := ev(1200, event.ConfigPushed, func(e *event.Event) { e.Targets = []string{"1002"} })
	cases := []struct {
		name   string
		start  func() Trace
		events []event.Event
		state  State
		came   []StepName
		skip   []StepName
		fail   []StepName
	}{
		{
			name: "settings by NOTIFY: nothing to fetch", state: Ready, events: []event.Event{registered, pushed, lit(1400, "1002")},
			came: []StepName{Accepted, Bound, Registered, Lit}, skip: []StepName{Fetched, Notified, Acknowledged},
		},
		{
			name: "settings by NOTIFY: its keys are waited for", state: Running, events: []event.Event{pushed, pushed, registered},
			came: []StepName{Accepted, Bound, Registered}, skip: []StepName{Fetched},
		},
		{
			name: "settings by NOTIFY did not help: the file is fetched", state: Ready,
			events: []event.Event{pushed, fetched(1250, "1003"), registered, lit(1400, "1003")}, came: []StepName{Accepted, Bound, Fetched, Registered, Lit}, skip: []StepName{Notified, Acknowledged},
		},
		{
			name: "settings of another session", state: Running, events: []event.Event{ev(1200, event.ConfigPushed, other), registered},
			came: []StepName{Accepted, Bound, Registered},
		},
		{
			name: "a whole login in order", state: Ready,
			events: []event.Event{
				ev(1010, event.NotifySent, nil), status(1020, 200), fetched(1200, "1002", "1003"), registered,
				lit(1350, "1002"), lit(1360, "1003"),
			},
			came: Steps(),
		},
		{
			name: "steps in any order", state: Ready,
			events: []event.Event{lit(1350, "1002"), registered, fetched(1200, "1002"), status(1400, 202), ev(1010, event.NotifySent, nil)},
			came:   Steps(),
		},
		{
			name: "no keys: nothing to light", state: Ready,
			events: []event.Event{ev(1010, event.NotifySent, nil), status(1020, 200), fetched(1200), registered},
			came:   []StepName{Accepted, Bound, Notified, Acknowledged, Fetched, Registered}, skip: []StepName{Lit},
		},
		{
			name: "the phone came by itself", state: Ready,
			events: []event.Event{fetched(1200), registered},
			came:   []StepName{Accepted, Bound, Fetched, Registered}, skip: []StepName{Notified, Acknowledged, Lit},
		},
		{
			name: "one key stays dark", state: Running,
			events: []event.Event{fetched(1200, "1002", "1003"), registered, lit(1350, "1002"), lit(1351, "1002")},
			came:   []StepName{Accepted, Bound, Fetched, Registered},
		},
		{
			name: "another session's steps are none of ours", state: Running,
			events: []event.Event{ev(1200, event.ConfigFetched, other), ev(1300, event.ContactAdded, other), ev(1300, event.SubscriptionLit, other)},
			came:   []StepName{Accepted, Bound},
		},
		{
			name: "what came before the key press does not count", state: Running,
			events: []event.Event{fetched(999), ev(999, event.ContactAdded, nil)},
			came:   []StepName{Accepted, Bound},
		},
		{
			name: "a refused NOTIFY is not acknowledged", state: Running,
			events: []event.Event{ev(1010, event.NotifySent, nil), status(1020, 404), status(1020, 0)},
			came:   []StepName{Accepted, Bound, Notified},
		},
		{
			name: "a step that never came", state: Failed,
			events: []event.Event{ev(1010, event.NotifySent, nil), status(1020, 200), failed(9000, Fetched)},
			came:   []StepName{Accepted, Bound, Notified, Acknowledged}, fail: []StepName{Fetched},
		},
		{
			name: "a failed step that comes after all", state: Ready,
			events: []event.Event{ev(1010, event.NotifySent, nil), failed(9000, Fetched), fetched(9500), ev(9600, event.ContactAdded, nil)},
			came:   []StepName{Accepted, Bound, Notified, Fetched, Registered}, skip: []StepName{Acknowledged, Lit},
		},
		{
			name: "an offline phone that boots later", state: Ready,
			events: []event.Event{failed(9000, Notified), fetched(9500), ev(9600, event.ContactAdded, nil)},
			came:   []StepName{Accepted, Bound, Fetched, Registered}, skip: []StepName{Notified, Acknowledged, Lit},
		},
		{
			name: "a reload without a new identity ends with the file", state: Ready,
			start:  func() Trace { t := login(); t.Kind = Reload; return t },
			events: []event.Event{ev(1010, event.NotifySent, nil), status(1020, 200), fetched(1200, "1002")},
			came:   []StepName{Accepted, Bound, Notified, Acknowledged, Fetched}, skip: []StepName{Registered, Lit},
		},
		{
			name: "logout: the device account registers, a static password does not count", state: Running,
			start: func() Trace { t := login(); t.Kind, t.Session, t.Number = Logout, "", ""; return t },
			events: []event.Event{
				ev(1200, event.ConfigFetched, func(e *event.Event) { e.Session = "" }),
				ev(1300, event.ContactAdded, func(e *event.Event) { e.Session, e.Target = "", "1001" }),
			},
			came: []StepName{Accepted, Bound, Fetched}, skip: []StepName{Lit},
		},
		{
			name: "an unknown step is no step", state: Running,
			events: []event.Event{failed(1100, "dreamt"), ev(1100, event.StepSkipped, func(e *event.Event) { e.Target = "slept" })},
			came:   []StepName{Accepted, Bound},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tr := login()
			if c.start != nil {
				tr = c.start()
			}
			for _, e := range c.events {
				tr.Apply(e)
				if again := tr.Apply(e); again {
					t.Errorf("the same %s changed the trace twice", e.Type)
				}
			}
			if tr.State != c.state {
				t.Errorf("state %s, want %s: %+v", tr.State, c.state, tr.Steps)
			}
			check(t, &tr, c.came, c.skip, c.fail)
		})
	}
}

func check(t *testing.T, tr *Trace, came, skipped, failed []StepName) {
	t.Helper()
	for _, name := range Steps() {
		s, known := tr.Step(name)
		got := [3]bool{tr.Has(name), known && s.Skipped, known && s.Error != ""}
		want := [3]bool{slices.Contains(came, name), slices.Contains(skipped, name), slices.Contains(failed, name)}
		if got != want {
			t.Errorf("%s: came, skipped, failed = %v, want %v", name, got, want)
		}
	}
}

func TestMissingNamesTheFirst(t *testing.T) {
	tr := login()
	tr.Apply(ev(1010, event.NotifySent, nil))
	if step, ok := tr.Missing(); !ok || step != Acknowledged {
		t.Errorf("missing %q %v, want acknowledged", step, ok)
	}
	tr.Apply(fetched(1200, "1002"))
	if step, ok := tr.Missing(); !ok || step != Registered {
		t.Errorf("missing %q %v, want registered: a fetched file needs no answer", step, ok)
	}
}
