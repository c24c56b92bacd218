package keepalive

import (
	"context"

	"perch/hotdesk/directory"
	"perch/sip/handler"
	"perch/sip/location"
)

// watcher is a device by its MAC, or a static password's number.
type watcher struct {
	tenant directory.TenantCode
	name   string
}

// sleeper is what of a watcher has lost its flow at this node.
type sleeper struct {
	users map[string]struct{}
	flows map[location.Flow]struct{}
}

// maxFlows bounds what is remembered of one watcher.
const maxFlows = 32

// sleep remembers a contact whose flow is gone.
func (k *Keeper) sleep(tenant directory.TenantCode, user string, c location.Contact) {
	id := watcherOf(tenant, user, c)
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.asleep[id]
	if s == nil {
		s = &sleeper{users: map[string]struct{}{}, flows: map[location.Flow]struct{}{}}
		k.asleep[id] = s
	}
	if len(s.flows) < maxFlows && len(s.users) < maxFlows {
		s.users[user] = struct{}{}
		s.flows[c.Flow] = struct{}{}
	}
}

// Hearing makes an Authenticator by which every device that it recognises is
// heard: what the device had registered and subscribed by a flow that is gone
// goes on by the flow of its request.
func (k *Keeper) Hearing(a handler.Authenticator) handler.Authenticator { return hearing{a, k} }

type hearing struct {
	handler.Authenticator
	k *Keeper
}

// Authenticate implements handler.Authenticator.
func (h hearing) Authenticate(ctx context.Context, r *handler.Request) (handler.Identity, error) {
	id, err := h.Authenticator.Authenticate(ctx, r)
	if err == nil {
		h.k.heard(ctx, r, id)
	}
	return id, err //nolint:wrapcheck // the response is in it
}

// heard brings back what sleeps of the sender.
func (k *Keeper) heard(ctx context.Context, r *handler.Request, id handler.Identity) {
	if r.Flow.Node != k.Node || id.Kind == handler.Ending {
		return
	}
	w := watcher{id.Tenant.Code, id.MAC()}
	if !id.HasDevice() {
		w.name = id.Number
	}
	s := k.take(w)
	if s == nil {
		return
	}
	if err := k.revive(ctx, w, s, r, id); err != nil {
		k.Log.Warn("a device was heard again, and not brought back yet", "error", err)
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.asleep[w] == nil {
			k.asleep[w] = s
		}
	}
}

// take gives what sleeps of a watcher, to one caller only.
func (k *Keeper) take(w watcher) *sleeper {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.asleep[w]
	delete(k.asleep, w)
	return s
}

func (k *Keeper) revive(ctx context.Context, w watcher, s *sleeper, r *handler.Request, id handler.Identity) error {
	own := ownOf(r, id)
	awake := map[location.Flow]struct{}{} // flows of what the request speaks for
	for user := range s.users {
		t := target{w.tenant, user}
		c, err := k.change(ctx, t, func(set location.Set) (location.Commit, bool) {
			clear(awake)
			return location.Revive(set, func(c location.Contact) bool {
				mine := own(c)
				if mine && c.Lost != 0 {
					awake[c.Flow] = struct{}{}
				}
				return mine
			}, r.Flow, r.Received)
		})
		if err != nil {
			return err
		}
		k.Registered(c)
		k.Metrics.Revived(len(c.Revived))
		if !id.HasDevice() { // several phones may share the number: each speaks for itself
			k.keepOthers(w, s, user, awake)
		}
	}
	if id.HasDevice() {
		awake = s.flows
	}
	if k.Subscriptions == nil {
		return nil
	}
	for f := range awake {
		if err := k.Subscriptions.Move(ctx, w.tenant, w.name, f, r.Flow); err != nil {
			return err //nolint:wrapcheck // the notifier's own text says it
		}
	}
	return nil
}

// keepOthers leaves asleep what the request did not speak for.
func (k *Keeper) keepOthers(w watcher, s *sleeper, user string, awake map[location.Flow]struct{}) {
	left := &sleeper{users: map[string]struct{}{user: {}}, flows: map[location.Flow]struct{}{}}
	for f := range s.flows {
		if _, ok := awake[f]; !ok {
			left.flows[f] = struct{}{}
		}
	}
	if len(left.flows) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asleep[w] == nil {
		k.asleep[w] = left
	}
}

// ownOf tells the contacts that a request speaks for: those of its device and
// credential, or with a static password the one that its Contact names.
func ownOf(r *handler.Request, id handler.Identity) func(location.Contact) bool {
	if id.HasDevice() {
		mac := id.MAC()
		return func(c location.Contact) bool {
			return c.MAC == mac && c.Line == id.Line && c.Session == id.Session
		}
	}
	contacts, _, err := location.ParseContacts(r.Values("contact"))
	return func(c location.Contact) bool {
		if err != nil || c.MAC != "" {
			return false
		}
		for _, w := range contacts {
			if w.URI == c.URI {
				return true
			}
		}
		return false
	}
}
