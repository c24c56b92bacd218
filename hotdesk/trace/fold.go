package trace

import (
	"slices"
	"strconv"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

// maxKeys bounds the sidecar targets one trace remembers.
const maxKeys = 400

// Apply folds one event into the trace and tells whether it changed. Events of
// other devices, of other sessions and from before the trace are no part of
// it. The same event twice changes nothing: jobs see events at least once.
func (t *Trace) Apply(e event.Event) bool {
	if e.MAC != t.MAC || e.At < t.Started || (e.Trace != "" && e.Trace != t.ID) {
		return false
	}
	changed := t.step(e)
	if changed {
		t.settle(e.At)
	}
	return changed
}

func (t *Trace) step(e event.Event) bool {
	switch e.Type {
	case event.NotifySent:
		return t.came(Notified, e.At, e.Detail)
	case event.NotifyAnswered:
		return t.answered(e)
	case event.ConfigFetched:
		return t.fetched(e)
	case event.ConfigPushed:
		return t.pushed(e)
	case event.ContactAdded, event.ContactRefreshed:
		return e.Session == t.Session && t.ownAccount(e) && t.came(Registered, e.At, e.Target)
	case event.SubscriptionLit:
		return e.Session == t.Session && t.lit(e.Target)
	case event.StepSkipped:
		return t.skip(StepName(e.Target), e.At, e.Reason)
	case event.StepFailed:
		return t.fail(StepName(e.Target), e.At, e.Reason)
	default:
		return false
	}
}

// ownAccount keeps a REGISTER with an extension's static password, which has
// no session either, from being taken for the device account's.
func (t *Trace) ownAccount(e event.Event) bool {
	return t.Session != "" || e.Target == t.MAC
}

func (t *Trace) answered(e event.Event) bool {
	if e.Status >= 200 && e.Status < 300 {
		return t.came(Acknowledged, e.At, strconv.Itoa(e.Status))
	}
	return false
}

func (t *Trace) fetched(e event.Event) bool {
	if e.Session != t.Session {
		return false
	}
	came := t.came(Fetched, e.At, e.Detail)
	return t.expect(e.Targets) || came
}

// pushed: the phone has its settings without a file.
func (t *Trace) pushed(e event.Event) bool {
	if e.Session != t.Session {
		return false
	}
	came := !t.Pushed
	t.Pushed = true
	t.skip(Fetched, e.At, "instant push: nothing to fetch")
	return t.expect(e.Targets) || came
}

func (t *Trace) expect(targets []string) bool {
	targets = slices.Clone(targets[:min(len(targets), maxKeys)])
	if slices.Equal(targets, t.Expect) {
		return false
	}
	t.Expect = targets
	return true
}

func (t *Trace) lit(target string) bool {
	if slices.Contains(t.LitKeys, target) || len(t.LitKeys) >= maxKeys {
		return false
	}
	t.LitKeys = append(t.LitKeys, target)
	return true
}

// came notes a step at its first coming; a skipped or failed one that comes
// after all is overwritten by the truth.
func (t *Trace) came(name StepName, at int64, detail string) bool {
	if t.Has(name) {
		return false
	}
	t.put(Step{Name: name, At: at, Detail: detail})
	return true
}

func (t *Trace) skip(name StepName, at int64, reason string) bool {
	if _, known := t.Step(name); known || !slices.Contains(Steps(), name) {
		return false
	}
	t.put(Step{Name: name, At: at, Detail: reason, Skipped: true})
	return true
}

// excuse skips a step that did not come, or failed, and turned out not to be
// needed.
func (t *Trace) excuse(name StepName, at int64, reason string) {
	if !t.done(name) {
		t.put(Step{Name: name, At: at, Detail: reason, Skipped: true})
	}
}

func (t *Trace) fail(name StepName, at int64, reason string) bool {
	if s, known := t.Step(name); (known && (s.Error != "" || t.Has(name))) || !slices.Contains(Steps(), name) {
		return false
	}
	t.put(Step{Name: name, At: at, Error: reason})
	return true
}

func (t *Trace) put(s Step) {
	s.Millis = max(s.At-t.Started, 0)
	i := slices.IndexFunc(t.Steps, func(have Step) bool { return have.Name == s.Name })
	if i >= 0 {
		t.Steps[i] = s
		return
	}
	t.Steps = append(t.Steps, s)
}

// settle draws the conclusions: which steps cannot come any more, and whether
// nothing is outstanding.
func (t *Trace) settle(at int64) {
	if t.Kind == Reload && t.Has(Fetched) {
		t.skip(Registered, at, "the identity did not change")
		t.skip(Lit, at, "the identity did not change")
	}
	t.settleLit(at)
	if t.done(Fetched) && t.done(Registered) && t.done(Lit) {
		t.excuse(Notified, at, "the phone came by itself")
		t.excuse(Acknowledged, at, "no answer was needed")
		if t.State != Ready {
			t.State, t.Ended = Ready, at
		}
		return
	}
	if slices.ContainsFunc(t.Steps, func(s Step) bool { return s.Error != "" }) && t.State == Running {
		t.State, t.Ended = Failed, at
	}
}

func (t *Trace) settleLit(at int64) {
	if !t.Has(Fetched) && !t.Pushed {
		return
	}
	if len(t.Expect) == 0 {
		t.skip(Lit, at, "no keys to light")
		return
	}
	for _, target := range t.Expect {
		if !slices.Contains(t.LitKeys, target) {
			return
		}
	}
	t.came(Lit, at, strconv.Itoa(len(t.Expect))+" keys")
}

// done tells that a step needs no more waiting: it came or was skipped.
func (t *Trace) done(name StepName) bool {
	s, ok := t.Step(name)
	return ok && s.Error == ""
}

// Missing names the first of the steps still outstanding that only the phone
// can make.
func (t *Trace) Missing() (StepName, bool) {
	for _, name := range []StepName{Notified, Acknowledged, Fetched, Registered, Lit} {
		if name == Acknowledged && t.Has(Fetched) {
			continue
		}
		if !t.done(name) {
			return name, true
		}
	}
	return "", false
}

// Device is the device the trace is about.
func (t *Trace) Device() directory.DeviceID {
	mac, _ := directory.ParseMAC(t.MAC)
	return directory.DeviceID{Tenant: t.Tenant, MAC: mac}
}
