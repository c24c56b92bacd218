package presence

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/calls"
)

// Lamps is the view of all extensions, built from the calls there are. Every
// node has one and gives it every change of every call; the store's revisions
// put them in order, so that all nodes show the same. Its zero value is ready to
// use, and everybody is idle. Safe for use by several goroutines.
type Lamps struct {
	Now func() time.Time // nil: time.Now

	mu      sync.RWMutex
	tenants map[directory.TenantCode]*office
}

// office is the view of one tenant.
type office struct {
	floor    uint64 // changes up to this revision are in the snapshot
	calls    map[calls.ID]calls.Call
	of       map[string]map[calls.ID]struct{} // by number
	versions map[string]uint64                // by number
	ended    map[string][]ended               // by number, newest first
}

// ended is a dialog that was there until just now: watchers that know it by its
// id are told that it is over.
type ended struct {
	Dialog
	until time.Time
}

const (
	// showEnded is for how long documents name an ended dialog: as long as a
	// NOTIFY may take.
	showEnded = 32 * time.Second
	maxEnded  = 4
)

// Snapshot is what the store holds of one tenant.
type Snapshot struct {
	Rev      uint64 // of the newest change, read before the rest
	Calls    []calls.Call
	Versions map[string]uint64 // by number
}

// Watch gives the present state of an extension, without its entity. One that
// does not exist has the state of one that is never there.
func (l *Lamps) Watch(id directory.ExtensionID) State {
	now := l.now()
	l.mu.RLock()
	defer l.mu.RUnlock()
	o := l.tenants[id.Tenant]
	if o == nil {
		return State{}
	}
	s := State{Version: o.versions[id.Number], Dialogs: o.dialogs(id.Number)}
	// Beside a dialog that is up it would only confuse: the state is full, so that
	// what it leaves out is over, and there are phones that read one dialog.
	for _, e := range o.ended[id.Number] {
		if len(s.Dialogs) == 0 && e.until.After(now) {
			s.Dialogs = append(s.Dialogs, e.Dialog)
		}
	}
	return s
}

// Take takes a call as it is now and gives the extensions whose state that
// changed. A call older than what is known changes nothing.
func (l *Lamps) Take(c calls.Call) []directory.ExtensionID {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.office(c.Tenant)
	old, known := o.calls[c.ID]
	if c.Rev <= o.floor || known && c.Rev <= old.Rev {
		return nil
	}
	numbers := c.Numbers()
	if known {
		numbers = append(numbers, old.Numbers()...)
	}
	for _, n := range numbers {
		o.versions[n] = max(o.versions[n], c.Rev)
	}
	return l.change(c.Tenant, o, numbers, func() { o.put(c) })
}

// Reset takes all calls of a tenant and gives the extensions whose state that
// changed. What comes by Take afterwards may be older.
func (l *Lamps) Reset(t directory.TenantCode, s Snapshot) []directory.ExtensionID {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.office(t)
	numbers := slices.Collect(maps.Keys(o.of))
	there := make(map[calls.ID]bool, len(s.Calls))
	for _, c := range s.Calls {
		there[c.ID] = true
		numbers = append(numbers, c.Numbers()...)
	}
	o.floor = max(o.floor, s.Rev)
	for n, v := range s.Versions {
		o.versions[n] = max(o.versions[n], v)
	}
	return l.change(t, o, numbers, func() {
		for id, c := range o.calls {
			if !there[id] {
				c.Ended = max(c.Lease, 1) // all that matters is that it is over
				o.put(c)
			}
		}
		for _, c := range s.Calls {
			if old, known := o.calls[c.ID]; !known || old.Rev < c.Rev {
				o.put(c)
			}
		}
	})
}

// change makes one and tells whose dialogs are others now.
func (l *Lamps) change(t directory.TenantCode, o *office, numbers []string, do func()) []directory.ExtensionID {
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	before := make([][]Dialog, len(numbers))
	for i, n := range numbers {
		before[i] = o.dialogs(n)
	}
	do()
	until := l.now().Add(showEnded)
	var out []directory.ExtensionID
	for i, n := range numbers {
		after := o.dialogs(n)
		if slices.Equal(before[i], after) {
			continue
		}
		o.bury(n, before[i], after, until)
		out = append(out, directory.ExtensionID{Tenant: t, Number: n})
	}
	return out
}

// bury remembers the dialogs that are gone.
func (o *office) bury(number string, before, after []Dialog, until time.Time) {
	list := slices.DeleteFunc(o.ended[number], func(e ended) bool {
		return until.Sub(e.until) > showEnded || slices.ContainsFunc(after, func(d Dialog) bool { return d.ID == e.ID })
	})
	for _, d := range before {
		if !slices.ContainsFunc(after, func(a Dialog) bool { return a.ID == d.ID }) {
			d.Phase = Terminated
			list = slices.Insert(list, 0, ended{d, until})
		}
	}
	if len(list) == 0 {
		delete(o.ended, number)
		return
	}
	o.ended[number] = list[:min(len(list), maxEnded)]
}

// put writes a call and its index.
func (o *office) put(c calls.Call) {
	if old, known := o.calls[c.ID]; known {
		for _, n := range old.Numbers() {
			if delete(o.of[n], c.ID); len(o.of[n]) == 0 {
				delete(o.of, n)
			}
		}
		delete(o.calls, c.ID)
	}
	if c.Over() {
		return
	}
	o.calls[c.ID] = c
	for _, n := range c.Numbers() {
		if o.of[n] == nil {
			o.of[n] = map[calls.ID]struct{}{}
		}
		o.of[n][c.ID] = struct{}{}
	}
}

// dialogs gives those of a number, oldest first.
func (o *office) dialogs(number string) []Dialog {
	var list []calls.Call
	for id := range o.of[number] {
		list = append(list, o.calls[id])
	}
	slices.SortFunc(list, func(a, b calls.Call) int {
		return cmp.Or(cmp.Compare(a.Began, b.Began), cmp.Compare(a.ID, b.ID))
	})
	var out []Dialog
	for i := range list {
		if d, ok := dialogOf(&list[i], number); ok {
			out = append(out, d)
		}
	}
	return out
}

// Running gives the calls of a tenant that are up, oldest first.
func (l *Lamps) Running(t directory.TenantCode) []calls.Call {
	l.mu.RLock()
	defer l.mu.RUnlock()
	o := l.tenants[t]
	if o == nil {
		return nil
	}
	return slices.SortedFunc(maps.Values(o.calls), func(a, b calls.Call) int {
		return cmp.Or(cmp.Compare(a.Began, b.Began), cmp.Compare(a.ID, b.ID))
	})
}

// CallsAt gives the calls that a phone is in: a device by its MAC, or where that
// is empty the phones of a number that are no devices of ours.
func (l *Lamps) CallsAt(t directory.TenantCode, mac, number string) []calls.ID {
	l.mu.RLock()
	defer l.mu.RUnlock()
	o := l.tenants[t]
	if o == nil {
		return nil
	}
	var out []calls.ID
	for id, c := range o.calls {
		for i := range c.Legs {
			p := c.Legs[i].Party
			if p.MAC == mac && (mac != "" || p.Number == number) && c.Kind != calls.Feature && c.Live(&c.Legs[i]) {
				out = append(out, id)
				break
			}
		}
	}
	return out
}

// Count counts the calls that are up and their dialogs, early or confirmed;
// those with feature codes have a dialog and are no call.
func (l *Lamps) Count() (up, dialogs int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, o := range l.tenants {
		for _, c := range o.calls {
			if c.Kind != calls.Feature {
				up++
			}
			for i := range c.Legs {
				if leg := &c.Legs[i]; c.Live(leg) && (leg.Phase == Early || leg.Phase == Confirmed) {
					dialogs++
				}
			}
		}
	}
	return up, dialogs
}

func (l *Lamps) office(t directory.TenantCode) *office {
	o := l.tenants[t]
	if o == nil {
		o = &office{
			calls: map[calls.ID]calls.Call{}, of: map[string]map[calls.ID]struct{}{},
			versions: map[string]uint64{}, ended: map[string][]ended{},
		}
		if l.tenants == nil {
			l.tenants = map[directory.TenantCode]*office{}
		}
		l.tenants[t] = o
	}
	return o
}

func (l *Lamps) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}
