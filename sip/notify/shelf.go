package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/dialog"
	"perch/sip/location"
	"perch/sip/presence"
)

const (
	// ahead is how many numbers are stored as used before they are: a busy lamp
	// costs one write for so many NOTIFYs. After a crash the next document's
	// version jumps by at most as much; every document is whole, so that nothing is
	// missing (RFC 4235 section 4.1).
	ahead = 64
	// restAfter is how long a lamp is still before what was sent is stored.
	restAfter = 3 * time.Second
	// flushWithin bounds what Close stores.
	flushWithin = 5 * time.Second
)

// held is a subscription whose numbers this node counts by itself for a while.
// It is used under the subscription's lock only.
type held struct {
	sub           presence.Subscription
	dialog        dialog.Dialog
	cseq, version uint32 // stored as used
	touched       time.Time
}

// room tells whether there are numbers for one more NOTIFY and its credentials.
func (h *held) room() bool { return h.dialog.LocalCSeq+2 < h.cseq && h.sub.Version+1 < h.version }

// shelf holds such subscriptions.
type shelf struct {
	mu  sync.Mutex
	all map[string]*held
}

func (s *shelf) get(id string) *held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[id]
}

func (s *shelf) put(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*held{}
	}
	s.all[h.sub.ID] = h
}

func (s *shelf) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, id)
}

// recall drops those that match.
func (s *shelf) recall(matches func(presence.Subscription) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, h := range s.all {
		if matches(h.sub) { // its identity never changes
			delete(s.all, id)
		}
	}
}

// resting lists those that nothing was sent in since then.
func (s *shelf) resting(since time.Time) (out []*held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.all {
		if !h.touched.After(since) {
			out = append(out, h)
		}
	}
	return out
}

// touch notes that a NOTIFY was made.
func (s *shelf) touch(h *held, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.touched = now
}

// overlay puts what this node has counted over what is stored.
func (n *Notifier) overlay(sub *presence.Subscription, d *dialog.Dialog) {
	h := n.shelf.get(sub.ID)
	if h == nil {
		return
	}
	sub.Version, sub.Shown, sub.Sent, sub.Suspect = h.sub.Version, h.sub.Shown, h.sub.Sent, h.sub.Suspect
	d.LocalCSeq = h.dialog.LocalCSeq
}

// reserve gives a subscription as it is stored while its numbers are counted
// here: as if they had been used, and what was shown last were not known.
func reserve(sub presence.Subscription, d dialog.Dialog) (presence.Subscription, *held, error) {
	h := &held{sub: sub, dialog: d, cseq: d.LocalCSeq + ahead, version: sub.Version + ahead}
	d.LocalCSeq = h.cseq
	sub.Version, sub.Shown = h.version, unknown
	return sub, h, setDialog(&sub, d)
}

// flush stores what was counted of lamps that have been still since then.
func (n *Notifier) flush(ctx context.Context, since time.Time) {
	for _, h := range n.shelf.resting(since) {
		_, err := n.step(ctx, h.sub.Tenant, h.sub.ID, func(*presence.Subscription, *dialog.Dialog) error { return nil })
		switch {
		case errors.Is(err, hotdesk.ErrNotFound), errors.Is(err, location.ErrSessionOver), errors.Is(err, errNotHere):
			n.shelf.drop(h.sub.ID)
		case err != nil:
			return // the store is away: at the next tick
		}
	}
}

// Recall has the subscriptions of a watcher (a MAC, or the number of a static
// password) read from the store before the next NOTIFY: some of them have ended.
func (n *Notifier) Recall(tenant directory.TenantCode, mac, number string) {
	n.shelf.recall(func(s presence.Subscription) bool {
		return s.Tenant == tenant && (mac != "" && s.MAC == mac || mac == "" && s.MAC == "" && s.Number == number)
	})
}
