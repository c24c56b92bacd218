package notify_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/notify"
	"perch/sip/presence"
)

type notifyOptions = notify.Options

// busy says that everybody talks.
type busy struct{}

func (busy) Watch(directory.ExtensionID) presence.State {
	return presence.State{Dialogs: []presence.Dialog{{ID: "1", Phase: presence.Confirmed}}}
}

// A refresh of a session that has ended gets 401, from the dialog's own flow too.
func TestRefreshOfAnEndedSession(t *testing.T) {
	o := open(t)
	_, password := o.login("1001", desk1)
	p := o.phone("udp", "1001", desk1.MAC.String(), password)
	want(t, p.subscribe(grace, event), 200)
	p.reply(p.request(), "200 OK")
	_, err := o.store.Unbind(t.Context(), hotdesk.UnbindRequest{ID: "out", Now: time.Now(), Device: desk1, Line: 1, Trace: "t9", Door: hotdesk.CLI})
	o.must(err)
	res := p.once(grace, event)
	want(t, res, 401)
	if !strings.HasPrefix(res.get("www-authenticate"), "Digest ") {
		t.Errorf("no challenge:\n%s", res.text)
	}
	want(t, p.subscribe(grace, event), 401)
}

// From another address the sender must prove who it is, and be the watcher.
func TestRefreshFromElsewhere(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	want(t, p.subscribe(grace, event), 200)
	p.reply(p.request(), "200 OK")

	thief := o.device("udp", desk2)
	thief.callID, thief.toTag, thief.cseq = p.callID, p.toTag, 50
	thief.write(strings.ReplaceAll(thief.subscribeText(grace, event, "Expires: 0"), thief.user, p.user))
	want(t, next(t, thief.responses, "response"), 401)
	want(t, thief.subscribe(grace, event, "Expires: 0"), 481)

	moved := o.device("tcp", desk1)
	moved.callID, moved.toTag, moved.cseq = p.callID, p.toTag, p.cseq
	want(t, moved.once(grace, event), 401)
	want(t, moved.subscribe(grace, event), 200)
	m := moved.request() // by its new flow, to its new target
	checkNotify(t, m, "1", grace, "active")
	if !strings.HasPrefix(m.first, "NOTIFY sip:"+p.user+"@"+moved.conn.LocalAddr().String()) {
		t.Errorf("Request-URI: %s", m.first)
	}
	moved.reply(m, "200 OK")
	p.silent()
}

// A subscription that nobody refreshes ends with a NOTIFY that says so.
func TestExpiry(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	want(t, p.subscribe(grace, event, "Expires: 60"), 200)
	p.reply(p.request(), "200 OK")
	o.later(62 * time.Second) // within the grace for a late refresh
	want(t, p.once(grace, event, "Expires: 60"), 200)
	m := p.request()
	checkNotify(t, m, "1", grace, "active;expires=60")
	p.reply(m, "200 OK")
	o.later(66 * time.Second)
	m = p.request()
	checkNotify(t, m, "2", grace, "terminated;reason=timeout")
	p.reply(m, "200 OK")
	if l := o.of(desk1.MAC.String()); len(l) != 0 {
		t.Errorf("still stored: %+v", l)
	}
	want(t, p.once(grace, event), 481)
}

// A new Notifier over the same store goes on where the old one was: numbers,
// refreshes, changes and the end.
func TestRestart(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	want(t, p.subscribe(grace, event, "Expires: 60"), 200)
	p.reply(p.request(), "200 OK")
	o.restart()
	want(t, p.once(grace, event, "Expires: 60"), 200)
	m := p.request()
	checkNotify(t, m, "1", grace, "active")
	if m.get("cseq") != "2 NOTIFY" {
		t.Errorf("CSeq %s", m.get("cseq"))
	}
	p.reply(m, "200 OK")
	o.restart()
	eventually(t, "taken up", func() bool { o.notifier.Changed("acme", "1002"); return len(p.requests) > 0 })
	m = p.request()
	checkNotify(t, m, "2", grace, "active")
	p.reply(m, "200 OK")
	o.restart()
	o.later(2 * time.Minute)
	for m = p.request(); !strings.HasPrefix(m.get("subscription-state"), "terminated"); m = p.request() {
		p.reply(m, "200 OK")
	}
	p.reply(m, "200 OK")
}

// The phone says that it has no such subscription: so it ends here too.
func TestRefusedNotify(t *testing.T) {
	for _, status := range []string{"481 No Dialog", "489 Bad Event", "404 Not Found"} {
		t.Run(status, func(t *testing.T) {
			o := open(t)
			p := o.device("udp", desk1)
			want(t, p.subscribe(grace, event), 200)
			p.reply(p.request(), status)
			eventually(t, "ended", func() bool { return len(o.of(desk1.MAC.String())) == 0 })
			want(t, p.once(grace, event), 481)
		})
	}
}

// What a phone refuses for another reason concerns that NOTIFY alone: the
// subscription stays, its lamp is not lit.
func TestUnlovedNotify(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	want(t, p.subscribe(grace, event), 200)
	p.reply(p.request(), "415 Unsupported Media Type")
	want(t, p.once(grace, event), 200)
	m := p.request()
	if l := o.of(desk1.MAC.String()); len(l) != 1 || l[0].Lit {
		t.Errorf("stored %+v", l)
	}
	p.reply(m, "503 Busy", "Retry-After: 1")
	m = p.request() // asked again
	checkNotify(t, m, "2", grace, "active")
	p.reply(m, "200 OK")
	eventually(t, "lit", func() bool { l := o.of(desk1.MAC.String()); return len(l) == 1 && l[0].Lit })
}

// A connection that closes takes its NOTIFYs with it, not its subscription.
func TestStaleFlow(t *testing.T) {
	o := open(t)
	p := o.device("tcp", desk1)
	want(t, p.subscribe(grace, event), 200)
	p.reply(p.request(), "200 OK")
	o.must(p.conn.Close())
	o.notifier.Changed("acme", "1002")
	q := o.device("tcp", desk1)
	q.callID, q.toTag, q.cseq = p.callID, p.toTag, p.cseq
	want(t, q.subscribe(grace, event), 200)
	m := q.request()
	checkNotify(t, m, documentOf(t, m).Version, grace, "active")
	q.reply(m, "200 OK")
}

// faulty is a store that is away when told so.
type faulty struct {
	notify.Store
	save, read atomic.Bool
}

var errAway = errors.Join(errors.New("connection refused"), hotdesk.ErrUnavailable)

func (f *faulty) SaveSubscription(ctx context.Context, s presence.Subscription) error {
	if f.save.Load() {
		return errAway
	}
	return f.Store.SaveSubscription(ctx, s)
}

func (f *faulty) Subscription(ctx context.Context, t directory.TenantCode, id string) (presence.Subscription, error) {
	if f.read.Load() {
		return presence.Subscription{}, errAway
	}
	return f.Store.Subscription(ctx, t, id)
}

// While the store is away nothing is guessed: 503 with Retry-After, no NOTIFY.
func TestStoreAway(t *testing.T) {
	var f *faulty
	o := open(t, func(opts *notifyOptions) { f = &faulty{Store: opts.Store}; opts.Store = f })
	f.save.Store(true)
	p := o.device("udp", desk1)
	res := p.subscribe(grace, event)
	want(t, res, 503)
	if res.get("retry-after") == "" {
		t.Error("no Retry-After")
	}
	f.save.Store(false)
	want(t, p.subscribe(grace, event), 200)
	p.reply(p.request(), "200 OK")
	f.read.Store(true)
	want(t, p.once(grace, event), 503)
	f.read.Store(false)
	f.save.Store(true)
	want(t, p.once(grace, event), 503)
	f.save.Store(false)
	want(t, p.once(grace, event), 200)
	m := p.request()
	checkNotify(t, m, "1", grace, "active")
	p.reply(m, "200 OK")
}
