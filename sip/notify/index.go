package notify

import (
	"hash/maphash"
	"sync"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/presence"
)

// index finds this node's subscriptions by their target. It holds hints only:
// whoever uses one reads the subscription itself from the store, which may know
// better. An entry leaves at the latest when its time is over.
type index struct {
	mu      sync.Mutex
	owned   map[string]owned
	targets map[target]map[string]struct{}
}

// owned is a subscription whose flow this node owns.
type owned struct {
	id     string
	target target
	until  int64 // Unix ms; when this node ends it

	brand    string // of the watcher's device
	hasBrand bool
	suspect  bool // it answers no NOTIFY
}

type target struct {
	tenant directory.TenantCode
	name   string // presence.Subscription's Target
}

func newIndex() *index {
	return &index{owned: map[string]owned{}, targets: map[target]map[string]struct{}{}}
}

// put enters a subscription, or its new end.
func (x *index) put(sub presence.Subscription) {
	o := owned{id: sub.ID, target: target{sub.Tenant, sub.Target}, until: sub.Expires - storeLater.Milliseconds()}
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.owned[o.id]
	o.brand, o.hasBrand, o.suspect = old.brand, old.hasBrand, sub.Suspect != 0
	x.owned[o.id] = o
	ids := x.targets[o.target]
	if ids == nil {
		ids = map[string]struct{}{}
		x.targets[o.target] = ids
	}
	ids[o.id] = struct{}{}
}

func (x *index) forget(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	o, ok := x.owned[id]
	if !ok {
		return
	}
	delete(x.owned, id)
	ids := x.targets[o.target]
	if delete(ids, id); len(ids) == 0 {
		delete(x.targets, o.target)
	}
}

// brand gives the brand of a watcher's device, if it was set.
func (x *index) brand(id string) (string, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	o := x.owned[id]
	return o.brand, o.hasBrand
}

func (x *index) setBrand(id, brand string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if o, ok := x.owned[id]; ok {
		o.brand, o.hasBrand = brand, true
		x.owned[id] = o
	}
}

// suspect marks one that answers no NOTIFY, or does again, and counts those that
// do not.
func (x *index) suspect(id string, is bool) (all int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if o, ok := x.owned[id]; ok {
		o.suspect = is
		x.owned[id] = o
	}
	for _, o := range x.owned {
		if o.suspect {
			all++
		}
	}
	return all
}

// get finds one by its id.
func (x *index) get(id string) (owned, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	o, ok := x.owned[id]
	return o, ok
}

// of lists the subscriptions of a target.
func (x *index) of(t target) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	ids := make([]string, 0, len(x.targets[t]))
	for id := range x.targets[t] {
		ids = append(ids, id)
	}
	return ids
}

// due lists those whose time is over.
func (x *index) due(now time.Time) (out []owned) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, o := range x.owned {
		if o.until <= now.UnixMilli() {
			out = append(out, o)
		}
	}
	return out
}

// locks keep the read and the write of one subscription together at this node,
// which owns it: its NOTIFYs and the SUBSCRIBEs inside it both count on it.
type locks struct {
	seed maphash.Seed
	once sync.Once
	all  [256]sync.Mutex
}

func (l *locks) of(id string) *sync.Mutex {
	l.once.Do(func() { l.seed = maphash.MakeSeed() })
	return &l.all[maphash.String(l.seed, id)%uint64(len(l.all))]
}
