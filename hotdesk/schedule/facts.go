package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// facts reads what is true of a seat. The error wraps hotdesk.ErrNotFound where
// nobody sits there.
func (r *Runner) facts(ctx context.Context, seat directory.Seat, now time.Time) (hotdesk.Binding, Facts, error) {
	none := hotdesk.Binding{}
	seats, err := r.Seats.Seats(ctx, seat.Device)
	if err != nil {
		return none, Facts{}, fmt.Errorf("schedule: %w", err)
	}
	b, ok := seats.At(seat.Line)
	if !ok {
		return none, Facts{}, fmt.Errorf("schedule: nobody sits there: %w", hotdesk.ErrNotFound)
	}
	who, err := r.read(ctx, seat.Device, b.Number)
	if err != nil {
		return none, Facts{}, err
	}
	mark, err := r.Store.Mark(ctx, seat, b.Session)
	if err != nil {
		return none, Facts{}, fmt.Errorf("schedule: %w", err)
	}
	f := Facts{
		Now: now, Since: b.SinceTime(), Active: mark.Active, Warned: mark.Warned, Lead: who.lead(),
		Idle: who.idle(b),
	}
	if b.Until > 0 {
		f.Until = time.UnixMilli(b.Until)
		f.Why = reasonOf(b)
	}
	if f.Idle > 0 {
		if f.Busy, _, err = r.Seats.Busy(ctx, seat.Device, now); err != nil {
			return none, Facts{}, fmt.Errorf("schedule: %w", err)
		}
	}
	return b, f, nil
}

// known is what the directory says of a seat and who sits there.
type known struct {
	device directory.Device
	policy directory.Policy
}

func (r *Runner) read(ctx context.Context, d directory.DeviceID, number string) (known, error) {
	t, err := r.Directory.Tenant(ctx, d.Tenant)
	if err != nil {
		return known{}, fmt.Errorf("schedule: %w", err)
	}
	dev, err := r.Directory.Device(ctx, d)
	if err != nil {
		return known{}, fmt.Errorf("schedule: %w", err)
	}
	ext, err := r.Directory.Extension(ctx, directory.ExtensionID{Tenant: d.Tenant, Number: number})
	if err != nil && !errors.Is(err, hotdesk.ErrNotFound) { // removed: it is about to be unseated
		return known{}, fmt.Errorf("schedule: %w", err)
	}
	site, _ := t.Site(dev.Site)
	return known{device: dev, policy: directory.Resolve(t.Policy, site.Policy, ext.Policy, dev.Policy)}, nil
}

// idle is idle_logout as it holds for a binding: an owner at home is never idle,
// because leaving would only make the owner return.
func (k known) idle(b hotdesk.Binding) time.Duration {
	if k.policy.IdleLogout == nil || b.Number == k.device.Owner {
		return 0
	}
	return time.Duration(*k.policy.IdleLogout)
}

// lead is how long before an automatic logout the person is told, where there is
// that much time.
func (k known) lead() time.Duration {
	if k.policy.WarnBefore == nil {
		return 0
	}
	return time.Duration(*k.policy.WarnBefore)
}
