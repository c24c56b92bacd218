package reload

import (
	"time"

	"perch/hotdesk/trace"
	"perch/provisioning/brand"
)

// Times of a reload that are not the brand's.
const (
	// lightWait is how long a registered phone may take to subscribe its keys.
	lightWait = 60 * time.Second
	// offlineWait is how long a reload waits for a phone that is not
	// registered. It takes its configuration at its next boot anyway.
	offlineWait = 2 * time.Minute
	// offlinePoll is how often such a phone is looked for.
	offlinePoll = time.Second
	// settle is how long after the last answer of a failed attempt the next
	// one goes out.
	settle = 500 * time.Millisecond
)

// Do is what a reload does next.
type Do int

// The things to do.
const (
	Close Do = iota // nothing is outstanding, or another reload took over
	Skip            // this brand cannot be reloaded: Why
	Wait            // look again at Due
	Send            // the attempt
	Fail            // Step never came: Why
)

// Action is the next thing to do.
type Action struct {
	Do      Do
	Due     time.Time
	Attempt brand.Attempt
	Push    bool // of Send: the settings themselves, if that can be; else look again
	Step    trace.StepName
	Why     string
}

// View is what the decision looks at, besides the intent.
type View struct {
	Trace     trace.Trace
	Recipe    brand.Recipe
	Templates bool      // Perch can write this brand's configuration
	BusyUntil time.Time // the device is in a call; zero: it is not
	MaxDefer  time.Duration
	Reachable bool // it has a contact
	Push      bool // the phone may be sent settings
}

// Next decides. It is pure: the same intent and view at the same time give the
// same action.
func (i Intent) Next(v View, now time.Time) Action {
	switch {
	case v.Trace.ID != i.Trace, v.Trace.State == trace.Ready:
		return Action{Do: Close}
	case !v.Templates:
		return Action{Do: Skip, Why: "Perch has no templates for this brand yet"}
	case i.waitsForCall(v, now):
		return Action{Do: Wait, Due: v.BusyUntil}
	case (v.Trace.Has(trace.Fetched) || v.Trace.Pushed) && v.Trace.Has(trace.Registered):
		return i.awaitLight(now)
	}
	stage := i.stage(v.Recipe)
	if stage >= len(v.Recipe.Attempts) {
		return i.giveUp(v, now)
	}
	if !v.Reachable {
		return i.awaitPhone(now)
	}
	return Action{Do: Send, Attempt: v.Recipe.Attempts[stage], Push: i.mayPush(v)}
}

// mayPush: settings are pushed before anything else is tried, and once.
func (i Intent) mayPush(v View) bool {
	return v.Push && v.Recipe.Push != nil && !i.Pushed && !i.Reboot && i.Stage == 0 && v.Trace.Kind != trace.Reload
}

// waitsForCall: a reload never cuts a call, up to max_defer.
func (i Intent) waitsForCall(v View, now time.Time) bool {
	return !i.Force && v.BusyUntil.After(now) && now.Sub(time.UnixMilli(i.Created)) < v.MaxDefer
}

// stage is the next attempt; an intent that shall reboot begins with the first
// that does.
func (i Intent) stage(r brand.Recipe) int {
	if !i.Reboot {
		return i.Stage
	}
	for n := i.Stage; n < len(r.Attempts); n++ {
		if r.Attempts[n].Reboot {
			return n
		}
	}
	return len(r.Attempts)
}

func (i Intent) awaitLight(now time.Time) Action {
	if i.Deadline == 0 {
		return Action{Do: Wait, Due: now.Add(lightWait)}
	}
	if deadline := time.UnixMilli(i.Deadline); now.Before(deadline) {
		return Action{Do: Wait, Due: deadline}
	}
	return Action{Do: Fail, Step: trace.Lit, Why: "the phone registered but has not subscribed all its keys"}
}

func (i Intent) awaitPhone(now time.Time) Action {
	if now.Sub(time.UnixMilli(i.Created)) < offlineWait {
		return Action{Do: Wait, Due: now.Add(offlinePoll)}
	}
	return Action{Do: Fail, Step: trace.Notified, Why: "the phone is not registered: it takes its configuration at its next boot"}
}

// whys are the reasons of a reload that was sent and did not end.
var whys = map[trace.StepName]string{
	trace.Notified:     "no NOTIFY could be sent",
	trace.Acknowledged: "the phone did not accept the NOTIFY",
	trace.Fetched:      "the phone did not fetch its configuration",
	trace.Registered:   "the phone fetched its configuration but did not register with it",
	trace.Lit:          "the phone registered but has not subscribed all its keys",
}

func (i Intent) giveUp(v View, _ time.Time) Action {
	step, missing := v.Trace.Missing()
	if !missing {
		return Action{Do: Close}
	}
	return Action{Do: Fail, Step: step, Why: whys[step]}
}
