package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/presence"
)

// line is what is to be sent in one subscription, one NOTIFY after the other:
// changes that come while one is under way are one more NOTIFY with what is
// true then.
type line struct {
	again bool     // the state, once more
	force bool     // even if it is what was sent last
	last  *parting // then nothing more
}

// wanted is one wish for a NOTIFY.
type wanted struct {
	force bool     // the state, even if it is what was sent last
	last  *parting // not the state: the last NOTIFY
}

// parting is the last NOTIFY of a subscription that the store no longer has.
type parting struct {
	sub    presence.Subscription
	reason string // RFC 6665 section 4.1.3
}

const (
	reasonTimeout     = "timeout"
	reasonDeactivated = "deactivated"
)

// Why a subscription ended, in its event.
const (
	endUnsubscribed = "unsubscribed"
	endReplaced     = "replaced"
	endExpired      = "expired"
	endRefused      = "refused"   // the phone said that there is none
	endNoAnswer     = "no_answer" // the phone was silent, time and again
	endUsedUp       = "used_up"   // its numbers cannot grow any more
)

// Changed has the state of a target sent to all who watch it at this node.
func (n *Notifier) Changed(tenant directory.TenantCode, name string) {
	for _, id := range n.index.of(target{tenant, name}) {
		n.queue(tenant, id, wanted{})
	}
}

// full tells that too much is waiting already.
func (n *Notifier) full() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.lines) >= maxLines
}

// queue has the state sent in a subscription, or the last NOTIFY.
func (n *Notifier) queue(tenant directory.TenantCode, id string, w wanted) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l, busy := n.lines[id]
	if !busy {
		if n.closed {
			return
		}
		l = &line{}
		n.lines[id] = l
	}
	if w.last == nil {
		l.again, l.force = true, l.force || w.force
	} else {
		l.last = w.last
	}
	if !busy {
		n.tasks.Go(func() { n.drain(tenant, id, l) })
	}
}

// drain sends until nothing is left to send.
func (n *Notifier) drain(tenant directory.TenantCode, id string, l *line) {
	for {
		n.mu.Lock()
		last, again, force := l.last, l.again, l.force
		l.again, l.force, l.last = false, false, nil
		if last == nil && !again || n.ctx.Err() != nil {
			delete(n.lines, id)
			n.mu.Unlock()
			return
		}
		n.mu.Unlock()
		select {
		case n.slots <- struct{}{}:
		case <-n.ctx.Done():
			continue
		}
		if last != nil {
			n.part(n.ctx, last)
		} else {
			n.state(n.ctx, tenant, id, force)
		}
		<-n.slots
	}
}

// How often and when a state is sent again that did not arrive.
const (
	maxTries   = 3
	retryAfter = 5 * time.Second
	maxRetry   = time.Minute
)

// state sends the present state. RFC 6665 section 4.2.2 ends a subscription
// whose NOTIFY timed out; a phone that restarts or a lost network comes back
// within minutes, so that it is asked a few times first.
func (n *Notifier) state(ctx context.Context, tenant directory.TenantCode, id string, force bool) {
	var o outcome
	for range maxTries {
		o = n.attempt(ctx, tenant, id, try{force: force, suspect: o.silent})
		if o.verdict != again || !n.pause(ctx, o.wait) {
			break
		}
		force = true // what is stored as sent has not arrived
	}
	switch {
	case o.verdict == full:
		n.retire(ctx, tenant, id)
	case o.verdict == gone:
		n.end(ctx, tenant, id, endRefused)
	case o.verdict == again && o.silent && ctx.Err() == nil:
		n.end(ctx, tenant, id, endNoAnswer)
	case o.verdict == again && ctx.Err() == nil:
		n.doubt(ctx, tenant, id)
	}
}

// pause waits; false when ctx ended.
func (n *Notifier) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// forget drops what this node knows of a subscription.
func (n *Notifier) forget(id string) {
	n.index.forget(id)
	n.shelf.drop(id)
}

// end removes a subscription from the store and forgets it. One that the store
// keeps because it is away goes when its time is over.
func (n *Notifier) end(ctx context.Context, tenant directory.TenantCode, id, reason string) {
	lock := n.locks.of(id)
	lock.Lock()
	defer lock.Unlock()
	n.forget(id)
	if err := n.Store.EndSubscription(ctx, tenant, id, reason); err != nil && ctx.Err() == nil {
		n.Log.Warn("subscription not ended", "tenant", tenant, "reason", reason, "error", err)
		return
	}
	n.Log.Debug("subscription ended", "tenant", tenant, "reason", reason)
}

// expire ends a subscription whose time is over with a last NOTIFY (RFC 6665
// section 4.4.1), unless it was refreshed or has ended meanwhile.
func (n *Notifier) expire(ctx context.Context, o owned) error {
	tenant := o.target.tenant
	lock := n.locks.of(o.id)
	lock.Lock()
	defer lock.Unlock()
	sub, d, err := n.read(ctx, tenant, o.id)
	switch {
	case errors.Is(err, hotdesk.ErrNotFound), errors.Is(err, errNotHere):
		n.forget(o.id)
		return nil
	case err != nil:
		return err
	}
	if sub.Expires-storeLater.Milliseconds() > n.Now().UnixMilli() {
		n.index.put(sub)
		return nil
	}
	if err := n.Store.EndSubscription(ctx, tenant, o.id, endExpired); err != nil {
		return fmt.Errorf("notify: end subscription: %w", err)
	}
	n.forget(o.id)
	if err := setDialog(&sub, d); err != nil {
		return err
	}
	n.queue(tenant, o.id, wanted{last: &parting{sub: sub, reason: reasonTimeout}})
	return nil
}

// retire ends a subscription whose numbers are used up and asks the phone for a
// new one (RFC 6665 section 4.1.3, deactivated): a version that began anew would
// be older than the one the phone knows.
func (n *Notifier) retire(ctx context.Context, tenant directory.TenantCode, id string) {
	lock := n.locks.of(id)
	lock.Lock()
	sub, d, err := n.read(ctx, tenant, id)
	lock.Unlock()
	if err == nil {
		err = setDialog(&sub, d)
	}
	if err != nil {
		return // it has ended meanwhile, or the next change tries again
	}
	n.end(ctx, tenant, id, endUsedUp)
	n.queue(tenant, id, wanted{last: &parting{sub: sub, reason: reasonDeactivated}})
}
