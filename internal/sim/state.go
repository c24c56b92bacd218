package sim

import (
	"context"
	"maps"
	"slices"

	"perch/hotdesk/directory"
)

// Phase tells what a phone is busy with.
type Phase string

// The phases of a phone's life.
const (
	PhaseOff       Phase = "off"
	PhaseBooting   Phase = "booting"
	PhaseRunning   Phase = "running"
	PhaseReloading Phase = "reloading"
	PhaseRebooting Phase = "rebooting"
)

// File is one answer of the provisioning server.
type File struct {
	Name   string
	Status int // 0: no answer
	Bytes  int
}

// Lamp is one key of the sidecar, as the person at the desk sees it.
type Lamp struct {
	Target     string // the number watched
	Label      string
	Subscribed bool   // the server accepted the SUBSCRIBE
	Lit        bool   // a NOTIFY has said what the lamp shows
	State      string // idle, trying, proceeding, early, confirmed (RFC 4235 section 3.7.1)
	Notifies   int
}

// State is a snapshot of a phone.
type State struct {
	MAC         directory.MAC
	Brand       Brand
	Phase       Phase
	Boots       int    // boots that ended with a configuration in effect
	Fetches     int    // HTTP requests that were answered, challenges not counted
	Files       []File // of the latest boot or reload, in the order asked
	Config      string // SHA-256 (hex) over the files in effect
	Account     string // AOR the configuration names: sip:user@host
	DisplayName string
	Registered  bool
	AOR         string // AOR last registered; empty when not registered
	Registers   int    // REGISTER requests answered 2xx, refreshes included
	Lamps       []Lamp // in key order
	Syncs       int    // check-syncs accepted
	Pushes      int    // settings taken by NOTIFY
	Shown       string // text that last came by NOTIFY
	Challenges  int    // NOTIFYs answered 401
	Calls       int    // calls that have ended
	InCall      bool
}

// AllLit tells that the phone has keys and a NOTIFY lit each.
func (s State) AllLit() bool {
	return len(s.Lamps) > 0 && !slices.ContainsFunc(s.Lamps, func(l Lamp) bool { return !l.Lit })
}

// Ready tells that a person could use the desk as user: registered as that
// user and every key lit. No keys count as lit.
func (s State) Ready(user string) bool {
	return s.Registered && userOf(s.AOR) == user && (len(s.Lamps) == 0 || s.AllLit())
}

// Lamp finds the key that watches target.
func (s State) Lamp(target string) (Lamp, bool) {
	i := slices.IndexFunc(s.Lamps, func(l Lamp) bool { return l.Target == target })
	if i < 0 {
		return Lamp{}, false
	}
	return s.Lamps[i], true
}

// State gives a snapshot.
func (p *Phone) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.snapshot()
}

func (p *Phone) snapshot() State {
	s := p.st
	s.Files = slices.Clone(p.st.Files)
	s.InCall = p.calls > 0
	s.Lamps = nil
	if p.line == nil {
		return s
	}
	subs := slices.SortedFunc(maps.Values(p.line.subs), func(a, b *subscription) int { return a.key.Index - b.key.Index })
	for _, sub := range subs {
		s.Lamps = append(s.Lamps, sub.lamp)
	}
	return s
}

// Await returns nil as soon as ok holds for the phone's state, or ctx's error.
// It looks once at the start and again after each change, never in between.
func (p *Phone) Await(ctx context.Context, ok func(State) bool) error {
	for {
		p.mu.Lock()
		s, changed := p.snapshot(), p.changed
		p.mu.Unlock()
		if ok(s) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// update changes the state under the lock and wakes every Await.
func (p *Phone) update(f func(*State)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.st)
	p.wake()
}

// wake tells every Await to look again. The lock must be held.
func (p *Phone) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}
