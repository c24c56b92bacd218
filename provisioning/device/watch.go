package device

import (
	"time"

	"perch/hotdesk/directory"
)

// AlarmKind is a reason to look up; the set is closed, and a metric's label.
type AlarmKind string

// The kinds.
const (
	AlarmDecoy         AlarmKind = "decoy"         // somebody asked for a MAC that no phone has
	AlarmEnumeration   AlarmKind = "enumeration"   // an address asked for one MAC after the other
	AlarmGuessing      AlarmKind = "guessing"      // an address tried credentials on one MAC after the other
	AlarmContradiction AlarmKind = "contradiction" // a phone's certificate asked for another phone's file
	AlarmNetwork       AlarmKind = "network"       // right credentials, from outside the tenant's networks
)

// AlarmKinds lists them.
func AlarmKinds() []AlarmKind {
	return []AlarmKind{AlarmDecoy, AlarmEnumeration, AlarmGuessing, AlarmContradiction, AlarmNetwork}
}

// Alarm is one of them as it happened.
type Alarm struct {
	Kind   AlarmKind
	Device directory.DeviceID // asked for; the tenant may be empty
	Other  directory.MAC      // of a contradiction: the certificate's
	Source string
	At     time.Time
}

// Watch looks over the shoulder of the Door. Its methods must not block. Asked
// comes first and tells whether the address is barred: passwords that people
// chose open nothing from there for a while, but for phones that proved
// themselves from there before.
type Watch interface {
	Asked(source string, mac directory.MAC, credentials bool) (barred bool)
	Refused(source string, mac directory.MAC)
	Admitted(source string, mac directory.MAC)
	Alarm(a Alarm)
}

type noWatch struct{}

func (noWatch) Asked(string, directory.MAC, bool) bool { return false }
func (noWatch) Refused(string, directory.MAC)          {}
func (noWatch) Admitted(string, directory.MAC)         {}
func (noWatch) Alarm(Alarm)                            {}
