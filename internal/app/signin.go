package app

import (
	"context"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/store"
	"perch/portal/api"
)

// signIn implements api.SignIn.
func (a *App) signIn(ctx context.Context, r hotdesk.SignInRequest) error {
	return a.desk.SignIn(ctx, a.key, r)
}

// confirming gives the codes that phones show to who confirms them.
type confirming struct{ store *store.Store }

// Take implements api.Codes.
func (c confirming) Take(ctx context.Context, t directory.TenantCode, code string) (api.QRCode, func(context.Context) error, error) {
	got, err := c.store.TakeQRCode(ctx, t, code, time.Now())
	if err != nil {
		return api.QRCode{}, nil, err
	}
	back := func(ctx context.Context) error { return c.store.BackQRCode(ctx, t, code, got, time.Now()) }
	seat := directory.Seat{Device: directory.DeviceID{Tenant: t, MAC: got.MAC}, Line: got.Line}
	return api.QRCode{Seat: seat, Trace: got.Trace}, back, nil
}
