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
	Admin     bool
	By        string
	Force     bool // the reload does not wait for calls
	Confirmed bool // the person has confirmed a takeover (on_occupied: ask)
	// Supervisor says that PIN is a supervisor's, not the extension's. Where the
	// policy's supervisors is off, no such PIN is right.
	Supervisor bool
}

// Login seats an extension at a device. The error is a *Refused when policy or
// PIN say no; it wraps ErrUnavailable when the store does not answer.
func (e *Engine) Login(ctx context.Context, r LoginRequest) (Outcome, error) {
	out, err := e.login(ctx, r)
	var no *Refused
	if errors.As(err, &no) {
		e.tell(ctx, r, no)
	}
	return out, err
}

func (e *Engine) login(ctx context.Context, r LoginRequest) (Outcome, error) {
	id := directory.ExtensionID{Tenant: r.Device.Tenant, Number: r.Number}
	who, err := e.identify(ctx, id, r)
	if err != nil {
		return Outcome{}, err
	}
	rules, err := who.rules(r)
	if err != nil {
		return Outcome{}, err
	}
	out, err := e.seating.Bind(ctx, BindRequest{
		ID: r.ID, Now: e.now(), Device: r.Device, Rules: rules, Force: r.Force,
		Binding: Binding{
			Session: e.session(), Number: who.extension.ID.Number, Line: max(r.Line, 1),
			Door: r.Door, Since: r.At.UnixMilli(), Trace: r.ID, By: r.By,
		},
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("hotdesk: login: %w", err)
	}
	return out, nil
}

// known is what a login is decided on.
type known struct {
	tenant    directory.Tenant
	extension directory.Extension
	device    directory.Device
}

// identify reads tenant, device and extension and checks the PIN. An unknown
// extension and a wrong PIN look alike and cost the same.
func (e *Engine) identify(ctx context.Context, id directory.ExtensionID, r LoginRequest) (known, error) {
	var k known
	var err error
	if k.tenant, err = e.dir.Tenant(ctx, id.Tenant); err != nil {
		return k, e.missing(err, UnknownDevice)
	}
	if k.device, err = e.dir.Device(ctx, r.Device); err != nil {
		return k, e.missing(err, UnknownDevice)
	}
	if _, err = directory.ParseNumber(r.Number); err != nil {
		return k, &Refused{Why: BadCredentials}
	}
	if !r.Admin {
		if err = e.begin(ctx, id, r.Source); err != nil {
			return k, err
		}
	}
	k.extension, err = e.dir.Extension(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return k, fmt.Errorf("hotdesk: login: %w", err)
	}
	unknown := err != nil
	if r.Admin {
		if unknown {
			return k, &Refused{Why: BadCredentials}
		}
		return k, nil
	}
	if !e.checkPIN(k, id, r.PIN) || unknown {
		return k, &Refused{Why: BadCredentials}
	}
	if err := e.attempts.Succeeded(ctx, id, r.Source, e.now()); err != nil {
		return k, fmt.Errorf("hotdesk: login: %w", err)
	}
	return k, nil
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
// that is not understood denies.
func (k known) rules(r LoginRequest) (Rules, error) {
	p := k.policy()
	rules := Rules{MaxLogins: max(*p.MaxLogins, 1), OnConflict: p.OnConflict, OnOccupied: p.OnOccupied}
	if r.Admin {
		rules.OnConflict, rules.OnOccupied = directory.Move, directory.Replace
		return rules, nil
	}
	if len(p.Sites) > 0 && !slices.Contains(p.Sites, k.device.Site) {
		return Rules{}, &Refused{Why: SiteForbidden}
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

// tell makes a refusal known. The typed number is left out where no such
// extension logged in here: it may be a PIN typed into the wrong field.
func (e *Engine) tell(ctx context.Context, r LoginRequest, no *Refused) {
	ev := event.Event{
		Type: event.LoginRefused, At: e.now().UnixMilli(), Tenant: r.Device.Tenant, MAC: r.Device.MAC.String(),
		Line: max(r.Line, 1), Trace: r.ID, Door: string(r.Door), Reason: string(no.Why),
	}
	if no.Why != BadCredentials && no.Why != Locked {
		ev.Number = r.Number
	}
	if err := e.news.Append(ctx, ev); err != nil {
		e.log.WarnContext(ctx, "a refusal was not recorded", "tenant", r.Device.Tenant, "door", r.Door, "err", err)
	}
}
