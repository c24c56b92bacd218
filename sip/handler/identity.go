package handler

import (
	"log/slog"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// Kind is what a request was authenticated as.
type Kind string

// The kinds; the empty Kind is "not authenticated".
const (
	Device  Kind = "device"  // a device account; the seat may be taken all the same
	Session Kind = "session" // a live binding's own credential
	Static  Kind = "static"  // an extension's static SIP password: no device
	Ending  Kind = "ending"  // an ended session: good for an emergency INVITE, nothing else
)

// Identity is who sent a request.
type Identity struct {
	Kind    Kind
	Tenant  directory.Tenant
	Device  directory.Device    // zero for Static
	Number  string              // Session, Ending, Static: the extension; Device: empty
	Line    int                 // Session, Ending: the binding's; Device: 1
	Session directory.SessionID // Session, Ending
	Seats   hotdesk.Seats       // who sits at the device
	AOR     directory.AOR       // the address of record that this credential is for
}

// HasDevice tells whether a device stands behind the identity.
func (i Identity) HasDevice() bool { return !i.Device.ID.MAC.IsZero() }

// MAC is the device's address as text, empty when there is none.
func (i Identity) MAC() string {
	if !i.HasDevice() {
		return ""
	}
	return i.Device.ID.MAC.String()
}

// Caller is the number on whose behalf the request is made: that of the
// credential, or of who sits at line 1 when the device still uses its own
// account; empty at an idle desk.
func (i Identity) Caller() string {
	if i.Kind != Device {
		return i.Number
	}
	b, _ := i.Seats.At(i.Line)
	return b.Number
}

// LogValue gives the fields of the transaction's log line.
func (i Identity) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("kind", string(i.Kind)), slog.String("tenant", string(i.Tenant.Code)),
		slog.String("device", i.MAC()), slog.String("extension", i.Number),
	)
}
