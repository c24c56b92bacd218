package keepalive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/flow"
	"perch/sip/location"
)

// tend looks at one flow: it sends what keeps it open, asks whether the phone is
// there, or frees what used it. It puts the flow back into the queue.
func (k *Keeper) tend(ctx context.Context, w *watched) {
	var wait time.Duration
	gone := k.isGone(w)
	if !gone {
		if w.stream() {
			wait, gone = k.tendStream(ctx, w)
		} else {
			wait, gone = k.tendUDP(ctx, w)
		}
	}
	if ctx.Err() != nil {
		return // shutting down: connections that we close are no loss
	}
	if gone {
		k.mu.Lock()
		w.gone = true
		k.mu.Unlock()
		if k.lose(ctx, w) {
			return
		}
		wait = again
	}
	k.later(w, wait)
}

func (k *Keeper) isGone(w *watched) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return w.gone
}

// tendStream probes a stream that is silent: phones that keep their flow open
// themselves are left alone.
func (k *Keeper) tendStream(ctx context.Context, w *watched) (time.Duration, bool) {
	heard, err := k.Flows.Heard(w.flow)
	if err != nil {
		return 0, true
	}
	limit := quiet
	if k.whom(w).Outbound() {
		limit = quietOutbound
	}
	if silent := time.Since(heard); !heard.IsZero() && silent < limit {
		return jittered(limit-silent, pingSpread), false
	}
	gone := k.probe(ctx, w)
	if now, err := k.Flows.Heard(w.flow); err == nil && now.After(heard) { // whatever it said, it is there
		w.missed, gone = 0, false
	}
	if gone {
		k.Flows.Hangup(w.flow)
	}
	if w.missed > 0 && w.answered {
		return again, gone
	}
	return jittered(limit, pingSpread), gone
}

// tendUDP keeps a translator open. Most rounds are a packet that asks for no
// answer; now and then the phone is asked whether it is there.
func (k *Keeper) tendUDP(ctx context.Context, w *watched) (time.Duration, bool) {
	w.round++
	if w.round%probeEvery != 0 && w.missed == 0 {
		err := k.Flows.Ping(w.flow)
		k.Metrics.Kept(metrics.KeepPing, resultOf(err))
		return jittered(pingAfter, pingSpread), errors.Is(err, flow.ErrGone)
	}
	if unused, err := k.unused(ctx, w); err == nil && unused {
		k.mu.Lock()
		k.forget(w)
		k.mu.Unlock()
		return 0, false
	}
	gone := k.probe(ctx, w)
	if w.missed > 0 && w.answered {
		return again, gone
	}
	w.missed = 0
	return jittered(pingAfter, pingSpread), gone
}

// probe sends an OPTIONS. The flow is gone when its connection is, or when a
// phone that has answered before falls silent: some never answer.
func (k *Keeper) probe(ctx context.Context, w *watched) (gone bool) {
	req, err := k.options(w).Build()
	if err != nil {
		k.Log.Debug("phone not probed", "error", err)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	_, err = k.Flows.Send(ctx, w.flow, req)
	k.Metrics.Kept(metrics.KeepOptions, resultOf(err))
	switch {
	case err == nil:
		w.answered, w.missed = true, 0
		return false
	case errors.Is(err, flow.ErrGone), errors.Is(err, flow.ErrClosed):
		return true
	}
	w.missed++
	return w.answered && w.missed >= maxMissed
}

// resultOf is the metric's word.
func resultOf(err error) string {
	switch {
	case err == nil:
		return metrics.KeepOK
	case errors.Is(err, flow.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return metrics.KeepSilent
	}
	return metrics.KeepUnsent
}

// whom is the newest contact by the flow.
func (k *Keeper) whom(w *watched) location.Contact {
	k.mu.Lock()
	defer k.mu.Unlock()
	return w.contact
}

// options asks a phone whether it is there (RFC 3261 section 11.1).
func (k *Keeper) options(w *watched) flow.Draft {
	c, host := k.whom(w), k.Flows.HostPort(w.flow)
	return flow.Draft{
		Method: "OPTIONS", URI: c.URI, Routes: c.Path, CallID: rand.Text(), CSeq: 1,
		From: "<sip:perch@" + host + ">;tag=" + rand.Text()[:16], To: "<" + c.AOR.String() + ">",
		Contact: "<sip:perch@" + host + ">", Headers: []flow.Field{{Name: "Accept", Value: "application/sdp"}},
	}
}

// unused tells that no contact is reached by a flow any more: its phone has
// registered by another, or another credential has replaced it.
func (k *Keeper) unused(ctx context.Context, w *watched) (bool, error) {
	for _, t := range k.usersOf(w) {
		set, err := k.contacts(ctx, t)
		if err != nil {
			return false, err
		}
		for _, c := range set.Contacts {
			if c.Flow == w.flow {
				return false, nil
			}
		}
	}
	return true, nil
}

func (k *Keeper) usersOf(w *watched) []target {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]target, 0, len(w.users))
	for t := range w.users {
		out = append(out, t)
	}
	return out
}

func (k *Keeper) contacts(ctx context.Context, t target) (location.Set, error) {
	set, err := k.Store.Contacts(ctx, t.tenant, t.user)
	if err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
		return set, fmt.Errorf("keepalive: read contacts: %w", err)
	}
	return set, nil
}

// lose frees or marks the contacts of a flow that is gone; false: the store is
// away, and it is to be tried again.
func (k *Keeper) lose(ctx context.Context, w *watched) bool {
	for _, t := range k.usersOf(w) {
		c, err := k.change(ctx, t, func(set location.Set) (location.Commit, bool) {
			return location.Lose(set, func(f location.Flow) bool { return f == w.flow }, time.Now())
		})
		if err != nil {
			k.Log.Warn("contacts of a closed flow not freed yet", "error", err)
			return false
		}
		for _, list := range [][]location.Contact{c.Lost, c.Removed} {
			for _, x := range list {
				k.sleep(t.tenant, t.user, x)
			}
		}
		k.Metrics.Lost(len(c.Lost), len(c.Removed))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(w)
	return true
}

// attempts bounds how often a change is made again because another was faster.
const attempts = 8

// change decides over the contacts of a user and commits; the zero Commit where
// there is nothing to do.
func (k *Keeper) change(ctx context.Context, t target, decide func(location.Set) (location.Commit, bool)) (location.Commit, error) {
	ctx, cancel := context.WithTimeout(ctx, storeWithin)
	defer cancel()
	for range attempts {
		set, err := k.contacts(ctx, t)
		if err != nil {
			return location.Commit{}, err
		}
		c, ok := decide(set)
		if !ok {
			return location.Commit{}, nil
		}
		c.Tenant, c.User = t.tenant, t.user
		err = k.Store.CommitContacts(ctx, c)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, location.ErrConflict) {
			return location.Commit{}, fmt.Errorf("keepalive: commit contacts: %w", err)
		}
	}
	return location.Commit{}, fmt.Errorf("keepalive: commit contacts: %w", location.ErrConflict)
}

// watcherOf is who a contact belongs to, as subscriptions name it.
func watcherOf(tenant directory.TenantCode, user string, c location.Contact) watcher {
	if c.MAC != "" {
		return watcher{tenant, c.MAC}
	}
	return watcher{tenant, user}
}
