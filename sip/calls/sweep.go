package calls

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"perch/hotdesk/directory"
)

// Verdict is what a probe found out.
type Verdict int

// What a phone says of a call.
const (
	Unknown   Verdict = iota // it could not be asked here
	Alive                    // it knows the call
	Forgotten                // it knows nothing of it, or it is silent
)

// Prober asks the phone at one end of a call whether it still knows it.
type Prober interface {
	Probe(ctx context.Context, callID string, at, other Leg) Verdict
}

// Due hands out the calls of all tenants that are to be looked at.
type Due interface {
	TenantCodes(ctx context.Context) ([]directory.TenantCode, error)
	// DueCalls gives each call to one node, until Probing later.
	DueCalls(ctx context.Context, t directory.TenantCode, now time.Time, limit int) ([]Call, error)
	Calls(ctx context.Context, t directory.TenantCode) iter.Seq2[Call, error]
}

// Sweeper ends calls whose end never came.
type Sweeper struct {
	Tracker *Tracker
	Due     Due
	Prober  Prober
	Log     *slog.Logger
}

const (
	sweepEvery = time.Second
	sweepMost  = 100 // calls of a tenant at once
	probesMost = 64
)

// Run first ends the calls that this node was setting up when it last ended,
// and then looks at those that are due, until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	slots := make(chan struct{}, probesMost)
	var asking sync.WaitGroup
	defer asking.Wait()
	recovered, began := false, s.Tracker.at()
	for {
		if !recovered {
			recovered = s.recover(ctx, began) == nil
		}
		if err := s.sweep(ctx, slots, &asking); err != nil && ctx.Err() == nil {
			s.Log.Debug("calls not looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// recover ends what nobody can answer any more: the transactions of those calls
// ended with the process.
func (s *Sweeper) recover(ctx context.Context, began int64) error {
	codes, err := s.Due.TenantCodes(ctx)
	if err != nil {
		return err
	}
	for _, code := range codes {
		for c, err := range s.Due.Calls(ctx, code) {
			if err != nil {
				return err
			}
			if c.Node == s.Tracker.Node && c.Answered == 0 && c.Began < began {
				s.Tracker.End(Ref{code, c.ID}, Ending{By: ByPerch, Reason: Restarted})
			}
		}
	}
	return nil
}

func (s *Sweeper) sweep(ctx context.Context, slots chan struct{}, asking *sync.WaitGroup) error {
	codes, err := s.Due.TenantCodes(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, code := range codes {
		due, err := s.Due.DueCalls(ctx, code, s.Tracker.Now(), sweepMost)
		faults = append(faults, err)
		for _, c := range due {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			asking.Go(func() {
				defer func() { <-slots }()
				s.look(ctx, c)
			})
		}
	}
	return errors.Join(faults...)
}

// look decides about one call.
func (s *Sweeper) look(ctx context.Context, c Call) {
	r := Ref{c.Tenant, c.ID}
	verdict := Unknown
	if c.Answered != 0 && c.CallID != "" {
		verdict = s.ask(ctx, &c)
	}
	if ctx.Err() != nil {
		return
	}
	switch {
	case verdict == Forgotten:
		s.Tracker.End(r, Ending{By: ByPerch, Reason: Gone})
	case verdict == Alive:
		s.Tracker.tell(r, told{do: alive(s.Tracker.at())})
	case c.Lease <= s.Tracker.at():
		s.Tracker.End(r, Ending{By: ByPerch, Reason: Expired})
	}
}

// ask probes both ends; one that has forgotten the call is enough to end it,
// and one that could be asked and knows it to keep it.
func (s *Sweeper) ask(ctx context.Context, c *Call) Verdict {
	var other *Leg
	for i := range c.Legs[1:] {
		if l := &c.Legs[1+i]; l.Phase == Confirmed {
			other = l
		}
	}
	if other == nil {
		return Unknown
	}
	found := s.Prober.Probe(ctx, c.CallID, c.Legs[0], *other)
	if found == Forgotten {
		return found
	}
	return max(found, s.Prober.Probe(ctx, c.CallID, *other, c.Legs[0]))
}

// Suspect has a call asked for soon: a phone in it has registered anew from
// elsewhere, or its connection was lost.
func (t *Tracker) Suspect(r Ref) { t.tell(r, told{do: suspect(t.at())}) }
