package reload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/sip/location"
)

// Order is somebody's wish that a device takes its configuration again.
type Order struct {
	ID     string // becomes the trace id
	Device directory.DeviceID
	Line   int // 0 is line 1
	Door   hotdesk.Door
	Reboot bool      // begin with the recipe's reboot
	Force  bool      // do not wait for calls
	Due    time.Time // zero: now
}

// Opener writes an open reload with its trace; it replaces the device's older
// one.
type Opener interface {
	OpenReload(ctx context.Context, t trace.Trace, i Intent, due time.Time) error
}

// Desk begins reloads that no login or logout made.
type Desk struct {
	open   Opener
	phones Phones
	dir    Directory
	now    func() time.Time
}

// NewDesk builds a Desk. Now may be nil: the real clock.
func NewDesk(open Opener, phones Phones, dir Directory, now func() time.Time) *Desk {
	if now == nil {
		now = time.Now
	}
	return &Desk{open: open, phones: phones, dir: dir, now: now}
}

// Request opens a reload. An unknown device wraps hotdesk.ErrNotFound.
func (d *Desk) Request(ctx context.Context, o Order) error {
	device, err := d.dir.Device(ctx, o.Device)
	if err != nil {
		return fmt.Errorf("reload: request: %w", err)
	}
	seats, err := d.phones.Seats(ctx, o.Device)
	if err != nil {
		return fmt.Errorf("reload: request: %w", err)
	}
	contacts, err := d.phones.DeviceContacts(ctx, o.Device, seats)
	if err != nil {
		return fmt.Errorf("reload: request: %w", err)
	}
	now := d.now()
	if o.Due.IsZero() {
		o.Due = now
	}
	t := d.story(o, device, seats, contacts, now)
	i := Intent{
		Trace: t.ID, Tenant: t.Tenant, MAC: t.MAC, Session: t.Session, Reason: "operator",
		Created: o.Due.UnixMilli(), Force: o.Force, Reboot: o.Reboot,
	}
	if err := d.open.OpenReload(ctx, t, i, o.Due); err != nil && !errors.Is(err, ErrSuperseded) {
		return fmt.Errorf("reload: request: %w", err)
	}
	return nil
}

// story begins the trace. A device that has registered as who it shall be only
// has to fetch its file; any other has to register too.
func (d *Desk) story(o Order, device directory.Device, seats hotdesk.Seats, contacts []location.Contact, now time.Time) trace.Trace {
	line := max(o.Line, 1)
	b, bound := seats.At(line)
	t := trace.Trace{
		Rev: 1, ID: o.ID, Kind: trace.Logout, Tenant: o.Device.Tenant, MAC: o.Device.MAC.String(), Line: line,
		Door: string(o.Door), Brand: device.Brand, State: trace.Running, Started: now.UnixMilli(),
		Steps: []trace.Step{
			{Name: trace.Accepted, At: now.UnixMilli()},
			{Name: trace.Bound, At: now.UnixMilli(), Skipped: true, Detail: "nobody moves"},
		},
	}
	if bound {
		t.Kind, t.Number, t.Session = trace.Login, b.Number, b.Session
	}
	if slices.ContainsFunc(contacts, func(c location.Contact) bool {
		return c.Session == t.Session && max(c.Line, 1) == line && !c.Expired(now)
	}) {
		t.Kind = trace.Reload
	}
	return t
}
