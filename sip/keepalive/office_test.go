package keepalive

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/flow"
	"perch/sip/location"
)

// fakeStore keeps contacts in memory.
type fakeStore struct {
	mu   sync.Mutex
	sets map[string]location.Set
	away bool
	next error // of the next commit
}

func (s *fakeStore) Contacts(_ context.Context, _ directory.TenantCode, user string) (location.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return location.Set{}, hotdesk.ErrUnavailable
	}
	set := s.sets[user]
	set.Contacts = slices.Clone(set.Contacts)
	return set, nil
}

func (s *fakeStore) CommitContacts(_ context.Context, c location.Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.next; err != nil {
		s.next = nil
		return err
	}
	if s.away {
		return hotdesk.ErrUnavailable
	}
	if s.sets[c.User].Rev != c.Set.Rev {
		return location.ErrConflict
	}
	s.sets[c.User] = location.Set{Rev: c.Set.Rev + 1, Contacts: c.Set.Contacts}
	return nil
}

func (s *fakeStore) EachContact(_ context.Context, _ directory.TenantCode, f func(string, location.Contact) error) error {
	s.mu.Lock()
	sets := maps.Clone(s.sets)
	s.mu.Unlock()
	for user, set := range sets {
		for _, c := range set.Contacts {
			if err := f(user, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *fakeStore) TenantCodes(context.Context) ([]directory.TenantCode, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, hotdesk.ErrUnavailable
	}
	return []directory.TenantCode{"acme"}, nil
}

// fakeFlows are phones: open says which flows there are and when they were
// heard, deaf which do not answer.
type fakeFlows struct {
	mu    sync.Mutex
	open  map[location.Flow]time.Time
	deaf  map[location.Flow]bool
	sent  []string // "ping <remote>", "OPTIONS <remote>", "hangup <remote>"
	times []time.Duration
	begun time.Time
}

func (p *fakeFlows) note(what string, f location.Flow) {
	p.sent = append(p.sent, what+" "+f.Remote)
	p.times = append(p.times, time.Since(p.begun))
}

func (p *fakeFlows) Send(ctx context.Context, f location.Flow, req *sip.Request) (*sip.Response, error) {
	p.mu.Lock()
	p.note(string(req.Method), f)
	_, open := p.open[f]
	deaf := p.deaf[f]
	p.mu.Unlock()
	switch {
	case !open:
		return nil, flow.ErrGone
	case deaf:
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return sip.NewResponseFromRequest(req, 200, "OK", nil), nil
}

func (p *fakeFlows) Ping(f location.Flow) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note("ping", f)
	if _, open := p.open[f]; !open {
		return flow.ErrGone
	}
	return nil
}

func (p *fakeFlows) Heard(f location.Flow) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, open := p.open[f]
	if !open {
		return at, flow.ErrGone
	}
	return at, nil
}

func (p *fakeFlows) Hangup(f location.Flow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note("hangup", f)
	delete(p.open, f)
}

func (*fakeFlows) HostPort(location.Flow) string { return "192.0.2.9:5060" }

// take gives what was sent since the last call.
func (p *fakeFlows) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.sent
	p.sent = nil
	return out
}

// when tells how long after the beginning each was sent.
func (p *fakeFlows) when() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.times)
}

// moved remembers which subscriptions were moved.
type moved struct {
	mu   sync.Mutex
	list []string
}

func (m *moved) Move(_ context.Context, _ directory.TenantCode, watcher string, from, to location.Flow) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, watcher+" "+from.ID+">"+to.ID)
	return nil
}

// office is a running Keeper in a bubble of fake time.
type office struct {
	*testing.T
	k      *Keeper
	store  *fakeStore
	flows  *fakeFlows
	moved  *moved
	closed chan string
}

func run(t *testing.T, f func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &office{
			T: t, store: &fakeStore{sets: map[string]location.Set{}}, moved: &moved{}, closed: make(chan string, 10),
			flows: &fakeFlows{open: map[location.Flow]time.Time{}, deaf: map[location.Flow]bool{}, begun: time.Now()},
		}
		var err error
		o.k, err = New(Options{Node: "n1", Flows: o.flows, Store: o.store, Subscriptions: o.moved, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		f(o)
	})
}

// start runs the keeper; what is stored before is found by it.
func (o *office) start() {
	o.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.k.Run(ctx, o.closed) }()
	synctest.Wait()
	o.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			o.Error(err)
		}
	})
}

// pass lets fake time go by, and what it brings about.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func udp(remote string) location.Flow {
	return location.Flow{Node: "n1", Transport: "udp", Remote: remote, Local: "192.0.2.9:5060"}
}

func tcp(id string) location.Flow {
	return location.Flow{Node: "n1", ID: id, Transport: "tcp", Remote: id + ":4000", Local: "192.0.2.9:5060"}
}

// put stores a contact; it does not tell the keeper.
func (o *office) put(user string, c location.Contact) location.Contact {
	o.Helper()
	now := time.Now()
	if c.URI == "" {
		c.URI = "sip:" + user + "@192.0.2.1"
	}
	c.AOR, c.Expires, c.Updated = directory.AOR{User: user, Domain: "acme.test"}, now.Add(time.Hour).UnixMilli(), now.UnixMilli()
	set := o.store.sets[user]
	o.store.sets[user] = location.Set{Rev: set.Rev + 1, Contacts: append(set.Contacts, c)}
	o.flows.open[c.Flow] = now
	return c
}

// register stores a contact and tells the keeper.
func (o *office) register(user string, c location.Contact) {
	o.Helper()
	c = o.put(user, c)
	o.k.Registered(location.Commit{Tenant: "acme", User: user, Added: []location.Contact{c}, Set: o.store.sets[user]})
}

func (o *office) contacts(user string) []location.Contact {
	o.store.mu.Lock()
	defer o.store.mu.Unlock()
	return o.store.sets[user].Contacts
}
