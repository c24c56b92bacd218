package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// lifecycle knows how to stop what has been started, in reverse. Each part is
// registered the moment it exists.
type lifecycle struct {
	log   *slog.Logger
	mu    sync.Mutex
	stops []stop
	tasks sync.WaitGroup
	fault chan error // the first task that ended with an error
}

type stop struct {
	name string
	do   func(context.Context) error
}

func newLifecycle(log *slog.Logger) *lifecycle {
	return &lifecycle{log: log, fault: make(chan error, 1)}
}

// onStop registers a teardown.
func (l *lifecycle) onStop(name string, do func(context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stops = append(l.stops, stop{name, do})
}

// closes registers a Close.
func (l *lifecycle) closes(name string, do func() error) {
	l.onStop(name, func(context.Context) error { return do() })
}

// task runs f until its turn to stop comes: then its context ends and it is
// waited for. An error of a task stops the whole.
func (l *lifecycle) task(name string, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l.tasks.Go(func() {
		defer close(done)
		err := f(ctx)
		if err != nil && ctx.Err() == nil {
			select {
			case l.fault <- fmt.Errorf("%s: %w", name, err):
			default:
			}
		}
	})
	l.onStop(name, func(within context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-within.Done():
			return errors.New("did not end in time")
		}
	})
}

// stop takes everything down in reverse, within the deadline as a whole, and
// tells what would not go.
func (l *lifecycle) stop(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	l.mu.Lock()
	stops := l.stops
	l.stops = nil
	l.mu.Unlock()
	var faults []error
	for i := len(stops) - 1; i >= 0; i-- {
		start := time.Now()
		err := stops[i].do(ctx)
		l.log.Debug("stopped", "part", stops[i].name, "took", time.Since(start).Round(time.Millisecond))
		if err != nil {
			faults = append(faults, fmt.Errorf("stop %s: %w", stops[i].name, err))
		}
	}
	return errors.Join(faults...)
}
