package hotdesk

import (
	"time"

	"perch/hotdesk/directory"
)

// Lockout is what is counted against one extension: the failures from one
// source, or, with an empty source, those from everywhere within the hour.
type Lockout struct {
	Tenant   directory.TenantCode
	Number   string // as it was typed: an extension's only where Known
	Known    bool
	Source   string // "device:<mac>" or an address
	Failures int
	Last     time.Time // zero for the count over all sources
	Until    time.Time // end of the lock; zero: not locked
	Forgets  time.Time // when the failures are forgotten
}

// Locked tells whether attempts from the source are refused.
func (l Lockout) Locked(now time.Time) bool { return l.Until.After(now) }

// Lift says which failures are forgotten: of a number, from a source, or all of
// a tenant's.
type Lift struct {
	Tenant directory.TenantCode
	Number string // empty: of every number
	Source string // empty: from every source, and the count over all of them
	By     string
	Door   Door
	Quiet  bool // writes no events
}
