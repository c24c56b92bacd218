package hotdesk

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

const acme = directory.TenantCode("acme")

var (
	desk  = directory.DeviceID{Tenant: acme, MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1}}
	start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
)

// office is a directory of one desk and a few people, with what the engine
// asked of it.
type office struct {
	tenant directory.Tenant
	exts   map[string]directory.Extension
	device directory.Device
	desk   directory.Desk
	now    time.Time // zero: a second after start
	fails  map[string]int
	all    int
	good   bool
	down   error

	bound   []BindRequest
	unbound []UnbindRequest
	refuse  *Refused
	cleared int
	checks  int
	events  []event.Event
	paused  time.Duration
}

func newOffice() *office {
	pin := func(v string) directory.Kept { return directory.Kept{Value: v} }
	return &office{
		tenant: directory.Tenant{Code: acme, DefaultPIN: pin("0000"), Sites: []directory.Site{{Code: "berlin"}}},
		exts: map[string]directory.Extension{
			"1001": {PIN: pin("4321"), VoicemailPIN: pin("8765")},
			"1002": {VoicemailPIN: pin("8765")},
			"1003": {},
		},
		device: directory.Device{ID: desk, Site: "berlin"},
		fails:  map[string]int{},
	}
}

func (o *office) Tenant(context.Context, directory.TenantCode) (directory.Tenant, error) {
	return o.tenant, o.down
}

func (o *office) Extension(_ context.Context, id directory.ExtensionID) (directory.Extension, error) {
	e, ok := o.exts[id.Number]
	if !ok {
		return e, ErrNotFound
	}
	e.ID = id
	return e, nil
}

func (o *office) Device(_ context.Context, id directory.DeviceID) (directory.Device, error) {
	if id != o.device.ID {
		return directory.Device{}, ErrNotFound
	}
	return o.device, nil
}

func (o *office) DeskOf(_ context.Context, s directory.Seat) (directory.Desk, error) {
	if !o.desk.Has(s.Device.MAC, s.Line) {
		return directory.Desk{}, ErrNotFound
	}
	return o.desk, nil
}

func (o *office) SetPIN(_ context.Context, id directory.ExtensionID, was, pin directory.Kept, _ time.Time, news event.Event) error {
	e := o.exts[id.Number]
	if o.down != nil {
		return o.down
	}
	if e.PIN != was {
		return ErrChanged
	}
	e.PIN = pin
	o.exts[id.Number] = e
	o.events = append(o.events, news)
	return nil
}

func (o *office) CheckSupervisorPIN(k directory.Kept, _ directory.TenantCode, _ string, pin directory.Secret) bool {
	o.checks++
	return !k.IsZero() && k.Value == pin.Reveal()
}

func (o *office) PIN(_ directory.ExtensionID, pin directory.Secret) string { return pin.Reveal() }

func (o *office) Bind(_ context.Context, r BindRequest) (Outcome, error) {
	if o.refuse != nil {
		return Outcome{}, o.refuse
	}
	o.bound = append(o.bound, r)
	return Outcome{Binding: &r.Binding, Trace: r.ID}, nil
}

func (o *office) Unbind(_ context.Context, r UnbindRequest) (Outcome, error) {
	o.unbound = append(o.unbound, r)
	return Outcome{Trace: r.Trace}, o.down
}

func (o *office) Seats(context.Context, directory.DeviceID) (Seats, error) {
	var s Seats
	for _, r := range o.bound {
		s.Bindings = append(s.Bindings, r.Binding)
	}
	return s, o.down
}

func (o *office) Begin(_ context.Context, e directory.ExtensionID, source string, _ time.Time) (Attempt, error) {
	k := e.Number + source
	o.fails[k]++
	a := Attempt{Failures: o.fails[k], AllSources: o.all, KnownGood: o.good}
	if a.Failures > 5 {
		a.LockedFor = 15 * time.Minute
	}
	return a, nil
}

func (o *office) Succeeded(_ context.Context, e directory.ExtensionID, source string, _ time.Time) error {
	delete(o.fails, e.Number+source)
	o.cleared++
	return nil
}

func (o *office) CheckPIN(k directory.Kept, _ directory.ExtensionID, pin directory.Secret) bool {
	o.checks++
	return !k.IsZero() && k.Value == pin.Reveal()
}

func (o *office) CheckTenantPIN(k directory.Kept, _ directory.TenantCode, pin directory.Secret) bool {
	o.checks++
	return !k.IsZero() && k.Value == pin.Reveal()
}

func (o *office) Append(_ context.Context, e ...event.Event) error {
	o.events = append(o.events, e...)
	return nil
}

func (o *office) engine() *Engine {
	return New(Parts{
		Directory: o, Seating: o, Attempts: o, PINs: o, Keeper: o, News: o, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time {
			if o.now.IsZero() {
				return start.Add(time.Second)
			}
			return o.now
		},
		Session: func() directory.SessionID { return "s1" },
		Pause:   func(_ context.Context, d time.Duration) { o.paused += d },
	})
}

func ask(edit func(*LoginRequest)) LoginRequest {
	r := LoginRequest{ID: "t1", At: start, Door: FeatureCode, Device: desk, Number: "1001", PIN: "4321", Source: "device:001565aabb01"}
	if edit != nil {
		edit(&r)
	}
	return r
}

func TestLogin(t *testing.T) {
	yes := func(p directory.Policy) func(*office) { return func(o *office) { o.tenant.Policy = p } }
	three := 3
	cases := []struct {
		name  string
		world func(*office)
		ask   func(*LoginRequest)
		why   Reason // empty: bound
		rules Rules
	}{
		{name: "own PIN", rules: Rules{1, "move", "replace"}},
		{name: "the voicemail PIN does not count beside an own one", ask: func(r *LoginRequest) { r.PIN = "8765" }, why: BadCredentials},
		{name: "voicemail PIN where there is no own", ask: func(r *LoginRequest) { r.Number, r.PIN = "1002", "8765" }, rules: Rules{1, "move", "replace"}},
		{name: "tenant PIN where there is no other", ask: func(r *LoginRequest) { r.Number, r.PIN = "1003", "0000" }, rules: Rules{1, "move", "replace"}},
		{
			name: "no PIN at all lets nobody in", world: func(o *office) { o.tenant.DefaultPIN = directory.Kept{} },
			ask: func(r *LoginRequest) { r.Number, r.PIN = "1003", "" }, why: BadCredentials,
		},
		{name: "wrong PIN", ask: func(r *LoginRequest) { r.PIN = "1111" }, why: BadCredentials},
		{name: "unknown extension", ask: func(r *LoginRequest) { r.Number = "7777" }, why: BadCredentials},
		{name: "no number", ask: func(r *LoginRequest) { r.Number = "10 01" }, why: BadCredentials},
		{name: "unknown device", ask: func(r *LoginRequest) { r.Device.MAC[5] = 9 }, why: UnknownDevice},
		{name: "policy reaches the store", world: yes(directory.Policy{MaxLogins: &three, OnConflict: "deny", OnOccupied: "deny"}), rules: Rules{3, "deny", "deny"}},
		{name: "a word that is not understood denies", world: yes(directory.Policy{OnConflict: "perhaps", OnOccupied: "sometimes"}), rules: Rules{1, "deny", "deny"}},
		{name: "ask", world: yes(directory.Policy{OnOccupied: "ask"}), rules: Rules{1, "move", "ask"}},
		{name: "ask, confirmed", world: yes(directory.Policy{OnOccupied: "ask"}), ask: func(r *LoginRequest) { r.Confirmed = true }, rules: Rules{1, "move", "replace"}},
		{
			name:  "the device's level wins over the extension's",
			world: func(o *office) { o.tenant.Policy.OnOccupied = "ask"; o.device.Policy.OnOccupied = "deny" },
			rules: Rules{1, "move", "deny"},
		},
		{name: "not at this site", world: yes(directory.Policy{Sites: []string{"hamburg"}}), why: SiteForbidden},
		{
			name: "an admin needs no PIN and overrides", world: yes(directory.Policy{OnConflict: "deny", OnOccupied: "deny", Sites: []string{"hamburg"}}),
			ask: func(r *LoginRequest) { r.Admin, r.PIN = true, "" }, rules: Rules{1, "move", "replace"},
		},
		{name: "an admin cannot invent people", ask: func(r *LoginRequest) { r.Admin, r.Number = true, "7777" }, why: BadCredentials},
		{name: "the store's refusal", world: func(o *office) { o.refuse = &Refused{Why: DeskTaken} }, why: DeskTaken},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice()
			if c.world != nil {
				c.world(o)
			}
			_, err := o.engine().Login(t.Context(), ask(c.ask))
			var no *Refused
			if errors.As(err, &no); c.why != "" {
				if no == nil || no.Why != c.why {
					t.Fatalf("err %v, want %s", err, c.why)
				}
				if len(o.events) != 1 || o.events[0].Reason != string(c.why) {
					t.Errorf("events %+v, want the refusal", o.events)
				}
				return
			}
			if err != nil || len(o.bound) != 1 {
				t.Fatalf("err %v, bound %v", err, o.bound)
			}
			if o.bound[0].Rules != c.rules {
				t.Errorf("rules %+v, want %+v", o.bound[0].Rules, c.rules)
			}
			if b := o.bound[0].Binding; b.Line != 1 || b.Since != start.UnixMilli() || b.Trace != "t1" {
				t.Errorf("binding %+v: want line 1, since the key press, the door's trace", b)
			}
		})
	}
}

func TestUnknownExtensionLooksLikeAWrongPIN(t *testing.T) {
	o := newOffice()
	e := o.engine()
	_, wrong := e.Login(t.Context(), ask(func(r *LoginRequest) { r.PIN = "1111" }))
	forWrong := o.checks
	o.checks = 0
	_, unknown := e.Login(t.Context(), ask(func(r *LoginRequest) { r.Number, r.PIN = "7777", "1111" }))
	if wrong.Error() != unknown.Error() || forWrong != o.checks {
		t.Errorf("%q after %d checks, %q after %d: they must be alike", wrong, forWrong, unknown, o.checks)
	}
	for _, ev := range o.events {
		if ev.Number != "" {
			t.Errorf("event names %q: it may be a PIN in the wrong field", ev.Number)
		}
	}
}

func TestLockout(t *testing.T) {
	o := newOffice()
	e := o.engine()
	for range 5 {
		if _, err := e.Login(t.Context(), ask(func(r *LoginRequest) { r.PIN = "1111" })); err == nil {
			t.Fatal("a wrong PIN was taken")
		}
	}
	checks := o.checks
	_, err := e.Login(t.Context(), ask(nil))
	var no *Refused
	if !errors.As(err, &no) || no.Why != Locked || no.RetryAfter != 15*time.Minute {
		t.Errorf("err %v, want locked for 15 minutes", err)
	}
	if o.checks != checks {
		t.Error("a locked source's PIN was looked at")
	}
	if _, err = e.Login(t.Context(), ask(func(r *LoginRequest) { r.Source = "192.0.2.7" })); err != nil {
		t.Errorf("another source: %v", err)
	}
	if o.cleared != 1 {
		t.Errorf("cleared %d times, want once: by the success", o.cleared)
	}
}

func TestGuessingFromManySourcesOnlyDelays(t *testing.T) {
	for _, c := range []struct {
		all  int
		good bool
		want time.Duration
	}{{10, false, 0}, {15, false, 500 * time.Millisecond}, {500, false, 3 * time.Second}, {500, true, 0}} {
		o := newOffice()
		o.all, o.good = c.all, c.good
		if _, err := o.engine().Login(t.Context(), ask(nil)); err != nil {
			t.Fatalf("%d failures elsewhere: %v", c.all, err)
		}
		if o.paused != c.want {
			t.Errorf("%d failures elsewhere, known %v: waited %s, want %s", c.all, c.good, o.paused, c.want)
		}
	}
}

func TestStoreGone(t *testing.T) {
	o := newOffice()
	o.down = ErrUnavailable
	if _, err := o.engine().Login(t.Context(), ask(nil)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("login: %v", err)
	}
	if _, err := o.engine().Logout(t.Context(), LogoutRequest{ID: "t2", Device: desk}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("logout: %v", err)
	}
	if len(o.events) != 0 {
		t.Errorf("an outage is no refusal: %+v", o.events)
	}
}

func TestLogoutAndWhoSits(t *testing.T) {
	o := newOffice()
	e := o.engine()
	seat := directory.Seat{Device: desk, Line: 1}
	if _, ok, err := e.WhoSits(t.Context(), seat); ok || err != nil {
		t.Fatalf("idle seat: %v %v", ok, err)
	}
	if _, err := e.Login(t.Context(), ask(nil)); err != nil {
		t.Fatal(err)
	}
	if who, ok, err := e.WhoSits(t.Context(), seat); !ok || err != nil || who.Binding.Number != "1001" {
		t.Fatalf("who %+v %v %v", who, ok, err)
	}
	if _, err := e.Logout(t.Context(), LogoutRequest{ID: "t2", At: start, Door: CLI, Device: desk, Number: "1001"}); err != nil {
		t.Fatal(err)
	}
	if len(o.unbound) != 1 || o.unbound[0].Line != 1 || o.unbound[0].Trace != "t2" || o.unbound[0].OwnerSession == "" {
		t.Errorf("unbind %+v", o.unbound)
	}
}
