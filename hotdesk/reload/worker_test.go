package reload

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/internal/event"
	"perch/provisioning/brand"
	"perch/sip/location"
)

var desk = directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1}}

// world is one device with one intent; it folds what the worker writes into
// the trace, as the trace job does.
type world struct {
	mu       sync.Mutex
	intent   *Intent
	due      time.Time
	trace    trace.Trace
	contacts []location.Contact
	brand    string
	busy     time.Time

	answers []int // of the NOTIFYs; -1: the flow is gone
	sent    []Notice
	sentAt  []time.Time
	missing bool
	forgets bool   // it accepts what is pushed and does nothing
	screen  string // the tenant's screen.push
	onSend  func(w *world)
}

func newWorld() *world {
	now := time.Now()
	return &world{
		intent: &Intent{Trace: "t1", Tenant: "acme", MAC: desk.MAC.String(), Session: "new", Created: now.UnixMilli()},
		due:    now, brand: "testphone",
		trace: trace.Trace{ID: "t1", Kind: trace.Login, Tenant: "acme", MAC: desk.MAC.String(), Session: "new", State: trace.Running, Started: now.UnixMilli()},
		contacts: []location.Contact{
			{URI: "sip:old@192.0.2.1", MAC: desk.MAC.String(), AOR: directory.AOR{User: "1009", Domain: "192.0.2.9"}, Session: "old", Expires: now.Add(time.Hour).UnixMilli(), Updated: now.UnixMilli() - 5},
			{URI: "sip:idle@192.0.2.1", MAC: desk.MAC.String(), AOR: directory.AOR{User: desk.MAC.String(), Domain: "acme.test"}, Expires: now.Add(time.Hour).UnixMilli(), Updated: now.UnixMilli()},
			{URI: "sip:gone@192.0.2.1", MAC: desk.MAC.String(), Expires: now.UnixMilli() - 1, Updated: now.UnixMilli() + 5},
		},
	}
}

func (w *world) ClaimReloads(_ context.Context, now time.Time, lease time.Duration, _ int) ([]Intent, time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.intent == nil {
		return nil, time.Time{}, nil
	}
	if w.due.After(now) {
		return nil, w.due, nil
	}
	w.due = now.Add(lease)
	return []Intent{*w.intent}, time.Time{}, nil
}

func (w *world) SaveReload(_ context.Context, i Intent, due time.Time, events ...event.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.intent == nil || w.intent.Trace != i.Trace {
		return ErrSuperseded
	}
	*w.intent, w.due = i, due
	w.fold(events)
	return nil
}

func (w *world) CloseReload(_ context.Context, i Intent, events ...event.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.intent = nil
	w.fold(events)
	return nil
}

func (w *world) fold(events []event.Event) {
	for _, e := range events {
		w.trace.Apply(e)
	}
}

func (w *world) Seats(context.Context, directory.DeviceID) (hotdesk.Seats, error) {
	return hotdesk.Seats{}, nil
}

func (w *world) DeviceContacts(context.Context, directory.DeviceID, hotdesk.Seats) ([]location.Contact, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.contacts, nil
}

func (w *world) Busy(_ context.Context, _ directory.DeviceID, now time.Time) (time.Time, bool, error) {
	return w.busy, w.busy.After(now), nil
}

func (w *world) Trace(context.Context, directory.DeviceID) (trace.Trace, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.trace
	t.Steps = append([]trace.Step(nil), t.Steps...)
	return t, nil
}

func (w *world) Tenant(context.Context, directory.TenantCode) (directory.Tenant, error) {
	return directory.Tenant{Code: "acme", Domains: []string{"acme.test"}, Policy: directory.Policy{Screen: directory.ScreenPolicy{Push: w.screen}}}, nil
}

func (w *world) Device(_ context.Context, id directory.DeviceID) (directory.Device, error) {
	if w.missing {
		return directory.Device{}, hotdesk.ErrNotFound
	}
	return directory.Device{ID: id, Brand: w.brand}, nil
}

func (w *world) SIPPassword(_ directory.TenantCode, aor directory.AOR, _ directory.MAC, s directory.SessionID) directory.Secret {
	return directory.Secret("session " + string(s) + " of " + aor.String())
}

func (w *world) AccountPassword(directory.Device, directory.AOR) (directory.Secret, error) {
	return "device account", nil
}

func (w *world) Send(_ context.Context, n Notice) (<-chan int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	status := 200
	if len(w.sent) < len(w.answers) {
		status = w.answers[len(w.sent)]
	}
	w.sent, w.sentAt = append(w.sent, n), append(w.sentAt, time.Now())
	if status < 0 {
		return nil, ErrNoFlow
	}
	if w.onSend != nil {
		w.onSend(w)
	}
	ch := make(chan int, 1)
	ch <- status
	return ch, nil
}

func (w *world) run(t *testing.T) {
	t.Helper()
	b := brand.Brand{Name: "yealink", Recipe: brand.CheckSync(10*time.Second, 90*time.Second), Render: func(brand.Desk, brand.File) (brand.Rendered, error) { return brand.Rendered{}, nil }}
	if w.brand == "testphone" {
		w.brand = "yealink"
	}
	worker := NewWorker(Parts{Store: w, Phones: w, Directory: w, Secrets: w, Sender: w, Brands: brand.List{b}, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := worker.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	<-ctx.Done()
	<-done
}

func (w *world) phoneDoes(at int64) {
	w.trace.Apply(event.Event{Type: event.ConfigFetched, MAC: desk.MAC.String(), Session: "new", At: at})
	w.trace.Apply(event.Event{Type: event.ContactAdded, MAC: desk.MAC.String(), Session: "new", At: at, Target: "1001"})
}

func TestWorkerEndsInReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.onSend = func(w *world) { w.phoneDoes(time.Now().UnixMilli()) }
		w.run(t)
		if len(w.sent) != 1 || w.trace.State != trace.Ready || w.intent != nil {
			t.Fatalf("sent %d, %s, intent %v", len(w.sent), w.trace.State, w.intent)
		}
		n := w.sent[0]
		if n.Contact.URI != "sip:idle@192.0.2.1" || n.Password != "device account" || n.Username != desk.MAC.String() {
			t.Errorf("notice %+v: want the newest live contact, signed as the phone registered it", n)
		}
	})
}

func TestWorkerSignsWithTheOutgoingSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.contacts = w.contacts[:1]
		w.onSend = func(w *world) { w.phoneDoes(time.Now().UnixMilli()) }
		w.run(t)
		if len(w.sent) != 1 || w.sent[0].Password != "session old of sip:1009@acme.test" {
			t.Fatalf("sent %+v, want the password of the session the phone still holds", w.sent)
		}
	})
}

func TestWorkerEscalatesAndNamesTheStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.answers = []int{0, 404, 200}
		w.run(t)
		var events []string
		for _, n := range w.sent {
			events = append(events, n.Event)
		}
		if len(events) != 3 || events[2] != "check-sync;reboot=true" {
			t.Fatalf("sent %q, want two reloads and a reboot", events)
		}
		if gap := w.sentAt[1].Sub(w.sentAt[0]); gap < 10*time.Second {
			t.Errorf("silence: next after %s, want the brand's wait", gap)
		}
		if gap := w.sentAt[2].Sub(w.sentAt[1]); gap > time.Second {
			t.Errorf("404: next after %s, want at once", gap)
		}
		if s, _ := w.trace.Step(trace.Fetched); w.trace.State != trace.Failed || s.Error == "" {
			t.Errorf("trace %+v, want failed at fetched", w.trace)
		}
	})
}

func TestWorkerWaitsForACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		begun := time.Now()
		w.busy = begun.Add(10 * time.Minute)
		w.onSend = func(w *world) { w.phoneDoes(time.Now().UnixMilli()) }
		w.run(t)
		if len(w.sent) != 1 || w.sentAt[0].Sub(begun) < 10*time.Minute {
			t.Fatalf("sent %v, want once, after the call", w.sentAt)
		}
	})
}

func TestWorkerGivesUpOnAGoneFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.answers = make([]int, 1000)
		for i := range w.answers {
			w.answers[i] = -1
		}
		w.run(t)
		if s, _ := w.trace.Step(trace.Notified); s.Error == "" || w.trace.Has(trace.Notified) {
			t.Errorf("trace %+v, want failed at notified", w.trace.Steps)
		}
	})
}

func TestWorkerSkipsABrandWithoutTemplates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.brand = "panasonic"
		w.run(t)
		if len(w.sent) != 0 || w.trace.State != trace.Ready {
			t.Errorf("sent %d, trace %+v: want all steps skipped", len(w.sent), w.trace)
		}
	})
}

func TestWorkerDropsADeletedDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.missing = true
		w.run(t)
		if len(w.sent) != 0 || w.intent != nil {
			t.Errorf("sent %d, intent %v: want it dropped", len(w.sent), w.intent)
		}
	})
}
