package trace

import (
	"context"
	"errors"
	"fmt"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
)

// Store keeps one trace per device. SaveTrace answers ErrConflict when the
// trace changed since it was read.
type Store interface {
	Trace(ctx context.Context, d directory.DeviceID) (Trace, error)
	SaveTrace(ctx context.Context, t Trace, events ...event.Event) error
}

// Job folds the events of all devices into their traces. It runs once in the
// installation, as a consumer of the event stream.
type Job struct{ store Store }

// NewJob builds a Job over the store.
func NewJob(s Store) *Job { return &Job{store: s} }

// retries bounds how often a fold is repeated because another writer was
// faster.
const retries = 16

// Handle folds a batch in order. It may see an event again: folding is
// idempotent.
func (j *Job) Handle(ctx context.Context, batch []event.Event) error {
	for _, group := range byDevice(batch) {
		if err := j.fold(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

// byDevice keeps the order within each device.
func byDevice(batch []event.Event) [][]event.Event {
	index := map[directory.DeviceID]int{}
	var groups [][]event.Event
	for _, e := range batch {
		d := e.Device()
		if d.MAC.IsZero() {
			continue
		}
		i, ok := index[d]
		if !ok {
			i = len(groups)
			index[d] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], e)
	}
	return groups
}

func (j *Job) fold(ctx context.Context, events []event.Event) error {
	for range retries {
		t, err := j.store.Trace(ctx, events[0].Device())
		if errors.Is(err, hotdesk.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("trace: read: %w", err)
		}
		before := t.State
		if !applyAll(&t, events) {
			return nil
		}
		err = j.store.SaveTrace(ctx, t, news(before, t)...)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("trace: save: %w", err)
		}
		return nil
	}
	return fmt.Errorf("trace: %w after %d tries", ErrConflict, retries)
}

func applyAll(t *Trace, events []event.Event) bool {
	changed := false
	for _, e := range events {
		changed = t.Apply(e) || changed
	}
	return changed
}

// news is the event of a trace that came to an end by this fold.
func news(before State, t Trace) []event.Event {
	if t.State == before || t.State == Running {
		return nil
	}
	e := event.Event{
		Type: event.TraceReady, At: t.Ended, Tenant: t.Tenant, MAC: t.MAC, Line: t.Line, Number: t.Number,
		Session: t.Session, Trace: t.ID, Door: t.Door, Brand: t.Brand, Detail: string(t.Kind), Millis: t.Ended - t.Started,
	}
	if s, _ := t.Step(Fetched); s.Skipped {
		e.Reason = "skipped"
	}
	if t.State == Failed {
		e.Type = event.TraceFailed
		for _, s := range t.Steps {
			if s.Error != "" {
				e.Target, e.Reason = string(s.Name), s.Error
			}
		}
	}
	return []event.Event{e}
}
