package hotdesk

import (
	"context"
	"fmt"
	"time"

	"perch/hotdesk/directory"
)

// LogoutRequest is one wish to leave a seat.
type LogoutRequest struct {
	ID     string    // the door's trace id; the same id again gets the first answer
	At     time.Time // the key press
	Door   Door
	Device directory.DeviceID
	Line   int    // 0 is line 1
	Number string // when set: only if this extension sits there
	// Session, when set: only if this session still is there. Timers set it.
	Session directory.SessionID
	Reason  End // why a timer ends it; empty: somebody asked
	By      string
	Force   bool
}

// Logout empties a seat; a device with an owner returns to it. An idle seat is
// a *Refused with NobodyHere.
func (e *Engine) Logout(ctx context.Context, r LogoutRequest) (Outcome, error) {
	out, err := e.seating.Unbind(ctx, UnbindRequest{
		ID: r.ID, Now: e.now(), Device: r.Device, Line: max(r.Line, 1), Number: r.Number, Session: r.Session, Reason: r.Reason,
		Trace: r.ID, Door: r.Door, By: r.By, Force: r.Force, OwnerSession: e.session(),
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("hotdesk: logout: %w", err)
	}
	return out, nil
}
