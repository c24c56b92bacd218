package api

import (
	"context"
	"io"
	"log/slog"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/apply"
	"perch/internal/event"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// away is a store that never answers, which no real one does on demand. What it
// does not define is never reached: the tenants come first.
type away struct{ Store }

func (away) TenantCodes(context.Context) ([]directory.TenantCode, error) {
	return nil, hotdesk.ErrUnavailable
}

func (away) TenantOfMAC(context.Context, directory.MAC) (directory.TenantCode, error) {
	return "", hotdesk.ErrUnavailable
}

func (away) Positions(context.Context) (map[directory.TenantCode]string, error) {
	return nil, hotdesk.ErrUnavailable
}

func (away) Follow(context.Context, map[directory.TenantCode]string, func(event.Event)) error {
	return hotdesk.ErrUnavailable
}

func (away) Apply(context.Context, apply.Request, apply.Progress) (apply.Report, error) {
	return apply.Report{}, hotdesk.ErrUnavailable
}

func (away) Enrol(context.Context, directory.DeviceID) (directory.Device, directory.Secret, error) {
	return directory.Device{}, "", hotdesk.ErrUnavailable
}

func (away) Adopt(context.Context, directory.Device) (directory.Secret, error) {
	return "", hotdesk.ErrUnavailable
}

func (away) Export(context.Context, io.Writer) error { return hotdesk.ErrUnavailable }
