package app

import (
	"context"
	"log/slog"
	"time"

	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
)

const (
	trimEvery   = time.Hour
	hoursPerDay = 24
)

// startAudit records what happens, and forgets what is older than audit.days.
func (a *App) startAudit(context.Context) error {
	job := audit.NewJob(a.store, a.store, func(act audit.Act) { a.metrics.Audit.Recorded(string(act)) })
	a.life.task("audit", func(ctx context.Context) error {
		return notCancelled(a.store.Consume(ctx, "audit", job.Handle))
	})
	if days := a.cfg.Audit.Days; days > 0 {
		a.life.task("audit trim", func(ctx context.Context) error { return trimAudit(ctx, a.store, days, a.log) })
	}
	return nil
}

// trimmer is the part of the store that forgets old records.
type trimmer interface {
	TenantCodes(ctx context.Context) ([]directory.TenantCode, error)
	TrimAudit(ctx context.Context, t directory.TenantCode, before time.Time) (int, error)
}

// trimAudit forgets the records that are older than so many days, at the start
// and once an hour. Every node may: what one has forgotten is nothing to the next.
func trimAudit(ctx context.Context, s trimmer, days int, log *slog.Logger) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		codes, err := s.TenantCodes(ctx)
		before := time.Now().Add(-time.Duration(days) * hoursPerDay * time.Hour)
		for _, t := range codes {
			n, e := s.TrimAudit(ctx, t, before)
			if e != nil {
				err = e
				break
			}
			if n > 0 {
				log.InfoContext(ctx, "old records of the audit are forgotten", "tenant", t, "records", n, "days", days)
			}
		}
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "the audit could not be trimmed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
