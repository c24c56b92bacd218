package reload

import (
	"context"
	"fmt"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// Pushed is what a phone runs once it has taken a push: as if it had fetched
// that file.
type Pushed struct {
	Session directory.SessionID
	Number  string // whose account it is; empty: the device's own
	Digest  string
	Targets []string // BLF keys to be subscribed
}

// Pusher knows what a phone has, and what it shall have.
type Pusher interface {
	// Change writes the difference as one NOTIFY. False: what the phone has is not
	// known for certain, or this change cannot be pushed.
	Change(ctx context.Context, d directory.Device) (brand.Attempt, Pushed, bool, error)
	// Took notes that the phone accepted it.
	Took(ctx context.Context, d directory.Device, p Pushed) error
}

// maxDatagram bounds the body of a NOTIFY over UDP: with its headers a request
// has to stay under 1300 bytes (RFC 3261 section 18.1.1). Over a connection
// maxPush does, in bytes.
const (
	maxDatagram = 800
	maxPush     = 16 << 10
)

// push sends the settings themselves. Where that cannot be, instead is sent.
func (w *Worker) push(ctx context.Context, d found, i Intent, instead brand.Attempt) error {
	a, p, ok, err := w.pusher.Change(ctx, d.device)
	if err != nil {
		return fmt.Errorf("reload: push: %w", err)
	}
	limit := maxPush
	if d.contact.Flow.Transport == "udp" {
		limit = maxDatagram
	}
	after := i
	after.Pushed = true
	if !ok || len(a.Body) > limit || p.Session != i.Session {
		return w.send(ctx, d, after, instead)
	}
	status, err := w.attempt(ctx, d, i, after, a)
	if err != nil || status < 200 || status >= 300 {
		return err
	}
	return w.pusher.Took(ctx, d.device, p)
}
