package app

import (
	"context"
	"log/slog"
	"time"
)

// sweeper is the part of the store that removes what is over: contacts and
// subscriptions. It says when the next is due.
type sweeper interface {
	Expire(ctx context.Context, now time.Time, limit int) (done int, next time.Time, err error)
}

const (
	sweepAtMost = 500
	sweepEvery  = time.Second
)

// expire removes contacts and subscriptions when their time is over, at any
// number of nodes: removing is idempotent, and one that was refreshed
// meanwhile stays.
func expire(ctx context.Context, s sweeper, log *slog.Logger) error {
	for {
		done, next, err := s.Expire(ctx, time.Now(), sweepAtMost)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "what has expired could not be removed", "err", err)
		}
		if err == nil && done >= sweepAtMost {
			continue
		}
		wait := sweepEvery
		if until := time.Until(next); err == nil && !next.IsZero() && until > 0 && until < wait {
			wait = until
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}
