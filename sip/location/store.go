package location

import (
	"errors"
	"time"

	"perch/hotdesk/directory"
)

// ErrConflict says that the contacts changed since they were read: read and
// decide again.
var ErrConflict = errors.New("location: contacts changed meanwhile")

// ErrSessionOver says that the session which authenticated the request has
// ended since: answer 401.
var ErrSessionOver = errors.New("location: session is over")

// Commit is a decided change of one AOR's contacts, checked against what is
// stored at that instant: Set.Rev must be the stored revision, and Session,
// where set, must still be bound to Device. In the same script a REGISTER that
// adds a contact removes what the device holds under its other identities
// (Supersede).
type Commit struct {
	Tenant  directory.TenantCode
	User    string // user part of the AOR: the number, or the MAC when idle
	Set     Set    // Rev as read; Contacts as they shall be
	Now     time.Time
	Device  directory.DeviceID  // zero MAC: static password
	Session directory.SessionID // empty: device account, or static
	// Added, Removed and Refreshed are the changes, for events; a pure refresh
	// makes an event only while a reload of the device is open.
	Added, Removed, Refreshed []Contact
	// Restarted are those of Refreshed with another Call-ID than before: a phone
	// keeps it until it boots (RFC 3261 section 10.2.4).
	Restarted []Contact
	// Lost and Revived are contacts whose flow went, or came back.
	Lost, Revived []Contact
	// Gone is why Removed were; empty: unregistered.
	Gone string
	// Supersede: a contact with a credential that the device did not use
	// before was added; contacts and subscriptions that this device holds
	// under any other credential on the same line go, and ending sessions
	// with them.
	Supersede bool
}
