package keepalive

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/location"
)

// target is an AOR user whose contacts use a flow.
type target struct {
	tenant directory.TenantCode
	user   string
}

// watched is one flow. Its fields are under Keeper.mu, but for those of tend,
// which one task at a time has: it is not in the queue meanwhile.
type watched struct {
	flow     location.Flow
	contact  location.Contact // the newest by this flow: whom a probe is for
	users    map[target]int64 // until when, Unix ms
	due      time.Time
	at       int  // in the queue; -1: being tended, or no longer watched
	gone     bool // known to be closed
	forgot   bool
	round    int // of tend
	answered bool
	missed   int
}

func (w *watched) stream() bool { return w.flow.Transport != "udp" }

// queue is a heap by due.
type queue []*watched

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	w := x.(*watched)
	w.at = len(*q)
	*q = append(*q, w)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	w.at = -1
	return w
}

// Registered implements registrar.Keeper.
func (k *Keeper) Registered(c location.Commit) {
	for _, list := range [][]location.Contact{c.Added, c.Refreshed, c.Revived} {
		for _, x := range list {
			k.watch(target{c.Tenant, c.User}, x)
		}
	}
	for _, x := range c.Removed {
		k.left(target{c.Tenant, c.User}, x.Flow, c.Set)
	}
}

// needs tells whether a flow is to be watched: every stream, and UDP behind a
// translator, unless the phone keeps it open itself (RFC 5626 section 4.4).
func needs(c location.Contact) bool {
	return c.Flow.Transport != "udp" || c.NAT && !c.Outbound()
}

// watch enters a contact's flow.
func (k *Keeper) watch(t target, c location.Contact) {
	if c.Flow.Node != k.Node || !needs(c) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.flows[c.Flow]
	if w == nil {
		w = &watched{flow: c.Flow, users: map[target]int64{}, at: -1, contact: c}
		k.flows[c.Flow] = w
		if w.stream() {
			k.byID[c.Flow.ID] = w
			w.due = time.Now().Add(firstLook)
		} else {
			w.due = time.Now().Add(time.Duration(rand.Int64N(int64(pingAfter)))) // a thousand at once are spread
		}
		heap.Push(&k.queue, w)
		k.nudge()
		k.Metrics.SetWatched(len(k.flows))
	}
	if c.Updated >= w.contact.Updated {
		w.contact = c
	}
	w.users[t] = max(w.users[t], c.Expires)
}

// left takes a contact away from its flow, unless another of the same user uses
// that too.
func (k *Keeper) left(t target, f location.Flow, now location.Set) {
	for _, c := range now.Contacts {
		if c.Flow == f {
			return
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.flows[f]
	if w == nil {
		return
	}
	if delete(w.users, t); len(w.users) == 0 {
		k.forget(w)
	}
}

// forget ends the watch. Under mu.
func (k *Keeper) forget(w *watched) {
	if w.forgot {
		return
	}
	w.forgot = true
	delete(k.flows, w.flow)
	if k.byID[w.flow.ID] == w {
		delete(k.byID, w.flow.ID)
	}
	if w.at >= 0 {
		heap.Remove(&k.queue, w.at)
	}
	k.Metrics.SetWatched(len(k.flows))
}

// next takes the first flow that is due out of the queue; nil and the wait where
// none is.
func (k *Keeper) next(now time.Time) (*watched, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) == 0 {
		return nil, idle
	}
	if wait := k.queue[0].due.Sub(now); wait > 0 {
		return nil, min(wait, idle)
	}
	return heap.Pop(&k.queue).(*watched), 0
}

// later puts a flow back into the queue, unless nobody uses it any more.
func (k *Keeper) later(w *watched, wait time.Duration) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	for t, until := range w.users {
		if until <= now.UnixMilli() && !w.gone {
			delete(w.users, t)
		}
	}
	if len(w.users) == 0 {
		k.forget(w)
	}
	if w.forgot || w.at >= 0 {
		return
	}
	w.due = now.Add(wait)
	if w.gone {
		w.due = now.Add(min(wait, again))
	}
	heap.Push(&k.queue, w)
	k.nudge()
}

// closed notes that a connection has closed, and has its contacts freed.
func (k *Keeper) closed(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.byID[id]
	if w == nil || w.forgot {
		return
	}
	w.gone = true
	if w.at >= 0 {
		w.due = time.Time{}
		heap.Fix(&k.queue, w.at)
	}
}

// nudge wakes Run.
func (k *Keeper) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// jittered is wait and up to a part of spread.
func jittered(wait, spread time.Duration) time.Duration {
	return wait + time.Duration(rand.Int64N(int64(spread)+1))
}
