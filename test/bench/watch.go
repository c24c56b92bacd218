package main

import (
	"context"
	"sync"

	"perch/internal/event"
	"perch/portal/api"
	"perch/portal/client"
)

// watcher follows the event stream and tells who waits that a trace has ended.
type watcher struct {
	api    *client.Client
	stream *client.Events

	mu      sync.Mutex
	waiting map[string]waiter // by MAC
	err     error
}

type waiter struct {
	kind string
	news chan api.Event
}

func watch(ctx context.Context, c *client.Client) (*watcher, error) {
	stream, err := c.Events(ctx, tenant, "", "")
	return &watcher{api: c, stream: stream, waiting: map[string]waiter{}}, err
}

// expect gives the channel on which the end of a desk's next trace of that kind
// comes.
func (w *watcher) expect(mac, kind string) <-chan api.Event {
	news := make(chan api.Event, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[mac] = waiter{kind, news}
	return news
}

func (w *watcher) forget(mac string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, mac)
}

// run reads until ctx ends; a stream that was cut is opened again where it was.
func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		e, err := w.stream.Next()
		if err == nil {
			w.tell(e)
			continue
		}
		w.stream.Close()
		if w.stream, err = w.api.Events(ctx, tenant, "", w.stream.Last()); err != nil {
			w.fail(ctx, err)
			return
		}
	}
	w.stream.Close()
}

func (w *watcher) tell(e api.Event) {
	if e.Type != string(event.TraceReady) && e.Type != string(event.TraceFailed) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	who, ok := w.waiting[e.MAC]
	if !ok || e.Type == string(event.TraceReady) && e.Detail != who.kind {
		return
	}
	select {
	case who.news <- e:
	default: // one end is enough
	}
}

func (w *watcher) fail(ctx context.Context, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() == nil {
		w.err = err
	}
}

// broken tells why nothing was heard any more, if so.
func (w *watcher) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
