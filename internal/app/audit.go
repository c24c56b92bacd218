package app

import (
	"context"
	"time"

	"perch/hotdesk/audit"
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
	if a.cfg.Audit.Days > 0 {
		a.life.task("audit trim", a.trimAudit)
	}
	return nil
}

// trimAudit forgets old records, once an hour. Every node may: what one has
// forgotten is nothing to the next.
func (a *App) trimAudit(ctx context.Context) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		codes, err := a.store.TenantCodes(ctx)
		before := time.Now().Add(-time.Duration(a.cfg.Audit.Days) * hoursPerDay * time.Hour)
		for _, t := range codes {
			n, e := a.store.TrimAudit(ctx, t, before)
			if e != nil {
				err = e
				break
			}
			if n > 0 {
				a.log.InfoContext(ctx, "old records of the audit are forgotten", "tenant", t, "records", n, "days", a.cfg.Audit.Days)
			}
		}
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "the audit could not be trimmed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
