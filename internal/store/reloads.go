package store

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts
	"encoding/json"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/hotdesk/trace"
	"perch/internal/event"
)

var (
	//go:embed lua/reload_open.lua
	luaReloadOpen string
	//go:embed lua/reload_claim.lua
	luaReloadClaim string
	//go:embed lua/reload_save.lua
	luaReloadSave string
	//go:embed lua/reload_close.lua
	luaReloadClose string
	//go:embed lua/reload_arm.lua
	luaReloadArm string

	reloadOpenScript  = newScript("reload_open", luaReloadOpen, []string{kEvents, kSeats, kTraces, kReloads, kReloadDue, kDialogs})
	reloadClaimScript = newScript("reload_claim", luaReloadClaim, []string{kReloads, kReloadDue})
	reloadSaveScript  = newScript("reload_save", luaReloadSave, []string{kEvents, kReloads, kReloadDue, kDialogs}, "request")
	reloadCloseScript = newScript("reload_close", luaReloadClose, []string{kEvents, kReloads, kReloadDue}, "request")
	reloadArmScript   = newScript("reload_arm", luaReloadArm, []string{kEvents, kSeats, kTraces, kReloads, kReloadDue, kDialogs}, "request")
)

// Reload reads the open reload of a device. The error wraps hotdesk.ErrNotFound
// where there is none.
func (s *Store) Reload(ctx context.Context, d directory.DeviceID) (reload.Intent, error) {
	var i reload.Intent
	found, err := s.field(ctx, "reload", key(d.Tenant, kReloads), d.MAC.String(), &i)
	if err == nil && !found {
		err = fmt.Errorf("store: reload: %w", hotdesk.ErrNotFound)
	}
	return i, err
}

// OpenReload opens a reload that somebody asked for, in place of one that is
// open. Who sits there is taken from the seat, not from t and i; a device in a
// call waits, unless i says Force.
func (s *Store) OpenReload(ctx context.Context, t trace.Trace, i reload.Intent, due time.Time) error {
	i.MAC = t.MAC
	_, err := s.change(ctx, reloadOpenScript, t.Tenant, time.Now(), nil, asJSON{t}, asJSON{i}, ms(due))
	return err
}

// ClaimReloads hands out up to most reloads of all tenants that are due, each
// to one claimant until its lease is over, and says when the next one is due
// (zero: none is open).
func (s *Store) ClaimReloads(ctx context.Context, now time.Time, lease time.Duration, most int) ([]reload.Intent, time.Time, error) {
	tenants, err := s.TenantCodes(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	var out []reload.Intent
	var next time.Time
	for _, t := range tenants {
		if len(out) >= most {
			return out, now, nil
		}
		claimed, at, err := s.claimReloads(ctx, t, now, lease, most-len(out))
		if err != nil {
			return out, next, err
		}
		out, next = append(out, claimed...), earlier(next, at)
	}
	return out, next, nil
}

func (s *Store) claimReloads(ctx context.Context, t directory.TenantCode, now time.Time, lease time.Duration, most int) ([]reload.Intent, time.Time, error) {
	v, err := s.change(ctx, reloadClaimScript, t, now, nil, lease.Milliseconds(), most)
	if err != nil {
		return nil, time.Time{}, err
	}
	a, ok := v.([]any)
	if !ok || len(a) == 0 {
		return nil, time.Time{}, fmt.Errorf("store: reload_claim: answer %v", v)
	}
	out := make([]reload.Intent, len(a)-1)
	for n := range out {
		text, _ := a[n+1].(string)
		if err := json.Unmarshal([]byte(text), &out[n]); err != nil {
			return nil, time.Time{}, fmt.Errorf("store: reload_claim: %w", err)
		}
	}
	score, _ := a[0].(string)
	return out, scoreTime(score), nil
}

// SaveReload writes how far a reload has come, with the events of that, and
// gives up the claim. Errors are reload.ErrSuperseded, or wrap
// hotdesk.ErrUnavailable.
func (s *Store) SaveReload(ctx context.Context, i reload.Intent, due time.Time, events ...event.Event) error {
	i.Claimed = 0
	v, err := s.change(ctx, reloadSaveScript, i.Tenant, time.Now(), []string{keyRequest(i.Tenant, rand.Text())},
		i.MAC, asJSON{i}, ms(due), eventList(events))
	return unlessSuperseded(v, err)
}

// CloseReload ends a reload, with the events of that. Errors are as for
// SaveReload.
func (s *Store) CloseReload(ctx context.Context, i reload.Intent, events ...event.Event) error {
	v, err := s.change(ctx, reloadCloseScript, i.Tenant, time.Now(), []string{keyRequest(i.Tenant, rand.Text())},
		i.MAC, i.Trace, eventList(events))
	return unlessSuperseded(v, err)
}

func unlessSuperseded(v any, err error) error {
	if err == nil && v == "superseded" {
		return reload.ErrSuperseded
	}
	return err
}

// ArmReload notes that a session which has ended still speaks from the device:
// its open reload is due at once, or a closed one is opened again, at most once
// in 5 s and not within 5 s of a NOTIFY.
func (s *Store) ArmReload(ctx context.Context, d directory.DeviceID, now time.Time) error {
	_, err := s.change(ctx, reloadArmScript, d.Tenant, now,
		[]string{keyRequest(d.Tenant, "arm-"+d.MAC.String())}, d.MAC.String(), rand.Text())
	return err
}
