package hotdesk

import (
	"slices"
	"time"

	"perch/hotdesk/directory"
)

// Door is how somebody asked for a login or logout.
type Door string

// The doors. They only say who asks; no door has rules of its own.
const (
	FeatureCode Door = "feature-code"
	PhoneApp    Door = "phone-app"
	Portal      Door = "portal"
	API         Door = "api"
	CLI         Door = "cli"
)

// Doors lists the closed set, for metrics and documentation.
func Doors() []Door { return []Door{FeatureCode, PhoneApp, Portal, API, CLI} }

// Binding is one extension at one seat. Times are Unix milliseconds, as the
// store's scripts compare them.
type Binding struct {
	Session directory.SessionID `json:"session"`
	Number  string              `json:"number"`
	Line    int                 `json:"line"`
	Door    Door                `json:"door"`
	Since   int64               `json:"since"`
	Until   int64               `json:"until,omitempty"` // 0: no end set
	Trace   string              `json:"trace"`
	By      string              `json:"by,omitempty"` // who, when not the extension itself: "admin", "supervisor:<name>", "owner"
}

// SinceTime is Since as a time.
func (b Binding) SinceTime() time.Time { return time.UnixMilli(b.Since) }

// Ending is a session that is over while its device may still hold its
// credential: it authenticates nothing new, but the NOTIFY that fetches the
// device out of it is sent to its contact and signed with its password.
type Ending struct {
	Session directory.SessionID `json:"session"`
	Number  string              `json:"number"`
	Line    int                 `json:"line"`
	Since   int64               `json:"since"` // Unix ms of the end
}

// Seats is who sits at one device: the store's record of it, one per device.
type Seats struct {
	Bindings []Binding `json:"bindings,omitempty"`
	Ending   []Ending  `json:"ending,omitempty"`
}

// At gives the binding of a line.
func (s Seats) At(line int) (Binding, bool) {
	i := slices.IndexFunc(s.Bindings, func(b Binding) bool { return b.Line == line })
	if i < 0 {
		return Binding{}, false
	}
	return s.Bindings[i], true
}

// Session finds the live binding with the session id.
func (s Seats) Session(id directory.SessionID) (Binding, bool) {
	i := slices.IndexFunc(s.Bindings, func(b Binding) bool { return b.Session == id })
	if id == "" || i < 0 {
		return Binding{}, false
	}
	return s.Bindings[i], true
}

// Of gives the binding of a number at this device.
func (s Seats) Of(number string) (Binding, bool) {
	i := slices.IndexFunc(s.Bindings, func(b Binding) bool { return b.Number == number })
	if i < 0 {
		return Binding{}, false
	}
	return s.Bindings[i], true
}
