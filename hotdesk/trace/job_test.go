package trace

import (
	"context"
	"errors"
	"testing"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
)

// shelf is a store of one trace that answers as many conflicts as it is told.
type shelf struct {
	trace     Trace
	conflicts int
	saved     []event.Event
	err       error
}

func (s *shelf) Trace(_ context.Context, d directory.DeviceID) (Trace, error) {
	if s.err != nil {
		return Trace{}, s.err
	}
	if d.MAC.String() != s.trace.MAC {
		return Trace{}, hotdesk.ErrNotFound
	}
	t := s.trace
	t.Steps = append([]Step(nil), t.Steps...)
	return t, nil
}

func (s *shelf) SaveTrace(_ context.Context, t Trace, events ...event.Event) error {
	if s.conflicts > 0 {
		s.conflicts--
		s.trace.Rev++
		return ErrConflict
	}
	s.trace = t
	s.saved = append(s.saved, events...)
	return nil
}

func TestJobTellsReadyOnce(t *testing.T) {
	s := &shelf{trace: login(), conflicts: 3}
	j := NewJob(s)
	batch := []event.Event{
		fetched(1200), ev(1300, event.ContactAdded, nil),
		{Type: event.DirectoryChanged, Tenant: "acme", At: 1300},
		ev(1300, event.ContactAdded, func(e *event.Event) { e.MAC = "001565aabb99" }),
	}
	for range 2 {
		if err := j.Handle(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.saved) != 1 || s.saved[0].Type != event.TraceReady || s.saved[0].Millis != 300 {
		t.Errorf("events %+v, want one trace.ready after 300 ms", s.saved)
	}
}

func TestJobNamesTheFailedStep(t *testing.T) {
	s := &shelf{trace: login()}
	if err := NewJob(s).Handle(t.Context(), []event.Event{failed(9000, Fetched)}); err != nil {
		t.Fatal(err)
	}
	if len(s.saved) != 1 || s.saved[0].Type != event.TraceFailed || s.saved[0].Target != string(Fetched) {
		t.Errorf("events %+v, want trace.failed at fetched", s.saved)
	}
}

func TestJobGivesTheBatchBackWhenTheStoreIsGone(t *testing.T) {
	s := &shelf{trace: login(), err: hotdesk.ErrUnavailable}
	if err := NewJob(s).Handle(t.Context(), []event.Event{fetched(1200)}); !errors.Is(err, hotdesk.ErrUnavailable) {
		t.Errorf("err %v, want the store's: the batch must come again", err)
	}
	s = &shelf{trace: login(), conflicts: retries + 1}
	if err := NewJob(s).Handle(t.Context(), []event.Event{fetched(1200)}); !errors.Is(err, ErrConflict) {
		t.Errorf("err %v, want a conflict after %d tries", err, retries)
	}
}
