package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// Parts are what a Runner is built from. Now may be nil: the real clock.
type Parts struct {
	Store     Store
	Seats     Seats
	Directory hotdesk.Directory
	Log       *slog.Logger
	Now       func() time.Time
	TraceID   func() string
	Session   func() directory.SessionID
}

// Runner looks at the seats whose timers are due. Any number of them share one
// store.
type Runner struct {
	Parts
	wake chan struct{}
}

// NewRunner builds a Runner.
func NewRunner(p Parts) *Runner {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Runner{Parts: p, wake: make(chan struct{}, 1)}
}

const (
	// lease is how long after the death of its process a seat becomes another's
	// business.
	lease = 20 * time.Second
	// most bounds the seats claimed at once, atOnce those looked at side by side.
	most, atOnce = 256, 16
	// every is how often the store is asked when nothing is due and nothing woke
	// the runner; with it, how late a clock that jumped is noticed.
	every = time.Second
)

// Wake makes Run look at once: a timer has been set.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		n, next, err := r.Round(ctx)
		if err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "timers of seats cannot be claimed", "err", err)
		}
		if err == nil && n == most {
			continue
		}
		wait := every
		if err == nil && !next.IsZero() {
			wait = max(time.Millisecond, min(wait, next.Sub(r.Now())))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// Round looks at what is due now: it says how many seats that were and when the
// next is due (zero: none). A seat that could not be looked at comes again when
// its lease is over.
func (r *Runner) Round(ctx context.Context) (int, time.Time, error) {
	seats, next, err := r.Store.ClaimTimers(ctx, r.Now(), lease, most)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("schedule: %w", err)
	}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, seat := range seats {
		group.Go(func() error {
			if err := r.look(ctx, seat); err != nil && ctx.Err() == nil {
				r.Log.WarnContext(ctx, "the timer of a seat is put off",
					"tenant", seat.Device.Tenant, "device", seat.Device.MAC.String(), "line", seat.Line, "err", err)
			}
			return nil
		})
	}
	_ = group.Wait() // errors are told above
	return len(seats), next, nil
}

// look decides about one seat and does it.
func (r *Runner) look(ctx context.Context, seat directory.Seat) error {
	now := r.Now()
	c := Change{Seat: seat, Now: now}
	b, f, err := r.facts(ctx, seat, now)
	if errors.Is(err, hotdesk.ErrNotFound) { // nobody sits there, or the desk is gone
		return r.Store.SetTimer(ctx, c)
	}
	if err != nil {
		return err
	}
	p := Decide(f)
	c.Session, c.Why, c.End, c.Next = b.Session, p.Why, p.End, p.Next
	switch p.Do {
	case Warn:
		c.Trace = b.Trace
		return r.Store.WarnSession(ctx, c)
	case Leave:
		return r.leave(ctx, c, f)
	default:
		return r.Store.SetTimer(ctx, c)
	}
}

func (r *Runner) leave(ctx context.Context, c Change, f Facts) error {
	c.Trace, c.OwnerSession = r.TraceID(), r.Session()
	if c.Why == Idle {
		c.IdleSince = f.Active
	}
	left, err := r.Store.EndSession(ctx, c)
	if err != nil {
		return err
	}
	if left {
		r.Log.InfoContext(ctx, "a session has ended by itself", "tenant", c.Seat.Device.Tenant,
			"device", c.Seat.Device.MAC.String(), "line", c.Seat.Line, "reason", string(c.Why), "trace", c.Trace)
	}
	return nil
}
