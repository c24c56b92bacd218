package hotdesk

import (
	"fmt"
	"time"
)

// Reason is why a login or logout was refused: the whole vocabulary of "no",
// also the metric's label.
type Reason string

// The reasons.
const (
	BadCredentials Reason = "bad_credentials" // unknown extension or wrong PIN: alike on purpose
	Locked         Reason = "locked"          // too many failures from this source
	Elsewhere      Reason = "elsewhere"       // max_logins reached, on_conflict: deny
	DeskTaken      Reason = "desk_taken"      // on_occupied: deny, or ask at a door that cannot
	AskFirst       Reason = "ask"             // on_occupied: ask; the door may confirm with the person
	SiteForbidden  Reason = "site_forbidden"  // the extension may not use this site
	UnknownDevice  Reason = "unknown_device"
	NobodyHere     Reason = "nobody_here" // logout at an idle seat
)

// Reasons lists the closed set.
func Reasons() []Reason {
	return []Reason{BadCredentials, Locked, Elsewhere, DeskTaken, AskFirst, SiteForbidden, UnknownDevice, NobodyHere}
}

// Refused is the error of a refusal. Occupant and Since are set for DeskTaken
// and AskFirst only: who sits there, and since when.
type Refused struct {
	Why        Reason
	RetryAfter time.Duration // for Locked
	Occupant   string
	Since      time.Time
}

// Error says the reason.
func (r *Refused) Error() string { return fmt.Sprintf("hotdesk: refused: %s", r.Why) }
