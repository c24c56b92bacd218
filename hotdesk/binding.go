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
	// What policy made of it at login; settings that change later do not change it.
	// idle_logout and warn_before are looked up when their time comes.
	Ends End    `json:"ends,omitempty"` // what sets Until
	Rule string `json:"rule,omitempty"` // the setting behind Ends, with value and level: "logout_at: 18:30 (site)"
	Desk string `json:"desk,omitempty"` // code of the desk whose seats were taken together; they end together
	// Companion is set at every seat but the one that the login named: one login,
	// several seats.
	Companion bool `json:"companion,omitempty"`
}

// End is why a session ends by itself; also the reason of its binding.ended
// event. The set is closed.
type End string

// The ends.
const (
	EndMaxSession End = "max_session" // the policy's longest session
	EndLogoutAt   End = "logout_at"   // the policy's time of day
	EndShift      End = "shift"       // the shift in the policy's calendar
	EndGuest      End = "guest"       // the extension's valid_until
	EndReserved   End = "reserved"    // the desk is reserved for others from then on
	EndIdle       End = "idle"        // idle_logout: never in Until, only as the reason of an end
)

// Ends lists the closed set.
func Ends() []End {
	return []End{EndMaxSession, EndLogoutAt, EndShift, EndGuest, EndReserved, EndIdle}
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
