package notify_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/internal/credential"
	"perch/sip/dialog"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
	"perch/sip/notify"
	"perch/sip/presence"
)

// desk is a Notifier with nothing real around it, for what takes long.
type desk struct {
	notify.Tenants
	notify.Watchers
	handler.Authenticator
	mu     sync.Mutex
	subs   map[string]presence.Subscription
	ended  []string
	sent   []time.Duration
	start  time.Time
	answer func(n int) (*sip.Response, error)
	away   bool // the store, the first time a lamp is lit
	lit    int
	saves  int
	lamp   flicker
	seen   func(*sip.Request) // each request; may be nil
}

func (d *desk) Contact(location.Flow, string) string { return "sip:perch@192.0.2.1" }

func (d *desk) Send(ctx context.Context, _ location.Flow, req *sip.Request) (*sip.Response, error) {
	d.mu.Lock()
	d.sent = append(d.sent, time.Since(d.start))
	n := len(d.sent)
	if d.seen != nil {
		d.seen(req)
	}
	d.mu.Unlock()
	return d.answer(n)
}

func (d *desk) Subscription(_ context.Context, _ directory.TenantCode, id string) (presence.Subscription, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.subs[id]
	if !ok {
		return s, hotdesk.ErrNotFound
	}
	return s, nil
}

func (d *desk) SaveSubscription(_ context.Context, s presence.Subscription) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.subs[s.ID] = s
	d.saves++
	return nil
}

func (d *desk) EndSubscription(_ context.Context, _ directory.TenantCode, id, reason string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.subs, id)
	d.ended = append(d.ended, reason)
	return nil
}

func (d *desk) Lit(context.Context, presence.Subscription) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away {
		d.away = false
		return errAway
	}
	d.lit++
	return nil
}

func (d *desk) TenantCodes(context.Context) ([]directory.TenantCode, error) {
	return []directory.TenantCode{"acme"}, nil
}

func (d *desk) Tenant(context.Context, directory.TenantCode) (directory.Tenant, error) {
	return directory.Tenant{Code: "acme", Domains: []string{"acme.test"}}, nil
}

func (d *desk) Subscriptions(context.Context, directory.TenantCode) iter.Seq2[presence.Subscription, error] {
	return func(yield func(presence.Subscription, error) bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, s := range d.subs {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (d *desk) Device(context.Context, directory.DeviceID) (directory.Device, error) {
	return directory.Device{Brand: "snom"}, nil
}

func (d *desk) Extension(context.Context, directory.ExtensionID) (directory.Extension, error) {
	return directory.Extension{}, hotdesk.ErrNotFound
}

// flicker is idle, and once it is on another state whenever it is looked at.
type flicker struct {
	on atomic.Bool
	n  atomic.Int64
}

func (f *flicker) Watch(directory.ExtensionID) presence.State {
	if !f.on.Load() {
		return presence.State{}
	}
	return presence.State{Dialogs: []presence.Dialog{{ID: strconv.FormatInt(f.n.Add(1), 10), Phase: presence.Confirmed}}}
}

// newDesk makes a Notifier over one subscription.
func newDesk(t testing.TB, answer func(n int) (*sip.Response, error)) (*desk, *notify.Notifier) {
	t.Helper()
	dlg, err := dialog.NewUAS(dialog.Message{
		RequestURI: "sip:1002@acme.test", CallID: "c", From: "<sip:1001@acme.test>;tag=f", To: "<sip:1002@acme.test>",
		Contact: "<sip:1001@192.0.2.7>", CSeq: 1,
	}, "mine")
	if err != nil {
		t.Fatal(err)
	}
	sub := presence.Subscription{
		ID: "s1", Tenant: "acme", Event: "dialog", Target: "1002", Entity: "sip:1002@acme.test", MAC: desk1.MAC.String(),
		Flow: location.Flow{Node: "test", Transport: "udp"}, Expires: time.Now().Add(time.Hour).UnixMilli(), Dialog: encode(t, dlg),
	}
	key, err := credential.FromBytes([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{subs: map[string]presence.Subscription{"s1": sub}, start: time.Now(), answer: answer}
	n, err := notify.New(notify.Options{
		Node: "test", Flows: d, Store: d, Watchers: d, Tenants: d, Directory: d, Secrets: key,
		Lamps: &d.lamp, Auth: d, Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, n
}

// serve runs such a Notifier inside a bubble.
func serve(t *testing.T, answer func(n int) (*sip.Response, error), f func(*testing.T, *desk, *notify.Notifier)) {
	synctest.Test(t, func(t *testing.T) {
		d, n := newDesk(t, answer)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = n.Run(ctx) }()
		synctest.Wait()
		d.lamp.on.Store(true)
		f(t, d, n)
		cancel()
		<-done
		if err := errors.Join(n.Close(), n.Close()); err != nil {
			t.Error(err)
		}
	})
}

func response(code int, headers ...sip.Header) *sip.Response {
	r := sip.NewResponse(code, "")
	for _, h := range headers {
		r.AppendHeader(h)
	}
	return r
}

// settle lets everything come to its end that has one within the time.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestSilentPhone(t *testing.T) {
	silence := func(int) (*sip.Response, error) { time.Sleep(flow.Timeout); return nil, flow.ErrTimeout }
	serve(t, silence, func(t *testing.T, d *desk, n *notify.Notifier) {
		n.Changed("acme", "1002")
		n.Changed("acme", "1002") // one more, with what is true then
		settle(5 * time.Minute)
		if len(d.sent) != 3 || len(d.ended) != 1 || d.ended[0] != "no_answer" {
			t.Errorf("sent at %v, ended %v", d.sent, d.ended)
		}
	})
}

func TestBusyPhone(t *testing.T) {
	answer := func(n int) (*sip.Response, error) {
		switch n {
		case 1:
			return response(500), nil
		case 2:
			return response(503, sip.NewHeader("Retry-After", "20 (later);duration=5")), nil
		}
		return response(200), nil
	}
	serve(t, answer, func(t *testing.T, d *desk, n *notify.Notifier) {
		n.Changed("acme", "1002")
		settle(5 * time.Minute)
		if len(d.sent) != 3 || len(d.ended) != 0 || d.sent[1] != 5*time.Second || d.sent[2] != 25*time.Second {
			t.Errorf("sent at %v, ended %v", d.sent, d.ended)
		}
		if v := d.subs["s1"].Version; v != 2 {
			t.Errorf("version %d", v)
		}
	})
}

// Changes while a NOTIFY is under way are one more NOTIFY.
func TestChangesCollapse(t *testing.T) {
	slow := func(int) (*sip.Response, error) { time.Sleep(time.Second); return response(200), nil }
	serve(t, slow, func(t *testing.T, d *desk, n *notify.Notifier) {
		for range 50 {
			n.Changed("acme", "1002")
			synctest.Wait()
		}
		settle(10 * time.Second)
		if len(d.sent) != 2 || d.sent[1] != time.Second {
			t.Errorf("sent at %v", d.sent)
		}
	})
}

// Silence is 0, and so is a phone that challenges and then falls silent.
func TestReloadSilence(t *testing.T) {
	answer := func(n int) (*sip.Response, error) {
		if n == 2 {
			return response(401, sip.NewHeader("WWW-Authenticate", `Digest realm="p", nonce="n"`)), nil
		}
		time.Sleep(flow.Timeout)
		return nil, flow.ErrTimeout
	}
	serve(t, answer, func(t *testing.T, d *desk, n *notify.Notifier) {
		for range 2 {
			ch, err := n.Send(t.Context(), reload.Notice{
				Domain: "acme.test", CallID: "c", Event: "check-sync",
				Contact: location.Contact{URI: "sip:a@192.0.2.7", AOR: directory.AOR{User: "a", Domain: "acme.test"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := <-ch; got != 0 {
				t.Errorf("status %d", got)
			}
		}
		if len(d.sent) != 3 {
			t.Errorf("sent at %v", d.sent)
		}
	})
}

// A lamp that is lit while the store is away is noted all the same.
func TestLitIsNotLost(t *testing.T) {
	ok := func(int) (*sip.Response, error) { return response(200), nil }
	serve(t, ok, func(t *testing.T, d *desk, n *notify.Notifier) {
		d.away = true
		n.Changed("acme", "1002")
		settle(time.Minute)
		if d.lit != 1 || len(d.sent) != 2 {
			t.Errorf("lit %d times, sent at %v", d.lit, d.sent)
		}
	})
}

// Close ends what waits for a silent phone; nothing is ended in the store.
func TestCloseWhileWaiting(t *testing.T) {
	busy := func(int) (*sip.Response, error) { return response(503), nil }
	serve(t, busy, func(t *testing.T, d *desk, n *notify.Notifier) {
		n.Changed("acme", "1002")
		settle(time.Second)
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		n.Changed("acme", "1002")
		settle(time.Minute)
		if len(d.sent) != 1 || len(d.ended) != 0 {
			t.Errorf("sent at %v, ended %v", d.sent, d.ended)
		}
	})
}

// BenchmarkState is one NOTIFY of a subscription: read, count, store, render,
// build; the store and the phone cost nothing here.
func BenchmarkState(b *testing.B) {
	sent := make(chan struct{}, 1)
	d, n := newDesk(b, func(int) (*sip.Response, error) { sent <- struct{}{}; return response(200), nil })
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = n.Run(ctx) }()
	defer func() { cancel(); <-done; _ = n.Close() }()
	d.lamp.on.Store(true)
	for taken := false; !taken; { // until Run has taken up the subscription
		n.Changed("acme", "1002")
		select {
		case <-sent:
			taken = true
		default:
			runtime.Gosched()
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n.Changed("acme", "1002")
		<-sent
	}
}
