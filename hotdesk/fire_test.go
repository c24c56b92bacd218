package hotdesk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/credential"
	"perch/internal/event"
	"perch/internal/store"
	"perch/internal/store/storetest"
	"perch/sip/location"
)

// The seats under fire: the engine with all its doors on the real store, both
// engines of it. What must hold is looked up in the store and in the events.

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// house is a tenant with desks and people, and the engines of two nodes.
type house struct {
	s       *store.Store
	key     *credential.Key
	tenant  directory.TenantCode
	nodes   [2]*hotdesk.Engine
	clock   atomic.Int64
	n       atomic.Int64
	macs    []directory.MAC
	numbers []string
	people  map[string]directory.Extension
	phones  map[directory.MAC]directory.Device
	policy  directory.Policy
}

func newHouse(f failer, s *store.Store, tenant directory.TenantCode, macs, people int) *house {
	f.Helper()
	key, err := credential.FromBytes(bytes.Repeat([]byte{9}, credential.KeySize))
	if err != nil {
		f.Fatalf("%v", err)
	}
	h := &house{s: s, key: key, tenant: tenant, people: map[string]directory.Extension{}, phones: map[directory.MAC]directory.Device{}}
	h.clock.Store(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).UnixMilli())
	for i := range macs {
		mac := directory.MAC{2, byte(h.hash(tenant)), byte(h.hash(tenant) >> 8), 0, byte(i >> 8), byte(i)}
		h.macs = append(h.macs, mac)
		h.phones[mac] = directory.Device{ID: h.device(mac), Brand: "yealink"}
	}
	for i := range people {
		id := directory.ExtensionID{Tenant: tenant, Number: fmt.Sprint(1000 + i)}
		h.numbers = append(h.numbers, id.Number)
		h.people[id.Number] = directory.Extension{ID: id, PIN: directory.Kept{Value: key.PIN(id, pinOf(id.Number))}}
	}
	for i := range h.nodes {
		h.nodes[i] = h.engine(hotdesk.Parts{})
	}
	h.write(f, store.Changes{Desks: []directory.Desk{{
		ID: directory.DeskID{Tenant: tenant, Code: "pair"}, Seats: []directory.DeskSeat{{MAC: h.macs[0], Line: 1}, {MAC: h.macs[1], Line: 1}},
	}}})
	return h
}

func (h *house) hash(t directory.TenantCode) (n uint16) {
	for _, c := range []byte(t) {
		n = n*31 + uint16(c)
	}
	return n
}

func (h *house) engine(p hotdesk.Parts) *hotdesk.Engine {
	if p.Seating == nil {
		p.Seating = h.s
	}
	if p.Directory == nil {
		p.Directory = h.s
	}
	if p.Attempts == nil {
		p.Attempts = h.s
	}
	p.PINs, p.Keeper, p.News, p.Log = h.key, h.s, h.s, slog.New(slog.DiscardHandler)
	p.Session, p.Now, p.Pause = credential.NewSessionID, h.now, func(context.Context, time.Duration) {}
	return hotdesk.New(p)
}

func pinOf(number string) directory.Secret { return directory.Secret("7" + number) }

func (h *house) device(mac directory.MAC) directory.DeviceID {
	return directory.DeviceID{Tenant: h.tenant, MAC: mac}
}

func (h *house) now() time.Time { return time.UnixMilli(h.clock.Load()) }

// write brings the whole directory in, with further changes.
func (h *house) write(f failer, c store.Changes) {
	f.Helper()
	c.Tenants = []directory.Tenant{{
		Code: h.tenant, Domains: []string{string(h.tenant) + ".test"}, Realm: "r", Policy: h.policy,
		Supervisors: []directory.Supervisor{{Name: "boss", PIN: directory.Kept{Value: h.key.SupervisorPIN(h.tenant, "boss", "9753")}}},
	}}
	for _, e := range h.people {
		c.Extensions = append(c.Extensions, e)
	}
	for _, d := range h.phones {
		c.Devices = append(c.Devices, d)
	}
	if err := h.s.WriteDirectory(context.Background(), c, nil); err != nil {
		f.Fatalf("directory: %v", err)
	}
}

func (h *house) request(number string, mac directory.MAC) hotdesk.LoginRequest {
	n := h.n.Add(1)
	return hotdesk.LoginRequest{
		ID: fmt.Sprintf("request%d", n), At: h.now(), Door: hotdesk.Doors()[n%5], Device: h.device(mac), Number: number, PIN: pinOf(number),
		Source: "device:" + mac.String(),
	}
}

// holds checks all that must hold, whatever happened; most is the largest
// max_logins that was ever in force.
func (h *house) holds(f failer, most int) {
	f.Helper()
	all, err := h.s.AllSeats(context.Background(), h.tenant)
	if err != nil {
		f.Fatalf("%v", err)
	}
	sessions := map[directory.SessionID]bool{}
	desks := map[string]map[string]bool{} // number -> where it is, a desk counting once
	sitting := map[string]string{}        // seat -> session
	for mac, s := range all {
		lines := map[int]bool{}
		for _, b := range s.Bindings {
			if lines[b.Line] || sessions[b.Session] {
				f.Fatalf("two bindings at %s line %d, or two of session %s", mac, b.Line, b.Session)
			}
			lines[b.Line], sessions[b.Session] = true, true
			sitting[fmt.Sprintf("%s/%d", mac, b.Line)] = string(b.Session)
			at := b.Desk
			if at == "" {
				at = mac.String()
			}
			if desks[b.Number] == nil {
				desks[b.Number] = map[string]bool{}
			}
			desks[b.Number][at] = true
		}
		for _, e := range s.Ending {
			if sessions[e.Session] {
				f.Fatalf("session %s has ended and sits there", e.Session)
			}
		}
		h.oneSession(f, mac, s)
	}
	for number, at := range desks {
		if len(at) > most {
			f.Fatalf("%s sits at %v: more than %d", number, at, most)
		}
	}
	h.replayed(f, sitting)
}

// oneSession: contacts, the open reload with its credential, and the trace carry
// a session that sits at the device, or one that is ending, or none.
func (h *house) oneSession(f failer, mac directory.MAC, s hotdesk.Seats) {
	f.Helper()
	live := map[directory.SessionID]bool{"": true}
	for _, b := range s.Bindings {
		live[b.Session] = true
	}
	known := map[directory.SessionID]bool{}
	for _, e := range s.Ending {
		known[e.Session] = true
	}
	if t, err := h.s.Trace(context.Background(), h.device(mac)); err == nil && !live[t.Session] {
		f.Fatalf("the trace of %s is of session %s, which does not sit there", mac, t.Session)
	}
	err := h.s.EachContact(context.Background(), h.tenant, func(user string, c location.Contact) error {
		if c.MAC == mac.String() && !live[c.Session] && !known[c.Session] {
			return fmt.Errorf("%s is registered with session %s, which is neither here nor ending", user, c.Session)
		}
		return nil
	})
	if err != nil {
		f.Fatalf("%v", err)
	}
}

// replayed: the events tell exactly what is: each session began once and ended
// once at most, a seat was left before it was taken again, and what has begun and
// not ended sits there.
func (h *house) replayed(f failer, sitting map[string]string) {
	f.Helper()
	at, began := map[string]string{}, map[directory.SessionID]bool{}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	last := h.marker(f)
	err := h.s.Tail(ctx, map[directory.TenantCode]string{h.tenant: "0"}, func(e event.Event) {
		seat := fmt.Sprintf("%s/%d", e.MAC, max(e.Line, 1))
		switch {
		case e.Tenant != h.tenant:
		case e.Type == event.BindingCreated && (began[e.Session] || at[seat] != ""):
			f.Fatalf("%s began twice, or at a taken seat %s", e.Session, seat)
		case e.Type == event.BindingCreated:
			began[e.Session], at[seat] = true, string(e.Session)
		case e.Type == event.BindingEnded && at[seat] != string(e.Session):
			f.Fatalf("%s ended at %s, where %q sat", e.Session, seat, at[seat])
		case e.Type == event.BindingEnded:
			delete(at, seat)
		case e.Type == event.LoginRefused && e.Trace == last:
			cancel()
		}
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		f.Fatalf("%v", err)
	}
	if fmt.Sprint(at) != fmt.Sprint(sitting) {
		f.Fatalf("the events say %v, the seats %v", at, sitting)
	}
}

// marker writes an event that ends a replay.
func (h *house) marker(f failer) string {
	f.Helper()
	name := fmt.Sprintf("marker%d", h.n.Add(1))
	e := event.Event{Type: event.LoginRefused, At: h.now().UnixMilli(), Tenant: h.tenant, Trace: name}
	if err := h.s.Append(context.Background(), e); err != nil {
		f.Fatalf("%v", err)
	}
	return name
}

// allowed tells an error that policy may give from one that nothing may.
func allowed(err error) bool {
	_, refused := errors.AsType[*hotdesk.Refused](err)
	return err == nil || refused
}

// TestAHundredLoginsAtOnce: from two nodes and every door, at a few desks by a
// few people, everything twice.
func TestAHundredLoginsAtOnce(t *testing.T) {
	for _, c := range []struct {
		name         string
		desks, folks int
	}{{"many people at one desk", 2, 100}, {"one person at many desks", 100, 1}, {"some of each", 10, 10}} {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				h := newHouse(t, s, "crowd", c.desks, c.folks)
				var g sync.WaitGroup
				start := make(chan struct{})
				for i := range 100 {
					r := h.request(h.numbers[i%len(h.numbers)], h.macs[(i*7)%len(h.macs)])
					for _, node := range h.nodes { // the same request at both nodes
						g.Go(func() {
							<-start
							// A busy store may not answer in time: whoever asked asks again.
							for range 50 {
								_, err := node.Login(t.Context(), r)
								if allowed(err) {
									return
								}
								if !errors.Is(err, hotdesk.ErrUnavailable) {
									t.Errorf("%v", err)
									return
								}
							}
							t.Error("the store never answered")
						})
					}
				}
				close(start)
				g.Wait()
				h.holds(t, 1)
			})
		})
	}
}

// flaky is a store that fails once, at the n-th call, before or after it was
// carried out.
type flaky struct {
	*store.Store
	at    int
	after bool
	calls int
}

var errGone = fmt.Errorf("test: %w", hotdesk.ErrUnavailable)

// step tells whether this call fails, and whether it is carried out.
func (f *flaky) step() (do, fail bool) {
	f.calls++
	fail = f.calls == f.at
	return !fail || f.after, fail
}

func through[T any](f *flaky, call func() (T, error)) (T, error) {
	do, fail := f.step()
	var v T
	var err error
	if do {
		v, err = call()
	}
	if fail {
		var none T
		return none, errGone
	}
	return v, err
}

func (f *flaky) Tenant(ctx context.Context, c directory.TenantCode) (directory.Tenant, error) {
	return through(f, func() (directory.Tenant, error) { return f.Store.Tenant(ctx, c) })
}

func (f *flaky) Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error) {
	return through(f, func() (directory.Extension, error) { return f.Store.Extension(ctx, id) })
}

func (f *flaky) Device(ctx context.Context, id directory.DeviceID) (directory.Device, error) {
	return through(f, func() (directory.Device, error) { return f.Store.Device(ctx, id) })
}

func (f *flaky) DeskOf(ctx context.Context, s directory.Seat) (directory.Desk, error) {
	return through(f, func() (directory.Desk, error) { return f.Store.DeskOf(ctx, s) })
}

func (f *flaky) Begin(ctx context.Context, e directory.ExtensionID, source string, now time.Time) (hotdesk.Attempt, error) {
	return through(f, func() (hotdesk.Attempt, error) { return f.Store.Begin(ctx, e, source, now) })
}

func (f *flaky) Succeeded(ctx context.Context, e directory.ExtensionID, source string, now time.Time) error {
	_, err := through(f, func() (struct{}, error) { return struct{}{}, f.Store.Succeeded(ctx, e, source, now) })
	return err
}

func (f *flaky) Bind(ctx context.Context, r hotdesk.BindRequest) (hotdesk.Outcome, error) {
	return through(f, func() (hotdesk.Outcome, error) { return f.Store.Bind(ctx, r) })
}

func (f *flaky) Unbind(ctx context.Context, r hotdesk.UnbindRequest) (hotdesk.Outcome, error) {
	return through(f, func() (hotdesk.Outcome, error) { return f.Store.Unbind(ctx, r) })
}

// TestTheStoreFailsBetweenAnyTwoSteps: a login and a logout whose n-th call gets
// no answer, be it that nothing was done or that all was; asked again under the
// same id, both end as if nothing had happened, and happened once.
func TestTheStoreFailsBetweenAnyTwoSteps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, "flaky", 3, 2)
		for _, after := range []bool{false, true} {
			for at := 1; at <= 8; at++ {
				f := &flaky{Store: s, at: at, after: after}
				e := h.engine(hotdesk.Parts{Directory: f, Seating: f, Attempts: f})
				r := h.request("1000", h.macs[0])
				out, err := e.Login(t.Context(), r)
				if failed := at <= 7; failed != errors.Is(err, hotdesk.ErrUnavailable) {
					t.Fatalf("call %d, after %v: %v", at, after, err)
				}
				f.at = 0
				again, err := e.Login(t.Context(), r)
				if err != nil || again.Binding == nil || again.Already || out.Binding != nil && *out.Binding != *again.Binding {
					t.Fatalf("call %d, after %v, asked again: %+v %v", at, after, again, err)
				}
				h.holds(t, 1)
				f.calls, f.at = 0, 1
				l := hotdesk.LogoutRequest{ID: r.ID + "out", At: h.now(), Door: hotdesk.CLI, Device: r.Device}
				if _, err := e.Logout(t.Context(), l); !errors.Is(err, hotdesk.ErrUnavailable) {
					t.Fatalf("logout: %v", err)
				}
				gone, err := e.Logout(t.Context(), l)
				if err != nil || len(gone.Ended) != 2 {
					t.Fatalf("logout again: %+v %v", gone, err)
				}
				h.holds(t, 1)
			}
		}
	})
}

// TestEngineUnderFire drives the whole engine in any order: logins by every door
// with right and wrong PINs, by supervisors and admins, logouts, phones that
// register, time, and a directory in which people, phones and settings come and
// go.
func TestEngineUnderFire(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			h := newHouse(rt, s, directory.TenantCode(fmt.Sprintf("fire%d", round)), 4, 3)
			m := &fire{house: h, most: 1}
			rt.Repeat(map[string]func(*rapid.T){
				"": func(rt *rapid.T) { h.holds(rt, m.most) }, "login": m.login, "again": m.again, "logout": m.logout, "register": m.register,
				"wait": m.wait, "policy": m.settings, "extension": m.extension, "device": m.phone,
			})
			drop := store.Changes{DropTenants: []directory.TenantCode{h.tenant}}
			if err := s.WriteDirectory(context.Background(), drop, nil); err != nil {
				rt.Fatalf("the tenant could not be removed: %v", err)
			}
			if all, err := s.AllSeats(context.Background(), h.tenant); err != nil || len(all) > 0 {
				rt.Fatalf("left behind: %v %v", all, err)
			}
		})
	})
}

type fire struct {
	*house
	most int
	last *hotdesk.LoginRequest
	out  hotdesk.Outcome
	err  error
}

func (m *fire) mac(t *rapid.T) directory.MAC { return rapid.SampledFrom(m.macs).Draw(t, "desk") }

func (m *fire) number(t *rapid.T) string { return rapid.SampledFrom(m.numbers).Draw(t, "number") }

func (m *fire) login(t *rapid.T) {
	r := m.request(m.number(t), m.mac(t))
	r.Line = rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "line")
	switch rapid.IntRange(0, 5).Draw(t, "who") {
	case 0:
		r.PIN = "0000"
	case 1:
		r.Admin, r.By, r.PIN = true, "admin", ""
	case 2:
		r.Supervisor, r.PIN = true, "9753"
	case 3:
		r.Confirmed = true
	}
	m.out, m.err = m.nodes[rapid.IntRange(0, 1).Draw(t, "node")].Login(context.Background(), r)
	m.last = &r
	if !allowed(m.err) {
		t.Fatalf("%v", m.err)
	}
	_, exists := m.people[r.Number]
	_, there := m.phones[r.Device.MAC]
	if m.err == nil && (r.PIN == "0000" || !exists || !there) {
		t.Fatalf("%s with %v got in", r.Number, r)
	}
	if m.err == nil && (m.out.Binding == nil || m.out.Binding.Number != r.Number) {
		t.Fatalf("outcome %+v", m.out)
	}
}

// again sends the last request once more: a committed one gets the same answer.
func (m *fire) again(t *rapid.T) {
	if m.last == nil || m.err != nil {
		t.Skip("no login yet")
	}
	_, exists := m.people[m.last.Number]
	_, there := m.phones[m.last.Device.MAC]
	out, err := m.nodes[0].Login(context.Background(), *m.last)
	if err != nil && !exists || err != nil && !there {
		return
	}
	if no, ok := errors.AsType[*hotdesk.Refused](err); ok {
		if no.Why == hotdesk.BadCredentials && m.last.Supervisor || no.Why == hotdesk.Locked {
			return // supervisors were switched off meanwhile
		}
	}
	if err != nil || out.Trace != m.out.Trace || *out.Binding != *m.out.Binding {
		t.Fatalf("another answer: %+v %v, first %+v", out, err, m.out)
	}
}

func (m *fire) logout(t *rapid.T) {
	_, err := m.nodes[1].Logout(context.Background(), hotdesk.LogoutRequest{
		ID: fmt.Sprintf("out%d", m.n.Add(1)), At: m.now(), Door: hotdesk.Portal, Device: m.device(m.mac(t)), Line: rapid.IntRange(1, 2).Draw(t, "line"),
		Number: rapid.SampledFrom(append([]string{"", ""}, m.numbers...)).Draw(t, "number"),
	})
	if !allowed(err) {
		t.Fatalf("%v", err)
	}
}

// register lets a device register with a session that is bound there, or with one
// that has ended, which must not be taken.
func (m *fire) register(t *rapid.T) {
	mac := m.mac(t)
	seats, err := m.s.Seats(context.Background(), m.device(mac))
	if err != nil {
		t.Fatalf("%v", err)
	}
	type try struct {
		number  string
		line    int
		session directory.SessionID
		live    bool
	}
	var tries []try
	for _, b := range seats.Bindings {
		tries = append(tries, try{b.Number, b.Line, b.Session, true})
	}
	for _, e := range seats.Ending {
		tries = append(tries, try{e.Number, e.Line, e.Session, false})
	}
	if len(tries) == 0 {
		t.Skip("nobody")
	}
	x := rapid.SampledFrom(tries).Draw(t, "session")
	set, err := m.s.Contacts(context.Background(), m.tenant, x.number)
	if err != nil {
		t.Fatalf("%v", err)
	}
	c := location.Contact{
		URI: fmt.Sprintf("sip:%s-%s@192.0.2.1", x.number, x.session), MAC: mac.String(), Line: x.line, Session: x.session,
		Expires: m.now().Add(time.Hour).UnixMilli(), Flow: location.Flow{Transport: "udp"},
	}
	if slices.ContainsFunc(set.Contacts, func(o location.Contact) bool { return o.URI == c.URI }) {
		return
	}
	set.Contacts = append(set.Contacts, c)
	err = m.s.CommitContacts(context.Background(), location.Commit{
		Tenant: m.tenant, User: x.number, Now: m.now(), Device: m.device(mac), Session: x.session, Supersede: true, Set: set, Added: []location.Contact{c},
	})
	if x.live != (err == nil) || !x.live && !errors.Is(err, location.ErrSessionOver) {
		t.Fatalf("session %+v registered: %v", x, err)
	}
}

func (m *fire) wait(t *rapid.T) {
	m.clock.Add(rapid.Int64Range(0, 20*60_000).Draw(t, "ms"))
}

func (m *fire) settings(t *rapid.T) {
	most := rapid.IntRange(1, 3).Draw(t, "max_logins")
	m.most = max(m.most, most)
	on := rapid.Bool().Draw(t, "supervisors")
	m.policy = directory.Policy{
		MaxLogins: &most, OnConflict: rapid.SampledFrom([]string{"", "move", "deny"}).Draw(t, "on_conflict"),
		OnOccupied: rapid.SampledFrom([]string{"", "replace", "deny", "ask"}).Draw(t, "on_occupied"), Supervisors: &on,
		LogoutAt: rapid.SampledFrom([]string{"", "09:30", "18:30"}).Draw(t, "logout_at"),
	}
	m.write(t, store.Changes{})
}

// extension removes a person, who may be logged in, or brings them back.
func (m *fire) extension(t *rapid.T) {
	id := directory.ExtensionID{Tenant: m.tenant, Number: m.number(t)}
	if _, here := m.people[id.Number]; here {
		delete(m.people, id.Number)
		m.write(t, store.Changes{DropExtensions: []directory.ExtensionID{id}})
		if seats, err := m.s.Logins(context.Background(), id); err != nil || len(seats) > 0 {
			t.Fatalf("%s was removed and sits at %v, %v", id, seats, err)
		}
		return
	}
	m.people[id.Number] = directory.Extension{ID: id, PIN: directory.Kept{Value: m.key.PIN(id, pinOf(id.Number))}}
	m.write(t, store.Changes{})
}

// phone removes a device, whose reload may be open, or brings it back, perhaps
// with an owner.
func (m *fire) phone(t *rapid.T) {
	mac := m.mac(t)
	if _, here := m.phones[mac]; here {
		delete(m.phones, mac)
		m.write(t, store.Changes{DropDevices: []directory.DeviceID{m.device(mac)}})
		if seats, err := m.s.Seats(context.Background(), m.device(mac)); err != nil || len(seats.Bindings) > 0 {
			t.Fatalf("%s was removed, and there sits %+v, %v", mac, seats, err)
		}
		return
	}
	m.phones[mac] = directory.Device{ID: m.device(mac), Brand: "snom", Owner: rapid.SampledFrom(append([]string{""}, m.numbers...)).Draw(t, "owner")}
	m.write(t, store.Changes{})
}
