package reload

import (
	"testing"
	"time"

	"perch/hotdesk/trace"
	"perch/provisioning/brand"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

func story(steps ...trace.StepName) trace.Trace {
	t := trace.Trace{ID: "t1", State: trace.Running}
	for _, s := range steps {
		t.Steps = append(t.Steps, trace.Step{Name: s})
	}
	return t
}

func TestNext(t *testing.T) {
	recipe := brand.CheckSync(10*time.Second, 90*time.Second)
	open := Intent{Trace: "t1", Created: start.UnixMilli()}
	cases := []struct {
		name   string
		intent func(*Intent)
		view   func(*View)
		now    time.Duration
		do     Do
		due    time.Duration // of Wait
		stage  int           // of Send
		step   trace.StepName
	}{
		{name: "first attempt", do: Send},
		{name: "second attempt", intent: func(i *Intent) { i.Stage = 1 }, do: Send, stage: 1},
		{name: "escalates to a reboot", intent: func(i *Intent) { i.Stage = 2 }, do: Send, stage: 2},
		{name: "asked to reboot: begins with it", intent: func(i *Intent) { i.Reboot = true }, do: Send, stage: 2},
		{name: "another login took over", view: func(v *View) { v.Trace.ID = "t2" }, do: Close},
		{name: "ready", view: func(v *View) { v.Trace.State = trace.Ready }, do: Close},
		{name: "a brand without templates", view: func(v *View) { v.Templates = false }, do: Skip},
		{name: "never cuts a call", view: func(v *View) { v.BusyUntil = after(time.Minute) }, do: Wait, due: time.Minute},
		{name: "unless forced", intent: func(i *Intent) { i.Force = true }, view: func(v *View) { v.BusyUntil = after(time.Minute) }, do: Send},
		{name: "or for too long", view: func(v *View) { v.BusyUntil = after(3 * time.Hour) }, now: 2*time.Hour + time.Second, do: Send},
		{name: "not registered: waits", view: func(v *View) { v.Reachable = false }, do: Wait, due: offlinePoll},
		{name: "not registered for long", view: func(v *View) { v.Reachable = false }, now: offlineWait, do: Fail, step: trace.Notified},
		{
			name: "registered: waits for the keys", view: func(v *View) { v.Trace = story(trace.Fetched, trace.Registered) },
			do: Wait, due: lightWait,
		},
		{
			name: "keys stay dark", intent: func(i *Intent) { i.Deadline = after(lightWait).UnixMilli() },
			view: func(v *View) { v.Trace = story(trace.Fetched, trace.Registered) }, now: lightWait, do: Fail, step: trace.Lit,
		},
		{
			name: "all attempts made, nothing fetched", intent: func(i *Intent) { i.Stage = 3 },
			view: func(v *View) { v.Trace = story(trace.Notified, trace.Acknowledged) }, do: Fail, step: trace.Fetched,
		},
		{
			name: "all attempts refused", intent: func(i *Intent) { i.Stage = 3 },
			view: func(v *View) { v.Trace = story(trace.Notified) }, do: Fail, step: trace.Acknowledged,
		},
		{
			name: "fetched but never registered", intent: func(i *Intent) { i.Stage = 3 },
			view: func(v *View) { v.Trace = story(trace.Notified, trace.Acknowledged, trace.Fetched) }, do: Fail, step: trace.Registered,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i := open
			v := View{Trace: story(), Recipe: recipe, Templates: true, MaxDefer: 2 * time.Hour, Reachable: true}
			if c.intent != nil {
				c.intent(&i)
			}
			if c.view != nil {
				c.view(&v)
			}
			got := i.Next(v, after(c.now))
			if got.Do != c.do {
				t.Fatalf("does %d, want %d: %+v", got.Do, c.do, got)
			}
			if c.do == Wait && !got.Due.Equal(after(c.now+c.due)) {
				t.Errorf("due %s, want %s", got.Due.Sub(start), c.now+c.due)
			}
			if c.do == Send && got.Attempt.Event != recipe.Attempts[c.stage].Event {
				t.Errorf("sends %q, want attempt %d", got.Attempt.Event, c.stage)
			}
			if c.do == Fail && (got.Step != c.step || got.Why == "") {
				t.Errorf("fails at %q (%q), want %q with a reason", got.Step, got.Why, c.step)
			}
		})
	}
}
