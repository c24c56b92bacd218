package reload

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/internal/event"
	"perch/provisioning/brand"
)

// pusher is a world whose phone may be sent its settings.
type pusher struct {
	*world
	body []byte
	can  bool
	took int
}

func (p *pusher) Change(context.Context, directory.Device) (brand.Attempt, Pushed, bool, error) {
	return brand.Attempt{Event: "test-xml", Body: p.body, Wait: brand.PushWait}, Pushed{Session: "new", Targets: []string{"1002"}}, p.can, nil
}

func (p *pusher) Took(_ context.Context, _ directory.Device, n Pushed) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took++
	p.trace.Apply(event.Event{Type: event.ConfigPushed, MAC: desk.MAC.String(), Session: n.Session, Targets: n.Targets, At: time.Now().UnixMilli()})
	return nil
}

func (p *pusher) run(t *testing.T) {
	t.Helper()
	recipe := brand.CheckSync(10*time.Second, 90*time.Second)
	recipe.Push = func([]byte, []byte) (brand.Attempt, bool) { return brand.Attempt{}, true }
	b := brand.Brand{Name: "yealink", Recipe: recipe, Render: func(brand.Desk, brand.File) (brand.Rendered, error) { return brand.Rendered{}, nil }}
	worker := NewWorker(Parts{Store: p, Phones: p, Directory: p, Secrets: p, Sender: p, Pusher: p, Brands: brand.List{b}, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := worker.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestWorkerPushes(t *testing.T) {
	big := make([]byte, maxDatagram+1)
	cases := []struct {
		name    string
		edit    func(*pusher)
		answers []int
		sent    []string
		took    int
		state   trace.State
		fetched bool
	}{
		{name: "taken", sent: []string{"test-xml"}, took: 1, state: trace.Ready},
		{name: "not allowed", edit: func(p *pusher) { p.screen = directory.PushMessages }, sent: []string{"check-sync;reboot=false"}, state: trace.Ready, fetched: true},
		{name: "what it has is not known", edit: func(p *pusher) { p.can = false }, sent: []string{"check-sync;reboot=false"}, state: trace.Ready, fetched: true},
		{name: "refused", answers: []int{489}, sent: []string{"test-xml", "check-sync;reboot=false"}, state: trace.Ready, fetched: true},
		{name: "silence", answers: []int{0}, sent: []string{"test-xml", "check-sync;reboot=false"}, state: trace.Ready, fetched: true},
		{name: "taken and forgotten", edit: func(p *pusher) { p.forgets = true }, sent: []string{"test-xml", "check-sync;reboot=false"}, took: 1, state: trace.Ready, fetched: true},
		{
			name: "too long for a datagram", edit: func(p *pusher) { p.body = big; p.contacts[1].Flow.Transport = "udp" },
			sent: []string{"check-sync;reboot=false"}, state: trace.Ready, fetched: true,
		},
		{
			name: "not too long for a connection", edit: func(p *pusher) { p.body = big; p.contacts[1].Flow.Transport = "tcp" },
			sent: []string{"test-xml"}, took: 1, state: trace.Ready,
		},
		{name: "a reboot was asked for", edit: func(p *pusher) { p.intent.Reboot = true }, sent: []string{"check-sync;reboot=true"}, state: trace.Ready, fetched: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.brand, w.screen, w.answers = "yealink", directory.PushSettings, c.answers
				p := &pusher{world: w, body: []byte("<x/>"), can: true}
				w.onSend = func(w *world) {
					at := time.Now().UnixMilli()
					if n := w.sent[len(w.sent)-1]; n.Event != "test-xml" {
						w.phoneDoes(at)
						w.trace.Apply(event.Event{Type: event.SubscriptionLit, MAC: desk.MAC.String(), Session: "new", At: at, Target: "1002"})
					} else if !w.forgets && len(w.answers) == 0 {
						w.trace.Apply(event.Event{Type: event.ContactAdded, MAC: desk.MAC.String(), Session: "new", At: at, Target: "1001"})
						w.trace.Apply(event.Event{Type: event.SubscriptionLit, MAC: desk.MAC.String(), Session: "new", At: at, Target: "1002"})
					}
				}
				if c.edit != nil {
					c.edit(p)
				}
				p.run(t)
				var sent []string
				for _, n := range w.sent {
					sent = append(sent, n.Event)
				}
				if len(sent) != len(c.sent) {
					t.Fatalf("sent %q, want %q", sent, c.sent)
				}
				for i := range sent {
					if sent[i] != c.sent[i] {
						t.Errorf("sent %q, want %q", sent, c.sent)
					}
				}
				if p.took != c.took || w.trace.State != c.state || w.trace.Has(trace.Fetched) != c.fetched || w.intent != nil {
					t.Errorf("took %d, trace %+v, intent %v", p.took, w.trace, w.intent)
				}
			})
		})
	}
}
