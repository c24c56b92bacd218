package hotdesk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk/directory"
)

// Question asks what policy makes of a login. Number, Device or both are set.
type Question struct {
	Tenant directory.TenantCode
	Number string             // empty: whoever sits at the device
	Device directory.DeviceID // zero MAC: at no desk in particular
	Line   int                // 0 is line 1
}

// Answer says of every setting which level decided it, and what that makes of a
// login now.
type Answer struct {
	Number   string // empty: nobody sits there
	Site     string
	Desk     directory.Desk // zero: no desk lists the seat
	Zone     *time.Location
	Settings []directory.Setting
	Binding  *Binding // who sits at the device now, where one was named
	// What a login of Number at the device would get now with the right PIN; only
	// where both are known.
	Would *Would
}

// Would is what a login would get.
type Would struct {
	Refused Reason // empty: none by policy; the desk may be taken, and by whom is in Binding
	Rule    string // behind Refused
	Until   time.Time
	Ends    End
	EndRule string
	Warn    time.Duration
	Idle    time.Duration
}

// Why answers a question. What does not exist wraps ErrNotFound.
func (e *Engine) Why(ctx context.Context, q Question) (Answer, error) {
	k := known{zone: time.UTC}
	var a Answer
	var err error
	if q.Device.MAC.IsZero() {
		if k.tenant, err = e.dir.Tenant(ctx, q.Tenant); err != nil {
			return a, fmt.Errorf("hotdesk: why: %w", err)
		}
	} else {
		seat := directory.Seat{Device: q.Device, Line: max(q.Line, 1)}
		if k, err = e.place(ctx, seat); err != nil {
			return a, fmt.Errorf("hotdesk: why: %w", asNotFound(err))
		}
		seats, err := e.seating.Seats(ctx, q.Device)
		if err != nil {
			return a, fmt.Errorf("hotdesk: why: %w", err)
		}
		if b, ok := seats.At(seat.Line); ok {
			if a.Binding = &b; q.Number == "" {
				q.Number = b.Number
			}
		}
	}
	if q.Number != "" {
		if k.extension, err = e.dir.Extension(ctx, directory.ExtensionID{Tenant: q.Tenant, Number: q.Number}); err != nil {
			return a, fmt.Errorf("hotdesk: why: %w", err)
		}
	}
	a.Number, a.Site, a.Desk, a.Zone, a.Settings = q.Number, k.device.Site, k.desk, k.zone, k.settings()
	if q.Number != "" && !q.Device.MAC.IsZero() {
		a.Would = k.would(e.now())
	}
	return a, nil
}

// would decides as Login does, for a person at a door that cannot ask.
func (k known) would(now time.Time) *Would {
	w := &Would{}
	if _, err := k.rules(LoginRequest{}, now); err != nil {
		if no, ok := errors.AsType[*Refused](err); ok {
			w.Refused, w.Rule = no.Why, no.Rule
		}
		return w
	}
	l, err := k.limits(now)
	if err != nil {
		w.Refused, w.Rule = NotUnderstood, err.Error()
		return w
	}
	w.Until, w.Ends, w.EndRule, w.Warn, w.Idle = l.until, l.ends, l.rule, l.warn, l.idle
	return w
}

// asNotFound makes of the refusal that a login would get an error of a read.
func asNotFound(err error) error {
	if no, ok := errors.AsType[*Refused](err); ok && no.Why == UnknownDevice {
		return ErrNotFound
	}
	return err
}
