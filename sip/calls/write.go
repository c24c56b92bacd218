package calls

import (
	"context"
	"errors"
	"time"

	"perch/hotdesk"
)

// Bounds of what waits for the store.
const (
	maxWriting = 64      // writes at once
	maxPending = 128     // changes of one call
	maxOpen    = 100_000 // calls of this node
	patience   = 2 * time.Minute
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
	keepIdle   = 20 * time.Minute // entries of calls nothing is heard of
)

// told is one change as it waits.
type told struct {
	fresh bool // it may begin the call
	do    change
}

func (t *Tracker) apply(c *Call, w told) bool {
	changed := false
	if w.fresh {
		changed = w.do(c)
	} else {
		changed = w.do.made(c)
	}
	if changed {
		c.Node = t.Node
	}
	return changed
}

// tell takes one change and has it written.
func (t *Tracker) tell(r Ref, w told) {
	k := key{r.Tenant, r.ID}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	e := t.open[k]
	switch {
	case e == nil && len(t.open) >= maxOpen, e != nil && len(e.pending) >= maxPending:
		t.Lost()
		return
	case e == nil:
		e = &entry{}
		t.open[k] = e
	}
	e.touched = t.Now()
	if e.now == nil && w.fresh {
		e.now = &Call{}
	}
	if e.now != nil && !t.apply(e.now, w) {
		t.leave(k, e)
		return
	}
	e.pending = append(e.pending, w)
	if !e.writing {
		e.writing = true
		t.tasks.Go(func() { t.write(k, e) })
	}
}

// leave forgets an entry that holds nothing.
func (t *Tracker) leave(k key, e *entry) {
	if !e.writing && (e.now == nil || len(e.now.Legs) == 0 || e.now.Over()) {
		delete(t.open, k)
	}
}

// write writes what is pending until nothing is.
func (t *Tracker) write(k key, e *entry) {
	for {
		t.mu.Lock()
		todo, base := e.pending, e.base
		e.pending = nil
		if len(todo) == 0 {
			e.writing = false
			t.leave(k, e)
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		saved, err := t.insist(k, base, todo)
		t.mu.Lock()
		if err != nil {
			t.lose(k, e, err)
			t.mu.Unlock()
			continue
		}
		e.base = saved
		e.now = saved.clone()
		for _, ch := range e.pending {
			t.apply(e.now, ch)
		}
		t.mu.Unlock()
	}
}

// lose drops what cannot be written. What is told of a call that is over, or
// that nobody has begun, is late or a stranger's and is dropped in silence.
func (t *Tracker) lose(k key, e *entry, err error) {
	e.base, e.now, e.pending = nil, nil, nil
	if errors.Is(err, ErrOver) || errors.Is(err, hotdesk.ErrNotFound) || t.ctx.Err() != nil {
		return
	}
	t.Lost()
	t.Log.Warn("what happened to a call could not be stored", "tenant", k.tenant, "call", k.id, "error", err)
}

// insist writes, again while the store is away.
func (t *Tracker) insist(k key, base *Call, todo []told) (*Call, error) {
	limit := t.Now().Add(patience)
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		t.slots <- struct{}{}
		saved, err := t.save(k, base, todo)
		<-t.slots
		if err == nil || !errors.Is(err, hotdesk.ErrUnavailable) || t.Now().After(limit) {
			return saved, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-t.ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// rounds is how often a change is made anew because another node was faster.
const rounds = 8

// save makes the changes on the stored call and writes it.
func (t *Tracker) save(k key, base *Call, todo []told) (*Call, error) {
	ctx := context.WithoutCancel(t.ctx)
	err := error(ErrConflict)
	for range rounds {
		c := &Call{}
		if base != nil {
			c = base.clone()
		} else if stored, err := t.Store.Call(ctx, k.tenant, k.id); err == nil {
			c = stored.clone()
		} else if !errors.Is(err, hotdesk.ErrNotFound) {
			return nil, err
		}
		changed := false
		for _, ch := range todo {
			changed = t.apply(c, ch) || changed
		}
		if len(c.Legs) == 0 {
			return nil, hotdesk.ErrNotFound
		}
		if !changed {
			return c, nil
		}
		if c.Rev, err = t.Store.SaveCall(ctx, *c, t.Now()); err == nil {
			return c, nil
		}
		if !errors.Is(err, ErrConflict) {
			return nil, err
		}
		base = nil
	}
	return nil, err
}

// Run forgets the calls of which nothing was heard for long, until ctx ends:
// another node may have ended them.
func (t *Tracker) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			t.tidy()
		}
	}
}

func (t *Tracker) tidy() {
	t.mu.Lock()
	defer t.mu.Unlock()
	limit := t.Now().Add(-keepIdle)
	for k, e := range t.open {
		if !e.writing && e.touched.Before(limit) {
			delete(t.open, k)
		}
	}
}

// Close waits for what is being written, at most until ctx ends. What is told
// afterwards is dropped. It is safe twice.
func (t *Tracker) Close(ctx context.Context) error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	done := make(chan struct{})
	go func() { t.tasks.Wait(); close(done) }()
	defer t.stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	t.stop() // ends the waits between two tries
	<-done
	return ctx.Err()
}
