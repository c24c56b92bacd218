package store

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/internal/event"
)

var (
	//go:embed lua/trace_save.lua
	luaTraceSave string

	traceSaveScript = newScript("trace_save", luaTraceSave, []string{kEvents, kTraces, kReloads, kReloadDue})
)

// Trace reads the newest trace of a device. The error wraps hotdesk.ErrNotFound
// where there is none.
func (s *Store) Trace(ctx context.Context, d directory.DeviceID) (trace.Trace, error) {
	var t trace.Trace
	found, err := s.field(ctx, "trace", key(d.Tenant, kTraces), d.MAC.String(), &t)
	if err == nil && !found {
		err = fmt.Errorf("store: trace: %w", hotdesk.ErrNotFound)
	}
	return t, err
}

// AllTraces reads the newest trace of every device of a tenant, by device.
func (s *Store) AllTraces(ctx context.Context, t directory.TenantCode) (map[directory.MAC]trace.Trace, error) {
	all := map[directory.MAC]trace.Trace{}
	err := s.fields(ctx, "all_traces", key(t, kTraces), func(field, text string) error {
		mac, err := directory.ParseMAC(field)
		if err != nil {
			return err
		}
		var v trace.Trace
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		all[mac] = v
		return nil
	})
	return all, err
}

// SaveTrace writes a trace over the one it was folded from, with the events it
// makes; one that is ready closes its reload. Errors are trace.ErrConflict, or
// wrap hotdesk.ErrUnavailable.
func (s *Store) SaveTrace(ctx context.Context, t trace.Trace, events ...event.Event) error {
	read := t.Rev
	t.Rev++
	ready := 0
	if t.State == trace.Ready {
		ready = 1
	}
	v, err := s.change(ctx, traceSaveScript, t.Tenant, time.Now(), nil,
		t.MAC, t.ID, read, asJSON{t}, ready, eventList(events))
	if err == nil && v == "conflict" {
		return trace.ErrConflict
	}
	return err
}

// eventList is how events travel to a script: ” for none.
func eventList(events []event.Event) any {
	if len(events) == 0 {
		return ""
	}
	return asJSON{events}
}
