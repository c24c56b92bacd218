package app

import (
	"context"
	"net/netip"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/portal/api"
)

// lockouts are what is counted against extensions, and the banned addresses, as
// the API shows and lifts them.
type lockouts struct{ app *App }

var _ api.Lockouts = lockouts{}

// Lockouts implements api.Lockouts.
func (l lockouts) Lockouts(ctx context.Context, t directory.TenantCode) ([]hotdesk.Lockout, error) {
	return l.app.store.Lockouts(ctx, t, time.Now())
}

// Lift implements api.Lockouts.
func (l lockouts) Lift(ctx context.Context, what hotdesk.Lift) (int, error) {
	return l.app.store.LiftLockouts(ctx, what, time.Now())
}

// Bans implements api.Lockouts.
func (l lockouts) Bans(ctx context.Context) ([]api.Banned, error) {
	all, err := l.app.store.Bans(ctx, time.Now())
	out := make([]api.Banned, len(all))
	for i, b := range all {
		out[i] = api.Banned{Address: b.Addr, Until: b.Until}
	}
	return out, err
}

// LiftBan implements api.Lockouts.
func (l lockouts) LiftBan(ctx context.Context, a netip.Addr) (bool, error) {
	return l.app.store.LiftBan(ctx, a, time.Now())
}
