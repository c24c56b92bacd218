package hotdesk

import (
	"context"
	"errors"
	"time"

	"perch/hotdesk/directory"
)

// ErrUnavailable is wrapped by every store error that means "the store cannot
// be reached or did not answer in time": a 503 with Retry-After at every edge.
var ErrUnavailable = errors.New("store unavailable")

// ErrNotFound is wrapped by store reads of a thing that does not exist.
var ErrNotFound = errors.New("not found")

// Rules are the policy resolved to plain values for one login.
type Rules struct {
	MaxLogins  int    // at least 1
	OnConflict string // directory.Move or directory.Deny
	OnOccupied string // directory.Replace, Deny or Ask
}

// BindRequest is one login, ready to commit.
type BindRequest struct {
	ID      string // request id: the same id again returns the first answer
	Now     time.Time
	Device  directory.DeviceID
	Binding Binding // Line, Number, Session, Door, Since, Until, Trace, By
	Rules   Rules
	Force   bool // the reload does not wait for calls
}

// UnbindRequest is one logout. Number and Session, when set, must be who sits
// there. All seats that were taken together with this one are left together.
type UnbindRequest struct {
	ID      string
	Now     time.Time
	Device  directory.DeviceID
	Line    int
	Number  string
	Session directory.SessionID
	Reason  End // why a timer ends it; empty: somebody asked
	Trace   string
	Door    Door
	By      string
	Force   bool
	// OwnerSession is the session id for the device's owner, should it return.
	OwnerSession directory.SessionID
}

// Ended tells of one binding that a change ended.
type Ended struct {
	Seat    directory.Seat `json:"seat"`
	Binding Binding        `json:"binding"`
}

// Outcome is what a committed change did.
type Outcome struct {
	Binding *Binding `json:"binding,omitempty"` // who sits there now; nil: nobody
	Trace   string   `json:"trace"`             // trace of this device's reload
	Already bool     `json:"already,omitempty"` // nothing changed: it was so before
	Ended   []Ended  `json:"ended,omitempty"`
	With    []Ended  `json:"with,omitempty"` // the desk's other seats, taken together with this one
}

// Seating commits logins and logouts. Each call is one atomic script; a
// refusal by the rules is a *Refused.
type Seating interface {
	Bind(ctx context.Context, r BindRequest) (Outcome, error)
	Unbind(ctx context.Context, r UnbindRequest) (Outcome, error)
	Seats(ctx context.Context, d directory.DeviceID) (Seats, error)
}

// Directory reads who and what exists. Reads of what does not exist wrap
// ErrNotFound.
type Directory interface {
	Tenant(ctx context.Context, code directory.TenantCode) (directory.Tenant, error)
	Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error)
	Device(ctx context.Context, id directory.DeviceID) (directory.Device, error)
	// DeskOf gives the desk that lists a seat.
	DeskOf(ctx context.Context, seat directory.Seat) (directory.Desk, error)
}

// Attempts counts PIN failures for every door. Begin counts an attempt as
// failed before the PIN is looked at, so that parallel guesses cannot outrun
// the count; Succeeded takes it back.
type Attempts interface {
	Begin(ctx context.Context, ext directory.ExtensionID, source string, now time.Time) (Attempt, error)
	Succeeded(ctx context.Context, ext directory.ExtensionID, source string, now time.Time) error
}

// Attempt is the state of the two counts after Begin.
type Attempt struct {
	Failures   int           // of this extension from this source, this attempt included
	LockedFor  time.Duration // over 0: refuse without looking at the PIN
	AllSources int           // failures of this extension from everywhere, within the hour
	KnownGood  bool          // this source has logged this extension in before
}
