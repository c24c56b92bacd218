package schedule

import (
	"context"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// Mark is what the store remembers of one seat for its timers.
type Mark struct {
	Active time.Time // last call or touch of the device
	Warned time.Time // the end of which this session was warned
}

// Change is one step of a seat's timer: it is done only while the seat still
// has that session.
type Change struct {
	Seat    directory.Seat
	Session directory.SessionID
	Now     time.Time
	Why     Reason
	Trace   string
	End     time.Time // of Warn: the end that is told
	Next    time.Time // when to look again; zero: never
	// IdleSince, of an Idle end, is the last activity it was decided on: a newer
	// one, or a call, keeps the seat.
	IdleSince time.Time
	// OwnerSession is the session id for the device's owner, should it return.
	OwnerSession directory.SessionID
}

// Store keeps the timers: one per seat, which says when it is to be looked at.
type Store interface {
	// ClaimTimers hands out up to most seats that are due, each to one claimant
	// until its lease is over, and says when the next one is (zero: none).
	ClaimTimers(ctx context.Context, now time.Time, lease time.Duration, most int) ([]directory.Seat, time.Time, error)
	// Mark reads what is remembered of a seat and session.
	Mark(ctx context.Context, seat directory.Seat, s directory.SessionID) (Mark, error)
	// SetTimer sets when the seat is looked at again.
	SetTimer(ctx context.Context, c Change) error
	// WarnSession writes session.warning, once for each End, and sets the timer.
	WarnSession(ctx context.Context, c Change) error
	// EndSession leaves the seat with binding.ended of the reason. false: the
	// session was over already, or is no longer idle.
	EndSession(ctx context.Context, c Change) (bool, error)
}

// Seats tells who sits at a device and whether it is in a call.
type Seats interface {
	Seats(ctx context.Context, d directory.DeviceID) (hotdesk.Seats, error)
	Busy(ctx context.Context, d directory.DeviceID, now time.Time) (until time.Time, busy bool, err error)
}
