// Package trace keeps the timed steps of a login, logout or reload, from the
// key press to the lit sidecar. A trace is folded from events by a pure
// function; it knows no store, and promises to name the step that never came.
package trace

import (
	"slices"

	"perch/hotdesk/directory"
)

// StepName is a step of a trace; the set is closed.
type StepName string

// The steps. They may arrive in any order.
const (
	Accepted     StepName = "accepted"
	Bound        StepName = "bound"
	Notified     StepName = "notified"
	Acknowledged StepName = "acknowledged"
	Fetched      StepName = "fetched"
	Registered   StepName = "registered"
	Lit          StepName = "lit"
)

// Steps lists them in the order in which they are expected.
func Steps() []StepName {
	return []StepName{Accepted, Bound, Notified, Acknowledged, Fetched, Registered, Lit}
}

// State is how a trace stands.
type State string

// The states. A failed trace becomes ready when its missing steps come after
// all.
const (
	Running State = "running"
	Ready   State = "ready"
	Failed  State = "failed"
)

// Kind is what started the trace.
type Kind string

// The kinds.
const (
	Login  Kind = "login"
	Logout Kind = "logout"
	Reload Kind = "reload" // the identity does not change
)

// Step is one step that came, was skipped, or failed.
type Step struct {
	Name    StepName `json:"step"`
	At      int64    `json:"at"` // Unix ms
	Millis  int64    `json:"ms"` // since the trace began
	Detail  string   `json:"detail,omitempty"`
	Skipped bool     `json:"skipped,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// Trace is the newest story of one device.
type Trace struct {
	Rev     int64                `json:"rev"`
	ID      string               `json:"id"`
	Kind    Kind                 `json:"kind"`
	Tenant  directory.TenantCode `json:"tenant"`
	MAC     string               `json:"mac"`
	Line    int                  `json:"line,omitempty"`
	Number  string               `json:"number,omitempty"`  // who sits there after it; empty: nobody
	Session directory.SessionID  `json:"session,omitempty"` // empty: the device account
	Door    string               `json:"door,omitempty"`
	Brand   string               `json:"brand,omitempty"`
	State   State                `json:"state"`
	Started int64                `json:"started"` // Unix ms of the key press
	Ended   int64                `json:"ended,omitempty"`
	Steps   []Step               `json:"steps,omitempty"`
	Expect  []string             `json:"expect,omitempty"` // BLF targets of the configuration that was fetched
	LitKeys []string             `json:"lit_keys,omitempty"`
	Pushed  bool                 `json:"pushed,omitempty"` // the phone took its settings by NOTIFY: Expect is known though nothing was fetched
}

// Step gives the step of that name, if it came, was skipped or failed.
func (t *Trace) Step(name StepName) (Step, bool) {
	i := slices.IndexFunc(t.Steps, func(s Step) bool { return s.Name == name })
	if i < 0 {
		return Step{}, false
	}
	return t.Steps[i], true
}

// Has tells whether a step really came: not skipped and not failed.
func (t *Trace) Has(name StepName) bool {
	s, ok := t.Step(name)
	return ok && !s.Skipped && s.Error == ""
}
