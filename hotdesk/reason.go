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
	NobodyHere     Reason = "nobody_here"    // logout at an idle seat
	EmergencyOnly  Reason = "emergency_only" // the desk's class: nobody logs in there
	NotOwner       Reason = "not_owner"      // the desk's class is owned, by somebody else
	Reserved       Reason = "reserved"       // the desk is reserved for others at this time
	NotValid       Reason = "not_valid"      // a guest before valid_from or after valid_until
	WeakPIN        Reason = "weak_pin"       // a new PIN against the rules; Rule says which
	PINFixed       Reason = "pin_fixed"      // people may not change this PIN
	NotUnderstood  Reason = "not_understood" // a setting is not understood, and never allows
)

// Reasons lists the closed set.
func Reasons() []Reason {
	return []Reason{BadCredentials, Locked, Elsewhere, DeskTaken, AskFirst, SiteForbidden, UnknownDevice, NobodyHere, EmergencyOnly, NotOwner, Reserved, NotValid, WeakPIN, PINFixed, NotUnderstood}
}

// Refused is the error of a refusal. Occupant and Since are set for DeskTaken
// and AskFirst only: who sits there, and since when. Rule is the setting that
// decided, with its value and level ("on_conflict: deny (site)"), or the PIN rule
// that a new PIN is against; empty where no setting did.
type Refused struct {
	Why        Reason
	RetryAfter time.Duration // for Locked
	Occupant   string
	Since      time.Time
	Rule       string
}

// Error says the reason.
func (r *Refused) Error() string { return fmt.Sprintf("hotdesk: refused: %s", r.Why) }
