package hotdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

// LoginRequest is one wish to log in, from any door.
type LoginRequest struct {
	ID     string    // the door's trace id; the same id again gets the first answer
	At     time.Time // the key press
	Door   Door
	Device directory.DeviceID
	Line   int // 0 is line 1
	Number string
	PIN    directory.Secret
	Source string // who is trying, for the lockout: "device:<mac>" or an address
	// Admin needs no PIN and overrides on_conflict, on_occupied and sites; By
	// names the admin.
	Admin bool
	By    string
	// Vouched tells that the door has proved who asks (see SignIn): no PIN is
	// needed, and every rule holds.
	Vouched   bool
	Force     bool // the reload does not wait for calls
	Confirmed bool // the person has confirmed a takeover (on_occupied: ask)
	// Supervisor says that PIN is a supervisor's, not the extension's. Where the
	// policy's supervisors is off, no such PIN is right.
	Supervisor bool
}

// Login seats an extension at a device, and at the other seats of its desk. The
// error is a *Refused when policy or PIN say no; it wraps ErrUnavailable when the
// store does not answer.
func (e *Engine) Login(ctx context.Context, r LoginRequest) (Outcome, error) {
	out, by, err := e.login(ctx, r)
	if no, ok := errors.AsType[*Refused](err); ok {
		e.tell(ctx, r, by, no)
	}
	return out, err
}

// login gives the outcome, and who asked where that is not the person.
func (e *Engine) login(ctx context.Context, r LoginRequest) (Outcome, string, error) {
	who, err := e.identify(ctx, r)
	if err != nil {
		return Outcome{}, who.by, err
	}
	now := e.now()
	rules, err := who.rules(r, now)
	if err != nil {
		return Outcome{}, who.by, err
	}
	b := Binding{
		Session: e.session(), Number: who.extension.ID.Number, Line: max(r.Line, 1),
		Door: r.Door, Since: r.At.UnixMilli(), Trace: r.ID, By: who.by,
	}
	limits, err := who.limits(now)
	if err != nil {
		e.log.WarnContext(ctx, "nobody can log in there: the policy is not understood", "tenant", r.Device.Tenant, "device", r.Device.MAC, "err", err)
		return Outcome{}, who.by, &Refused{Why: NotUnderstood}
	}
	limits.put(&b)
	out, err := e.seating.Bind(ctx, BindRequest{ID: r.ID, Now: now, Device: r.Device, Rules: rules, Force: r.Force, Binding: b})
	if err != nil {
		return Outcome{}, who.by, fmt.Errorf("hotdesk: login: %w", who.explained(err))
	}
	return out, who.by, nil
}

// known is what a login is decided on.
type known struct {
	tenant    directory.Tenant
	extension directory.Extension
	device    directory.Device
	desk      directory.Desk // zero: no desk lists the seat
	zone      *time.Location // of the site
	by        string         // who asks, when not the person
}

// place reads where a login would be.
func (e *Engine) place(ctx context.Context, seat directory.Seat) (known, error) {
	var k known
	var err error
	if k.tenant, err = e.dir.Tenant(ctx, seat.Device.Tenant); err != nil {
		return k, e.missing(err, UnknownDevice)
	}
	if k.device, err = e.dir.Device(ctx, seat.Device); err != nil {
		return k, e.missing(err, UnknownDevice)
	}
	if k.desk, err = e.dir.DeskOf(ctx, seat); err != nil && !errors.Is(err, ErrNotFound) {
		return k, fmt.Errorf("hotdesk: login: %w", err)
	}
	site, _ := k.tenant.Site(k.device.Site)
	k.zone = e.zones.zone(site.TimeZone)
	return k, nil
}

// identify reads tenant, device and extension and checks the PIN. An unknown
// extension and a wrong PIN look alike and cost the same.
func (e *Engine) identify(ctx context.Context, r LoginRequest) (known, error) {
	k, err := e.place(ctx, directory.Seat{Device: r.Device, Line: max(r.Line, 1)})
	if err != nil {
		return k, err
	}
	if r.Admin || r.Vouched {
		k.by = r.By
	}
	if _, err = directory.ParseNumber(r.Number); err != nil {
		return k, &Refused{Why: BadCredentials}
	}
	id := directory.ExtensionID{Tenant: r.Device.Tenant, Number: r.Number}
	counted := id
	if r.Supervisor {
		counted.Number = supervisors
	}
	if !r.Admin && !r.Vouched {
		if err = e.begin(ctx, counted, r.Source); err != nil {
			return k, err
		}
	}
	k.extension, err = e.dir.Extension(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return k, fmt.Errorf("hotdesk: login: %w", err)
	}
	unknown := err != nil
	switch {
	case (r.Admin || r.Vouched) && unknown:
		return k, &Refused{Why: BadCredentials}
	case r.Admin || r.Vouched:
		return k, nil
	case !e.right(&k, id, r) || unknown:
		return k, &Refused{Why: BadCredentials}
	}
	if err := e.attempts.Succeeded(ctx, counted, r.Source, e.now()); err != nil {
		return k, fmt.Errorf("hotdesk: login: %w", err)
	}
	return k, nil
}

// right tells whether the PIN is, and notes whose it is.
func (e *Engine) right(k *known, id directory.ExtensionID, r LoginRequest) bool {
	if !r.Supervisor {
		return e.checkPIN(*k, id, r.PIN)
	}
	name, ok := e.checkSupervisor(*k, r.PIN)
	if ok {
		k.by = "supervisor:" + name
	}
	return ok
}

// supervisors stands for all supervisors of a tenant where failures are counted:
// no extension has such a number. Whoever guesses their PINs is locked out
// whatever extension they name.
const supervisors = "*supervisors"

// checkSupervisor finds the supervisor whose PIN it is. All are tried, so that
// the time tells nothing; where the policy has none, no PIN is right.
func (e *Engine) checkSupervisor(k known, pin directory.Secret) (name string, ok bool) {
	allowed := *k.policy().Supervisors
	for _, s := range k.tenant.Supervisors {
		if e.pins.CheckSupervisorPIN(s.PIN, k.tenant.Code, s.Name, pin) && !ok && allowed && pin != "" {
			name, ok = s.Name, true
		}
	}
	return name, ok
}

func (e *Engine) missing(err error, why Reason) error {
	if errors.Is(err, ErrNotFound) {
		return &Refused{Why: why}
	}
	return fmt.Errorf("hotdesk: login: %w", err)
}

// Slow-down of an extension that is being guessed from many sources: it only
// delays, and never a source that succeeded before, so that nobody can lock a
// colleague out from a distance.
const (
	freeGuesses = 10
	guessDelay  = 100 * time.Millisecond
	maxDelay    = 3 * time.Second
)

func (e *Engine) begin(ctx context.Context, id directory.ExtensionID, source string) error {
	a, err := e.attempts.Begin(ctx, id, source, e.now())
	if err != nil {
		return fmt.Errorf("hotdesk: login: %w", err)
	}
	if a.LockedFor > 0 {
		return &Refused{Why: Locked, RetryAfter: a.LockedFor}
	}
	if over := a.AllSources - freeGuesses; over > 0 && !a.KnownGood {
		e.log.WarnContext(ctx, "an extension is being guessed from many sources",
			"tenant", id.Tenant, "failures_this_hour", a.AllSources)
		e.pause(ctx, min(time.Duration(over)*guessDelay, maxDelay))
	}
	return nil
}

// checkPIN tries the first PIN that exists, in the order of pin_source; all
// sources cost one check each, existing or not.
func (e *Engine) checkPIN(k known, id directory.ExtensionID, pin directory.Secret) bool {
	ok, decided := false, false
	for _, source := range k.policy().PINSource {
		kept, good := directory.Kept{}, false
		switch source {
		case directory.PINOwn:
			kept = k.extension.PIN
			good = e.pins.CheckPIN(kept, id, pin)
		case directory.PINVoicemail:
			kept = k.extension.VoicemailPIN
			good = e.pins.CheckPIN(kept, id, pin)
		case directory.PINTenant:
			kept = k.tenant.DefaultPIN
			good = e.pins.CheckTenantPIN(kept, id.Tenant, pin)
		}
		if !decided && !kept.IsZero() {
			ok, decided = good, true
		}
	}
	return ok && pin != ""
}

func (k known) policy() directory.Policy {
	site, _ := k.tenant.Site(k.device.Site)
	return directory.Resolve(k.tenant.Policy, site.Policy, k.extension.Policy, k.device.Policy)
}

// rules resolves the policy to the plain values that the store checks. A value
// that is not understood denies. What the desk and the extension are holds for
// admins too; what they may is the admin's to override, and of the desk's class
// and windows a supervisor's.
func (k known) rules(r LoginRequest, now time.Time) (Rules, error) {
	if err := k.standing(now); err != nil {
		return Rules{}, err
	}
	p := k.policy()
	rules := Rules{MaxLogins: *p.MaxLogins, OnConflict: p.OnConflict, OnOccupied: p.OnOccupied}
	if rules.MaxLogins < 1 {
		return Rules{}, &Refused{Why: NotUnderstood, Rule: k.decided("max_logins")}
	}
	if r.Admin {
		rules.OnConflict, rules.OnOccupied = directory.Move, directory.Replace
		return rules, nil
	}
	if len(p.Sites) > 0 && !slices.Contains(p.Sites, k.device.Site) {
		return Rules{}, &Refused{Why: SiteForbidden, Rule: k.decided("sites")}
	}
	if !r.Supervisor {
		if err := k.entitled(now); err != nil {
			return Rules{}, err
		}
	}
	if rules.OnConflict != directory.Move {
		rules.OnConflict = directory.Deny
	}
	switch rules.OnOccupied {
	case directory.Replace:
	case directory.Ask:
		if r.Confirmed {
			rules.OnOccupied = directory.Replace
		}
	default:
		rules.OnOccupied = directory.Deny
	}
	return rules, nil
}

// standing refuses where nobody at all may log in, or not this extension now.
func (k known) standing(now time.Time) error {
	switch {
	case k.desk.Kind() == directory.EmergencyOnly:
		return &Refused{Why: EmergencyOnly, Rule: k.class()}
	case !slices.Contains(directory.Classes(), k.desk.Kind()):
		return &Refused{Why: NotUnderstood, Rule: k.class()}
	case !k.extension.ValidAt(now):
		return &Refused{Why: NotValid}
	}
	return nil
}

// entitled refuses whoever the desk is not for.
func (k known) entitled(now time.Time) error {
	if k.desk.Kind() == directory.Owned && (k.desk.Owner == "" || k.desk.Owner != k.extension.ID.Number) {
		return &Refused{Why: NotOwner, Rule: k.class()}
	}
	if rule, kept := k.keptForOthers(now); kept {
		return &Refused{Why: Reserved, Rule: rule}
	}
	return nil
}

// class names the desk's class as a rule.
func (k known) class() string {
	return "class: " + string(k.desk.Kind()) + " (desk " + k.desk.ID.Code + ")"
}

// settings says which level decided each setting.
func (k known) settings() []directory.Setting {
	site, _ := k.tenant.Site(k.device.Site)
	return directory.Explain(k.tenant.Policy, site.Policy, k.extension.Policy, k.device.Policy)
}

// decided is one setting with its value and level.
func (k known) decided(key string) string {
	all := k.settings()
	i := slices.IndexFunc(all, func(s directory.Setting) bool { return s.Key == key })
	if i < 0 {
		return ""
	}
	return all[i].String()
}

// explained adds to a refusal of the store the setting behind it.
func (k known) explained(err error) error {
	no, ok := errors.AsType[*Refused](err)
	if !ok || no.Rule != "" {
		return err
	}
	switch no.Why {
	case Elsewhere:
		no.Rule = k.decided("on_conflict")
	case DeskTaken, AskFirst:
		no.Rule = k.decided("on_occupied")
	}
	return err
}

// tell makes a refusal known. The typed number is left out where no such
// extension logged in here: it may be a PIN typed into the wrong field.
func (e *Engine) tell(ctx context.Context, r LoginRequest, by string, no *Refused) {
	ev := event.Event{
		Type: event.LoginRefused, At: e.now().UnixMilli(), Tenant: r.Device.Tenant, MAC: r.Device.MAC.String(),
		Line: max(r.Line, 1), Trace: r.ID, Door: string(r.Door), Reason: string(no.Why), Rule: no.Rule, By: by,
	}
	if r.Device.MAC.IsZero() {
		ev.MAC, ev.Line = "", 0 // a sign-in is at no seat
	}
	if no.Why != BadCredentials && no.Why != Locked {
		ev.Number = r.Number
	}
	if r.Supervisor && by == "" {
		ev.By = "supervisor" // which one is not known: the PIN was wrong
	}
	if err := e.news.Append(ctx, ev); err != nil {
		e.log.WarnContext(ctx, "a refusal was not recorded", "tenant", r.Device.Tenant, "door", r.Door, "err", err)
	}
}
