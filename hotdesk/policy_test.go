package hotdesk

import (
	"errors"
	"slices"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

const dayShift = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260105T060000\nDTEND:20260105T140000\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR\n"

func ptr[T any](v T) *T { return &v }

// levels are where a policy can stand, the weakest first.
func (o *office) levels() map[string]*directory.Policy {
	e := o.exts["1001"]
	return map[string]*directory.Policy{
		directory.LevelTenant: &o.tenant.Policy, directory.LevelSite: &o.tenant.Sites[0].Policy,
		directory.LevelExtension: &e.Policy, directory.LevelDevice: &o.device.Policy,
	}
}

// set puts a policy at a level.
func (o *office) set(level string, change func(*directory.Policy)) {
	if level == directory.LevelExtension {
		e := o.exts["1001"]
		change(&e.Policy)
		o.exts["1001"] = e
		return
	}
	change(o.levels()[level])
}

// seen is what a login of 1001 at the desk shows of the policy.
type seen struct {
	why    Reason
	rules  Rules
	until  string // in Berlin
	ends   End
	warn   time.Duration
	idle   time.Duration
	change Reason // of the PIN 4321 to 7351 at the desk
	weak   Reason // of the PIN 4321 to 1234
	boss   bool   // a supervisor's PIN logs in
	text   string // of the setting itself, as Explain has it
}

func (o *office) look(t *testing.T, key string) seen {
	t.Helper()
	var s seen
	reason := func(err error) Reason {
		if no, ok := errors.AsType[*Refused](err); ok {
			return no.Why
		}
		if err != nil {
			t.Fatal(err)
		}
		return ""
	}
	o.bound = nil
	_, err := o.engine().Login(t.Context(), ask(nil))
	if s.why = reason(err); s.why == "" {
		b := o.bound[0].Binding
		s.rules, s.ends = o.bound[0].Rules, b.Ends
		if b.Until > 0 {
			s.until = time.UnixMilli(b.Until).In(berlin(t)).Format("02 15:04")
		}
	}
	a, err := o.engine().Why(t.Context(), Question{Tenant: acme, Number: "1001", Device: desk})
	if err != nil {
		t.Fatal(err)
	}
	s.warn, s.idle = a.Would.Warn, a.Would.Idle
	i := slices.IndexFunc(a.Settings, func(x directory.Setting) bool { return x.Key == key })
	s.text = a.Settings[i].Value + " (" + a.Settings[i].Level + ")"
	change := PINChange{Extension: directory.ExtensionID{Tenant: acme, Number: "1001"}, Device: desk, Old: "4321", New: "7351", Source: "x"}
	before := o.exts["1001"]
	s.change = reason(o.engine().ChangePIN(t.Context(), change))
	o.exts["1001"] = before
	change.New = "1234"
	s.weak = reason(o.engine().ChangePIN(t.Context(), change))
	o.exts["1001"] = before
	_, err = o.engine().Login(t.Context(), ask(func(r *LoginRequest) { r.Supervisor, r.PIN = true, "9753" }))
	s.boss = err == nil
	return s
}

func berlin(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func policyOffice() *office {
	o := newOffice()
	o.tenant.Sites = []directory.Site{{Code: "berlin", TimeZone: "Europe/Berlin"}}
	o.tenant.Calendars = []directory.Calendar{{Name: "day", Text: dayShift}}
	o.tenant.Supervisors = []directory.Supervisor{{Name: "boss", PIN: directory.Kept{Value: "9753"}}}
	return o
}

// TestEverySettingAtEveryLevel has a row for each setting of the policy and each
// level that can set it: what it does there, that the level is named, and that
// the next stronger level takes it back. It is Monday, 5 January 2026, 10:00:01
// in Berlin.
func TestEverySettingAtEveryLevel(t *testing.T) {
	usual := seen{rules: Rules{1, "move", "replace"}, weak: WeakPIN}
	settings := []struct {
		key  string
		set  func(*directory.Policy) // to something else than the default
		back func(*directory.Policy) // to what has the default's effect
		text string
		want func(*seen)
	}{
		{"max_logins", func(p *directory.Policy) { p.MaxLogins = ptr(3) }, func(p *directory.Policy) { p.MaxLogins = ptr(1) }, "3", func(s *seen) { s.rules.MaxLogins = 3 }},
		{"on_conflict", func(p *directory.Policy) { p.OnConflict = "deny" }, func(p *directory.Policy) { p.OnConflict = "move" }, "deny", func(s *seen) { s.rules.OnConflict = "deny" }},
		{"on_occupied", func(p *directory.Policy) { p.OnOccupied = "ask" }, func(p *directory.Policy) { p.OnOccupied = "replace" }, "ask", func(s *seen) { s.rules.OnOccupied = "ask" }},
		{
			"max_session", func(p *directory.Policy) { p.MaxSession = ptr(directory.Duration(9 * time.Hour)) }, func(p *directory.Policy) { p.MaxSession = ptr(directory.Duration(0)) }, "9h0m0s",
			func(s *seen) { s.until, s.ends, s.warn = "05 19:00", EndMaxSession, 5*time.Minute },
		},
		{
			"logout_at", func(p *directory.Policy) { p.LogoutAt = "18:30" }, func(p *directory.Policy) { p.LogoutAt = "never" }, "18:30",
			func(s *seen) { s.until, s.ends, s.warn = "05 18:30", EndLogoutAt, 5*time.Minute },
		},
		{
			"shift", func(p *directory.Policy) { p.Shift = "day" }, func(p *directory.Policy) { p.Shift = "never" }, "day",
			func(s *seen) { s.until, s.ends, s.warn = "05 14:00", EndShift, 5*time.Minute },
		},
		{
			"idle_logout", func(p *directory.Policy) { p.IdleLogout = ptr(directory.Duration(time.Hour)) }, func(p *directory.Policy) { p.IdleLogout = ptr(directory.Duration(0)) }, "1h0m0s",
			func(s *seen) { s.idle, s.warn = time.Hour, 5*time.Minute },
		},
		{"warn_before", func(p *directory.Policy) { p.WarnBefore = ptr(directory.Duration(time.Minute)) }, func(p *directory.Policy) { p.WarnBefore = ptr(directory.Duration(0)) }, "1m0s", func(*seen) {}},
		{"max_defer", func(p *directory.Policy) { p.MaxDefer = ptr(directory.Duration(time.Minute)) }, func(p *directory.Policy) { p.MaxDefer = ptr(directory.Duration(0)) }, "1m0s", func(*seen) {}},
		{"sites", func(p *directory.Policy) { p.Sites = []string{"hamburg"} }, func(p *directory.Policy) { p.Sites = []string{} }, "[hamburg]", func(s *seen) { s.why, s.rules, s.boss = SiteForbidden, Rules{}, false }},
		{
			"pin_source", func(p *directory.Policy) { p.PINSource = []string{"voicemail"} }, func(p *directory.Policy) { p.PINSource = []string{"own"} }, "[voicemail]",
			func(s *seen) {
				s.why, s.rules, s.change, s.weak = BadCredentials, Rules{}, BadCredentials, BadCredentials
			},
		},
		{"pin_change", func(p *directory.Policy) { p.PINChange = ptr(false) }, func(p *directory.Policy) { p.PINChange = ptr(true) }, "false", func(s *seen) { s.change, s.weak = PINFixed, PINFixed }},
		{"pin_min", func(p *directory.Policy) { p.PINMin = ptr(5) }, func(p *directory.Policy) { p.PINMin = ptr(4) }, "5", func(s *seen) { s.change = WeakPIN }},
		{"pin_weak", func(p *directory.Policy) { p.PINWeak = "allow" }, func(p *directory.Policy) { p.PINWeak = "deny" }, "allow", func(s *seen) { s.weak = "" }},
		{"supervisors", func(p *directory.Policy) { p.Supervisors = ptr(true) }, func(p *directory.Policy) { p.Supervisors = ptr(false) }, "true", func(s *seen) { s.boss = true }},
		{"login_key", func(p *directory.Policy) { p.LoginKey = ptr(false) }, func(p *directory.Policy) { p.LoginKey = ptr(true) }, "false", func(*seen) {}},
		{"screen.push", func(p *directory.Policy) { p.Screen.Push = "messages" }, func(p *directory.Policy) { p.Screen.Push = "off" }, "messages", func(*seen) {}},
		{"screen.idle_login", func(p *directory.Policy) { p.Screen.IdleLogin = ptr(true) }, func(p *directory.Policy) { p.Screen.IdleLogin = ptr(false) }, "true", func(*seen) {}},
		{"screen.qr_login", func(p *directory.Policy) { p.Screen.QRLogin = ptr(false) }, func(p *directory.Policy) { p.Screen.QRLogin = ptr(true) }, "false", func(*seen) {}},
		{"screen.directory", func(p *directory.Policy) { p.Screen.Directory = ptr(false) }, func(p *directory.Policy) { p.Screen.Directory = ptr(true) }, "false", func(*seen) {}},
	}
	var covered []string
	levels := directory.Levels()[1:]
	for _, s := range settings {
		covered = append(covered, s.key)
		for i, level := range levels {
			t.Run(s.key+"/"+level, func(t *testing.T) {
				o := policyOffice()
				o.set(level, s.set)
				want := usual
				s.want(&want)
				want.text = s.text + " (" + level + ")"
				if got := o.look(t, s.key); got != want {
					t.Errorf("set:  %+v\nwant: %+v", got, want)
				}
				if i == len(levels)-1 {
					return
				}
				o = policyOffice()
				o.set(level, s.set)
				o.set(levels[i+1], s.back)
				got := o.look(t, s.key)
				if want := usual; got.text[len(got.text)-len(levels[i+1])-1:len(got.text)-1] != levels[i+1] {
					t.Errorf("%s decided, want %s", got.text, levels[i+1])
				} else if want.text = got.text; got != want {
					t.Errorf("back: %+v\nwant: %+v", got, want)
				}
			})
		}
	}
	if !slices.Equal(covered, directory.SettingKeys()) {
		t.Errorf("the table has %v, the policy %v", covered, directory.SettingKeys())
	}
}

// TestSessionEnds: the earliest end counts, and on the days on which clocks
// change it is when the wall clock says so.
func TestSessionEnds(t *testing.T) {
	nine := ptr(directory.Duration(9 * time.Hour))
	for _, c := range []struct {
		name, zone, now string
		policy          directory.Policy
		edit            func(*office)
		until           string // empty: none
		ends            End
	}{
		{name: "none", now: "2026-01-05T10:00:00Z"},
		{name: "the earliest of two", now: "2026-01-05T10:00:00Z", policy: directory.Policy{MaxSession: nine, LogoutAt: "18:30"}, until: "2026-01-05T18:30:00Z", ends: EndLogoutAt},
		{name: "the other one", now: "2026-01-05T08:00:00Z", policy: directory.Policy{MaxSession: nine, LogoutAt: "18:30"}, until: "2026-01-05T17:00:00Z", ends: EndMaxSession},
		{name: "after the time of day: tomorrow", now: "2026-01-05T18:30:00Z", policy: directory.Policy{LogoutAt: "18:30"}, until: "2026-01-06T18:30:00Z", ends: EndLogoutAt},
		{name: "Berlin, into summer", zone: "Europe/Berlin", now: "2026-03-28T20:00:00Z", policy: directory.Policy{LogoutAt: "02:30"}, until: "2026-03-29T01:00:00Z", ends: EndLogoutAt},
		{name: "Berlin, the evening of that day", zone: "Europe/Berlin", now: "2026-03-29T02:00:00Z", policy: directory.Policy{LogoutAt: "18:30"}, until: "2026-03-29T16:30:00Z", ends: EndLogoutAt},
		{name: "Berlin, into winter: the first 02:30", zone: "Europe/Berlin", now: "2026-10-24T20:00:00Z", policy: directory.Policy{LogoutAt: "02:30"}, until: "2026-10-25T00:30:00Z", ends: EndLogoutAt},
		{name: "Berlin, between the two: the next day", zone: "Europe/Berlin", now: "2026-10-25T00:45:00Z", policy: directory.Policy{LogoutAt: "02:30"}, until: "2026-10-26T01:30:00Z", ends: EndLogoutAt},
		{name: "New York, into summer", zone: "America/New_York", now: "2026-03-08T05:00:00Z", policy: directory.Policy{LogoutAt: "02:15"}, until: "2026-03-08T07:00:00Z", ends: EndLogoutAt},
		{name: "New York, into winter", zone: "America/New_York", now: "2026-11-01T04:00:00Z", policy: directory.Policy{LogoutAt: "01:15"}, until: "2026-11-01T05:15:00Z", ends: EndLogoutAt},
		{name: "Lord Howe, half an hour into summer", zone: "Australia/Lord_Howe", now: "2026-10-03T12:00:00Z", policy: directory.Policy{LogoutAt: "02:15"}, until: "2026-10-03T15:30:00Z", ends: EndLogoutAt},
		{name: "Lord Howe, half an hour into winter", zone: "Australia/Lord_Howe", now: "2026-04-04T12:00:00Z", policy: directory.Policy{LogoutAt: "01:45"}, until: "2026-04-04T14:45:00Z", ends: EndLogoutAt},
		{name: "a session is as long as it is, clocks or not", zone: "Europe/Berlin", now: "2026-03-28T20:00:00Z", policy: directory.Policy{MaxSession: nine}, until: "2026-03-29T05:00:00Z", ends: EndMaxSession},
		{name: "the end of the shift", zone: "Europe/Berlin", now: "2026-07-01T08:00:00Z", policy: directory.Policy{Shift: "day"}, until: "2026-07-01T12:00:00Z", ends: EndShift},
		{name: "the end of the next shift", zone: "Europe/Berlin", now: "2026-07-01T12:00:00Z", policy: directory.Policy{Shift: "day"}, until: "2026-07-02T12:00:00Z", ends: EndShift},
		{name: "a guest", now: "2026-01-05T10:00:00Z", edit: guest("2026-01-01T00:00:00Z", "2026-01-05T12:00:00Z"), until: "2026-01-05T12:00:00Z", ends: EndGuest},
		{name: "reserved for others from nine on", now: "2026-01-05T07:00:00Z", edit: reserved("1002"), until: "2026-01-05T09:00:00Z", ends: EndReserved},
		{name: "reserved for this one", now: "2026-01-05T07:00:00Z", edit: reserved("1001")},
		{name: "an owner at home has no end", now: "2026-01-05T10:00:00Z", policy: directory.Policy{MaxSession: nine, LogoutAt: "18:30", Shift: "day"}, edit: func(o *office) { o.device.Owner = "1001" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := policyOffice()
			o.tenant.Sites[0].TimeZone, o.tenant.Policy = c.zone, c.policy
			if c.edit != nil {
				c.edit(o)
			}
			o.now, _ = time.Parse(time.RFC3339, c.now)
			if _, err := o.engine().Login(t.Context(), ask(nil)); err != nil {
				t.Fatal(err)
			}
			b, got := o.bound[0].Binding, ""
			if b.Until > 0 {
				got = time.UnixMilli(b.Until).UTC().Format(time.RFC3339)
			}
			if got != c.until || b.Ends != c.ends || (b.Rule != "") != (c.ends != "") {
				t.Errorf("until %s by %q (%s), want %s by %q", got, b.Ends, b.Rule, c.until, c.ends)
			}
		})
	}
}

func guest(from, until string) func(*office) {
	return func(o *office) {
		e := o.exts["1001"]
		e.ValidFrom, _ = time.Parse(time.RFC3339, from)
		e.ValidUntil, _ = time.Parse(time.RFC3339, until)
		o.exts["1001"] = e
	}
}

// reserved keeps the desk for one extension from nine to five.
func reserved(number string) func(*office) {
	return func(o *office) {
		o.desk = directory.Desk{
			ID: directory.DeskID{Tenant: acme, Code: "d1"}, Class: directory.ReservedClass, Seats: []directory.DeskSeat{{MAC: desk.MAC, Line: 1}},
			Reserved: []directory.Reservation{{Extensions: []string{number}, From: "09:00", To: "17:00"}},
		}
	}
}

// TestWhoMaySitWhere: what desks and extensions are, for a person, a supervisor
// and an admin.
func TestWhoMaySitWhere(t *testing.T) {
	class := func(c directory.Class, owner string) func(*office) {
		return func(o *office) {
			o.desk = directory.Desk{ID: directory.DeskID{Tenant: acme, Code: "d1"}, Class: c, Owner: owner, Seats: []directory.DeskSeat{{MAC: desk.MAC, Line: 1}}}
		}
	}
	overlap := func(o *office) {
		reserved("1001")(o)
		o.desk.Reserved = append(o.desk.Reserved, directory.Reservation{Extensions: []string{"1002"}, From: "08:00", To: "11:00"})
	}
	for _, c := range []struct {
		name              string
		edit              func(*office)
		person, boss, adm Reason
	}{
		{"shared", class(directory.Shared, ""), "", "", ""},
		{"no class", class("", ""), "", "", ""},
		{"owned by somebody else", class(directory.Owned, "1002"), NotOwner, "", ""},
		{"owned", class(directory.Owned, "1001"), "", "", ""},
		{"owned by nobody", class(directory.Owned, ""), NotOwner, "", ""},
		{"emergency only", class(directory.EmergencyOnly, ""), EmergencyOnly, EmergencyOnly, EmergencyOnly},
		{"a class that is not understood", class("palace", ""), NotUnderstood, NotUnderstood, NotUnderstood},
		{"reserved for others", reserved("1002"), Reserved, "", ""},
		{"reserved for this one", reserved("1001"), "", "", ""},
		{"reserved twice, listed once", overlap, Reserved, "", ""},
		{"a window that is not understood", func(o *office) { reserved("1002")(o); o.desk.Reserved[0].From = "noon" }, Reserved, "", ""},
		{"a guest too early", guest("2026-01-06T00:00:00Z", "2026-02-01T00:00:00Z"), NotValid, NotValid, NotValid},
		{"a guest too late", guest("2025-01-06T00:00:00Z", "2026-01-05T09:00:00Z"), NotValid, NotValid, NotValid},
		{"a site that is not listed", func(o *office) { o.tenant.Policy.Sites = []string{"x"} }, SiteForbidden, SiteForbidden, ""},
		{"a shift without calendar", func(o *office) { o.tenant.Policy.Shift = "gone" }, NotUnderstood, NotUnderstood, NotUnderstood},
		{"a time that is none", func(o *office) { o.tenant.Policy.LogoutAt = "25:99" }, NotUnderstood, NotUnderstood, NotUnderstood},
		{"no logins at all", func(o *office) { o.tenant.Policy.MaxLogins = ptr(0) }, NotUnderstood, NotUnderstood, NotUnderstood},
	} {
		t.Run(c.name, func(t *testing.T) {
			for who, want := range map[string]Reason{"person": c.person, "supervisor": c.boss, "admin": c.adm} {
				o := policyOffice()
				o.tenant.Policy.Supervisors = ptr(true)
				c.edit(o)
				_, err := o.engine().Login(t.Context(), ask(func(r *LoginRequest) {
					switch who {
					case "supervisor":
						r.Supervisor, r.PIN = true, "9753"
					case "admin":
						r.Admin, r.By, r.PIN = true, "admin", ""
					}
				}))
				no, refused := errors.AsType[*Refused](err)
				if refused != (want != "") || refused && no.Why != want || err != nil && !refused {
					t.Errorf("%s: %v, want %q", who, err, want)
				}
			}
		})
	}
}

func TestSupervisor(t *testing.T) {
	o := policyOffice()
	e := o.engine()
	boss := func(pin directory.Secret, number string) (Reason, error) {
		_, err := e.Login(t.Context(), ask(func(r *LoginRequest) { r.Supervisor, r.PIN, r.Number = true, pin, number }))
		if no, ok := errors.AsType[*Refused](err); ok {
			return no.Why, nil
		}
		return "", err
	}
	if why, err := boss("9753", "1001"); why != BadCredentials || err != nil {
		t.Errorf("supervisors are off by default: %q %v", why, err)
	}
	o.tenant.Policy.Supervisors = ptr(true)
	o.fails = map[string]int{}
	if why, err := boss("9753", "1001"); why != "" || err != nil || o.bound[0].Binding.By != "supervisor:boss" {
		t.Errorf("%q %v %+v", why, err, o.bound)
	}
	for _, c := range []struct {
		pin    directory.Secret
		number string
	}{{"4321", "1001"}, {"", "1001"}, {"9753", "7777"}} {
		if why, err := boss(c.pin, c.number); why != BadCredentials || err != nil {
			t.Errorf("%v: %q %v", c, why, err)
		}
	}
	if last := o.events[len(o.events)-1]; last.By != "supervisor:boss" || last.Number != "" {
		t.Errorf("event %+v", last)
	}
	// Guessing a supervisor's PIN by trying many extensions is one count.
	o.fails = map[string]int{}
	var why Reason
	for i := range 6 {
		why, _ = boss("0001", []string{"1001", "1002", "1003"}[i%3])
	}
	if why != Locked {
		t.Errorf("six guesses at three extensions: %q", why)
	}
	// And the person is not locked by it.
	if _, err := e.Login(t.Context(), ask(nil)); err != nil {
		t.Errorf("the extension itself: %v", err)
	}
}

func TestChangePIN(t *testing.T) {
	id := directory.ExtensionID{Tenant: acme, Number: "1001"}
	for _, c := range []struct {
		name   string
		edit   func(*office)
		change PINChange
		why    Reason
		rule   string
	}{
		{name: "good", change: PINChange{Old: "4321", New: "7351"}},
		{name: "wrong old PIN", change: PINChange{Old: "9999", New: "7351"}, why: BadCredentials},
		{name: "unknown extension", change: PINChange{Extension: directory.ExtensionID{Tenant: acme, Number: "7777"}, Old: "4321", New: "7351"}, why: BadCredentials},
		{name: "short", change: PINChange{Old: "4321", New: "735"}, why: WeakPIN, rule: "pin_min: 4 (default)"},
		{name: "repeats", change: PINChange{Old: "4321", New: "7777"}, why: WeakPIN, rule: "pin_weak: deny (default): it is one digit repeated"},
		{name: "sequence", change: PINChange{Old: "4321", New: "9876"}, why: WeakPIN, rule: "pin_weak: deny (default): it is a sequence of digits"},
		{name: "own number", change: PINChange{Old: "4321", New: "1001"}, why: WeakPIN, rule: "pin_weak: deny (default): it is the number itself"},
		{name: "the old one", change: PINChange{Old: "4321", New: "4321"}, why: WeakPIN, rule: "the new PIN is the old one"},
		{name: "letters", change: PINChange{Old: "4321", New: "73a1"}, why: WeakPIN, rule: "a PIN has up to 32 digits"},
		{name: "nothing", change: PINChange{Old: "4321"}, why: WeakPIN, rule: "a PIN has up to 32 digits"},
		{name: "fixed", edit: func(o *office) { o.tenant.Policy.PINChange = ptr(false) }, change: PINChange{Old: "4321", New: "7351"}, why: PINFixed, rule: "pin_change: false (tenant)"},
		{name: "fixed, but for an admin", edit: func(o *office) { o.tenant.Policy.PINChange = ptr(false) }, change: PINChange{Admin: true, By: "admin", New: "7351"}},
		{name: "rules hold for admins", change: PINChange{Admin: true, By: "admin", New: "1234"}, why: WeakPIN, rule: "pin_weak: deny (default): it is a sequence of digits"},
		{
			name: "the voicemail PIN goes before", edit: func(o *office) { o.tenant.Policy.PINSource = []string{"voicemail", "own"} },
			change: PINChange{Old: "8765", New: "7351"}, why: PINFixed, rule: "pin_source: [voicemail, own] (tenant)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice()
			if c.edit != nil {
				c.edit(o)
			}
			if c.change.Extension.Number == "" {
				c.change.Extension = id
			}
			c.change.ID, c.change.Door, c.change.Device, c.change.Source = "t9", PhoneApp, desk, "device:001565aabb01"
			err := o.engine().ChangePIN(t.Context(), c.change)
			last := o.events[len(o.events)-1]
			no, refused := errors.AsType[*Refused](err)
			switch {
			case c.why == "":
				if err != nil || o.exts["1001"].PIN.Value != "7351" || last.Type != "pin.changed" || last.Number != "1001" || last.Trace != "t9" || last.At == 0 || last.MAC != "001565aabb01" {
					t.Errorf("%v, kept %q, event %+v", err, o.exts["1001"].PIN.Value, last)
				}
			case !refused || no.Why != c.why || no.Rule != c.rule:
				t.Errorf("%v %+v", err, no)
			case o.exts["1001"].PIN.Value != "4321" || last.Type != "pin.refused" || last.Reason != string(c.why):
				t.Errorf("kept %q, event %+v", o.exts["1001"].PIN.Value, last)
			}
		})
	}
	t.Run("without an own PIN the first one is made with the PIN in force", func(t *testing.T) {
		o := newOffice()
		err := o.engine().ChangePIN(t.Context(), PINChange{Extension: directory.ExtensionID{Tenant: acme, Number: "1002"}, Old: "8765", New: "7351"})
		if err != nil || o.exts["1002"].PIN.Value != "7351" {
			t.Error(err)
		}
	})
	t.Run("wrong old PINs lock, as at a login", func(t *testing.T) {
		o := newOffice()
		e := o.engine()
		for range 5 {
			_ = e.CheckPIN(t.Context(), PINChange{Extension: id, Old: "1", Source: "s"})
		}
		no, _ := errors.AsType[*Refused](e.ChangePIN(t.Context(), PINChange{Extension: id, Old: "4321", New: "7351", Source: "s"}))
		if no == nil || no.Why != Locked || no.RetryAfter == 0 {
			t.Errorf("%+v", no)
		}
	})
	t.Run("a store that is away", func(t *testing.T) {
		o := newOffice()
		o.down = ErrUnavailable
		if err := o.engine().ChangePIN(t.Context(), PINChange{Extension: id, Old: "4321", New: "7351"}); !errors.Is(err, ErrUnavailable) || len(o.events) != 0 {
			t.Errorf("%v %v", err, o.events)
		}
	})
}
