package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/hotdesk/schedule"
	"perch/internal/event"
)

// warner shows a text on a phone's screen, where the brand and the policy let it.
type warner interface {
	Show(ctx context.Context, d directory.DeviceID, text string) error
}

// startWarnings shows on the phone that a session is about to end by itself.
func (a *App) startWarnings(context.Context) error {
	w := warnings{show: a.worker, dir: a.store, log: a.log}
	a.life.task("warnings", func(ctx context.Context) error {
		return notCancelled(a.store.Consume(ctx, "warnings", w.handle))
	})
	return nil
}

// warnings is the job behind the event session.warning. It tries once: the event
// is there for whoever wants to tell in another way.
type warnings struct {
	show warner
	dir  hotdesk.Directory
	log  *slog.Logger
}

const (
	warnWithin = 10 * time.Second // a phone has to take the text within that time
	warnAtOnce = 32
)

func (w warnings) handle(ctx context.Context, batch []event.Event) error {
	var group errgroup.Group
	group.SetLimit(warnAtOnce)
	for _, e := range batch {
		if e.Type != event.SessionWarning {
			continue
		}
		group.Go(func() error {
			w.warn(ctx, e)
			return nil
		})
	}
	return group.Wait()
}

func (w warnings) warn(ctx context.Context, e event.Event) {
	ctx, cancel := context.WithTimeout(ctx, warnWithin)
	defer cancel()
	text, ok := schedule.WarningText(e, w.language(ctx, e), time.Now())
	if !ok {
		return
	}
	err := w.show.Show(ctx, e.Device(), text)
	if err != nil && !errors.Is(err, reload.ErrNoScreen) && !errors.Is(err, hotdesk.ErrNotFound) {
		w.log.WarnContext(ctx, "a warning was not shown", "tenant", e.Tenant, "device", e.MAC, "trace", e.Trace, "err", err)
	}
}

// language is that of the person, as far as it can be read now.
func (w warnings) language(ctx context.Context, e event.Event) string {
	t, err := w.dir.Tenant(ctx, e.Tenant)
	if err != nil {
		return ""
	}
	ext, _ := w.dir.Extension(ctx, directory.ExtensionID{Tenant: e.Tenant, Number: e.Number}) // zero: the tenant's
	return t.Spoken(ext.Language)
}
