package app

import (
	"context"
	"log/slog"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/schedule"
	"perch/internal/credential"
	"perch/internal/event"
	"perch/internal/store"
)

// startTimers ends sessions whose time has come. Every node looks; the store
// hands each seat to one of them.
func (a *App) startTimers(context.Context) error {
	runner := schedule.NewRunner(schedule.Parts{
		Store: a.store, Seats: a.store, Directory: a.store, Log: a.log,
		TraceID: newTraceID, Session: credential.NewSessionID,
	})
	a.life.task("timers", runner.Run)
	a.life.task("wake timers", func(ctx context.Context) error {
		return a.follow(ctx, "timers", func(e event.Event) {
			if e.Type == event.BindingCreated || e.Type == event.DirectoryChanged {
				runner.Wake()
			}
		})
	})
	a.life.task("changed timers", func(ctx context.Context) error {
		return notCancelled(a.store.Consume(ctx, "timers", changedTimers{a.store}.handle))
	})
	return nil
}

// changedTimers has the seats of a tenant looked at again when its directory has
// changed: a time may be sooner now.
type changedTimers struct{ store *store.Store }

func (c changedTimers) handle(ctx context.Context, batch []event.Event) error {
	for _, e := range batch {
		if e.Type == event.DirectoryChanged {
			return c.store.LookAgain(ctx, e.Tenant, time.Now()) // a batch is of one tenant
		}
	}
	return nil
}

// ends are the reasons for the end of a binding.
func ends() []string {
	all := []string{"logout", "move", "replaced", "removed"}
	for _, r := range schedule.Reasons() {
		all = append(all, string(r))
	}
	return all
}

// touched is the desk as the phone's own screen reaches it: who presses keys
// there is not idle. Pages that only follow a reload do not come this way.
type touched struct {
	*hotdesk.Engine
	store interface {
		Touch(ctx context.Context, d directory.DeviceID, now time.Time) error
	}
	log *slog.Logger
}

// WhoSits implements phoneapp.Desk: every page that a person opens asks it.
func (t touched) WhoSits(ctx context.Context, seat directory.Seat) (hotdesk.Who, bool, error) {
	if err := t.store.Touch(ctx, seat.Device, time.Now()); err != nil {
		t.log.DebugContext(ctx, "a touch was not noted", "device", seat.Device.MAC.String(), "err", err)
	}
	return t.Engine.WhoSits(ctx, seat)
}
