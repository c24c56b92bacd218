package app

import (
	"context"
	"crypto/rand"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/internal/ratelimit"
	"perch/internal/store"
	"perch/portal/api"
	"perch/provisioning/device"
)

// pending remembers unknown phones for an admin.
type pending struct{ *store.Store }

// Saw implements device.Pending.
func (p pending) Saw(ctx context.Context, s device.Sighting) error {
	return p.AddPending(ctx, s.MAC, s.Source, directory.Phone{
		Brand: string(s.Phone.Brand), Model: s.Phone.Model, Firmware: s.Phone.Firmware, UserAgent: s.UserAgent,
	}, s.At)
}

// boot names this start of the process, so that nonces of an earlier one are
// stale and not unknown.
func (a *App) boot() string {
	if a.bootID == "" {
		a.bootID = rand.Text()
	}
	return a.bootID
}

func listeners(all []config.Listener) []string {
	out := make([]string, len(all))
	for i, l := range all {
		out[i] = l.String()
	}
	return out
}

// guesses slows down who guesses a device's secret over HTTP.
type guesses struct{ *ratelimit.Failures }

var _ device.Limiter = guesses{}

// Allowed implements device.Limiter.
func (g guesses) Allowed(source string, mac directory.MAC) bool {
	return !g.Locked(source, mac.String(), time.Now())
}

// Failed implements device.Limiter.
func (g guesses) Failed(source string, mac directory.MAC) { g.Fail(source, mac.String(), time.Now()) }

// strangers are the unknown phones as the API lists them.
type strangers struct{ app *App }

// Strangers implements api.Strangers.
func (s strangers) Strangers(ctx context.Context) ([]api.Stranger, error) {
	waiting, err := s.app.store.AllPending(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	all := make([]api.Stranger, len(waiting))
	for i, p := range waiting {
		all[i] = api.Stranger{
			MAC: p.MAC, Brand: p.Brand, Model: p.Model, Firmware: p.Firmware, UserAgent: p.UserAgent, Source: p.Source,
			First: time.UnixMilli(p.First), Last: time.UnixMilli(p.Last),
		}
	}
	return all, nil
}

// Address implements api.Strangers: under base_url, or where it is not set
// under a host that the admin has to fill in.
func (s strangers) Address(d directory.DeviceID, gen int) string {
	return s.app.enrolBase() + "/t/" + s.app.key.DeviceToken(d.Tenant, d.MAC, gen) + "/"
}
