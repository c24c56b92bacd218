package siptrace

import (
	"slices"
	"strings"
	"sync"
)

// Filter says whose messages a watcher wants: a device's, or an extension's.
type Filter struct {
	MAC     string   // 12 lower-case hex digits
	Number  string   // of an extension; Domains are its tenant's
	Domains []string // lower case
	Peers   []string // ip:port where the device or extension is known to be: its contacts
}

// maxPeers bounds the addresses that a watcher follows: a phone has one, and a
// new one when it or its NAT starts anew. The oldest gives way.
const maxPeers = 16

// Watcher is one who watches.
type Watcher struct {
	t      *Tracer
	filter Filter
	news   chan Message

	mu      sync.Mutex
	peers   []string
	dropped uint64
}

func newWatcher(t *Tracer, f Filter) *Watcher {
	return &Watcher{t: t, filter: f, news: make(chan Message, backlog), peers: slices.Clone(f.Peers[:min(len(f.Peers), maxPeers)])}
}

// C gives the messages. It is never closed.
func (w *Watcher) C() <-chan Message { return w.news }

// Close ends the watch. It is safe twice.
func (w *Watcher) Close() { w.t.leave(w) }

// wants tells whether a packet is for this watcher: it names the device or the
// extension, or it goes to or comes from where that one was last seen. A packet
// from there that authenticates as another device is not.
func (w *Watcher) wants(p Packet, n *names) bool {
	named := w.named(n)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !named {
		return slices.Contains(w.peers, p.Remote) && !w.isOther(n)
	}
	if p.In && n.request && w.isSender(n) && !slices.Contains(w.peers, p.Remote) {
		if len(w.peers) >= maxPeers {
			w.peers = slices.Delete(w.peers, 0, 1)
		}
		w.peers = append(w.peers, p.Remote)
	}
	return true
}

func (w *Watcher) named(n *names) bool {
	return w.isUsername(n) || slices.ContainsFunc(n.users, w.isUser)
}

func (w *Watcher) isUser(u userAt) bool {
	if w.filter.MAC != "" {
		return strings.EqualFold(u.user, w.filter.MAC)
	}
	return u.user == w.filter.Number && slices.Contains(w.filter.Domains, strings.ToLower(u.host))
}

func (w *Watcher) isUsername(n *names) bool {
	return w.filter.MAC != "" && strings.EqualFold(n.username, w.filter.MAC)
}

// isSender tells whether the packet is the device's or extension's own, not
// only for or about it. A claim in From is enough: whoever watches sees
// strangers who pretend, too.
func (w *Watcher) isSender(n *names) bool { return w.isUsername(n) || w.isUser(n.from) }

func (w *Watcher) isOther(n *names) bool {
	return w.filter.MAC != "" && isMAC(n.username) && !w.isUsername(n)
}

// give hands a message over, or drops it.
func (w *Watcher) give(m Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m.Dropped = w.dropped
	select {
	case w.news <- m:
	default:
		w.dropped++
	}
}

func isMAC(s string) bool {
	return len(s) == 12 && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}
