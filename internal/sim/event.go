package sim

import (
	"time"

	"perch/hotdesk/directory"
)

// EventKind is the closed set of things a phone reports.
type EventKind string

// What a phone reports, and what Detail and Status hold then.
const (
	PoweredOn    EventKind = "powered_on"   // a boot begins
	Fetched      EventKind = "fetched"      // Detail: file name; Status: HTTP status, 0 when no answer came
	Booted       EventKind = "booted"       // the first configuration after power-on is in effect
	Applied      EventKind = "applied"      // a configuration took effect; Detail: its digest
	Unchanged    EventKind = "unchanged"    // a reload brought nothing new; Detail: the digest
	Registered   EventKind = "registered"   // Detail: AOR
	Refused      EventKind = "refused"      // REGISTER failed; Detail: AOR; Status: SIP status, 0 when no answer came
	Unregistered EventKind = "unregistered" // Detail: AOR
	Subscribed   EventKind = "subscribed"   // Detail: watched number
	Dark         EventKind = "dark"         // SUBSCRIBE failed or was ended; Detail: watched number; Status
	Lit          EventKind = "lit"          // first NOTIFY of a key; Detail: watched number
	LampChanged  EventKind = "lamp_changed" // Detail: watched number
	Notified     EventKind = "notified"     // out-of-dialog NOTIFY answered; Detail: event; Status: the answer
	Challenged   EventKind = "challenged"   // out-of-dialog NOTIFY answered 401; Detail: event
	Rebooting    EventKind = "rebooting"    // power is about to go
	Reloading    EventKind = "reloading"    // a fetch without reboot is about to begin
	Shown        EventKind = "shown"        // a text came by NOTIFY; Detail: the text
	CallEnded    EventKind = "call_ended"   // Status: final SIP status
	Misbehaved   EventKind = "misbehaved"   // the server broke a rule; Detail says which
	PoweredOff   EventKind = "powered_off"  // Run is over
)

// Event is one thing a phone did or saw. It never holds a password, a token or
// dialled digits.
type Event struct {
	At     time.Time
	MAC    directory.MAC
	Kind   EventKind
	Detail string
	Status int
}

// emit reports to the listener and the log. The phone's lock must not be held.
func (p *Phone) emit(kind EventKind, detail string, status int) {
	p.opt.Log.Debug("virtual phone", "mac", p.opt.MAC.String(), "event", string(kind), "detail", detail, "status", status)
	if p.opt.OnEvent != nil {
		p.opt.OnEvent(Event{At: time.Now(), MAC: p.opt.MAC, Kind: kind, Detail: detail, Status: status})
	}
}
