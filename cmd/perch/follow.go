package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/portal/client"
)

// lookAgain is how often a followed trace is read even without news: a step may
// be written a moment after the event that made it.
const lookAgain = 300 * time.Millisecond

// follower follows the trace of a device. It listens before the change is made,
// so that no step is missed. A nil one follows nothing.
type follower struct {
	c    *client.Client
	news *listener
}

func newFollower(e *env, c *client.Client) (*follower, error) {
	n, err := listen(e.ctx, c, "", func(api.Event) bool { return true })
	if err != nil {
		return nil, explain(err, c)
	}
	return &follower{c, n}, nil
}

func (f *follower) close() {
	if f != nil {
		f.news.close()
	}
}

// follow prints each step of the change's trace as it comes. The error names
// the step that never came.
func (f *follower) follow(e *env, mac directory.MAC, change api.Change) error {
	if f == nil {
		return nil
	}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	shown := map[string]string{}
	for {
		t, err := f.c.Trace(e.ctx, mac)
		if err != nil {
			return explain(err, f.c)
		}
		if t.ID != change.Trace && !change.Already {
			return fmt.Errorf("another login, logout or reload has begun at %s (trace %s): see perch trace --mac %s", mac, t.ID, mac)
		}
		for _, s := range t.Steps {
			text := says(s)
			if was, told := shown[s.Step]; !told || was != text {
				shown[s.Step] = text
				fmt.Fprintf(e.out, "%9s  %-12s  %s\n", span(time.Duration(s.Millis)*time.Millisecond), s.Step, text)
			}
		}
		if over, err := settled(t); over {
			return err
		}
		select {
		case <-e.ctx.Done():
			return e.ctx.Err()
		case <-f.news.wake:
		case <-tick.C:
		}
	}
}

// settled tells whether a trace is over, and how.
func settled(t api.Trace) (bool, error) {
	switch t.State {
	case "ready":
		return true, nil
	case "failed":
		for _, s := range t.Steps {
			if s.Error != "" {
				return true, fmt.Errorf("the step %q failed: %s", s.Step, safe(s.Error))
			}
		}
		return true, errors.New("the trace failed")
	}
	return false, nil
}

// says is what a step has to say.
func says(s api.Step) string {
	switch {
	case s.Error != "":
		return "FAILED: " + safe(s.Error)
	case s.Skipped:
		return "skipped: " + safe(or(s.Detail))
	case s.Detail == nil:
		return ""
	}
	return safe(*s.Detail)
}

// listener wakes somebody when something happens that they want to know.
type listener struct {
	wake   chan struct{} // capacity 1: something happened since last looked
	over   chan struct{} // closed when the stream is over
	stream *client.Events
}

// listen opens the event stream; close it.
func listen(ctx context.Context, c *client.Client, tenant string, want func(api.Event) bool) (*listener, error) {
	stream, err := c.Events(ctx, tenant, "", "")
	if err != nil {
		return nil, err
	}
	l := &listener{wake: make(chan struct{}, 1), over: make(chan struct{}), stream: stream}
	go func() {
		defer close(l.over)
		for {
			ev, err := stream.Next()
			if err != nil {
				return
			}
			if !want(ev) {
				continue
			}
			select {
			case l.wake <- struct{}{}:
			default:
			}
		}
	}()
	return l, nil
}

func (l *listener) close() {
	l.stream.Close()
	<-l.over
}
