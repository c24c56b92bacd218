package hotdesk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

// Keeper writes what people change of an extension, in one step with the news
// of it.
type Keeper interface {
	// SetPIN replaces an extension's own PIN, which must still be as it was read:
	// otherwise ErrChanged. The same change again is no error.
	SetPIN(ctx context.Context, ext directory.ExtensionID, was, pin directory.Kept, now time.Time, news event.Event) error
}

// ErrChanged is wrapped where somebody else changed the same thing meanwhile.
var ErrChanged = errors.New("changed meanwhile")

// PINChange is one wish to change an extension's own PIN, from any door.
type PINChange struct {
	ID        string // the door's trace id
	Door      Door
	Extension directory.ExtensionID
	// Device is where it is asked, for the policy of its site and its own; zero
	// for doors away from a desk.
	Device   directory.DeviceID
	Old, New directory.Secret
	Source   string // who is trying, for the lockout
	// Admin needs no old PIN and overrides pin_change; the PIN rules hold.
	Admin bool
	By    string
}

// CheckPIN tells whether a PIN is the extension's, so that a door may ask for the
// new one next. It counts as an attempt like a login's. Refusals are as for
// ChangePIN.
func (e *Engine) CheckPIN(ctx context.Context, r PINChange) error {
	_, err := e.authorPIN(ctx, r)
	e.tellPIN(ctx, r, err)
	return err
}

// ChangePIN replaces an extension's own PIN. It is durable when it returns, and
// applying the directory file again does not undo it. Refusals: BadCredentials
// and Locked as for Login; PINFixed where the policy does not let people change
// it; WeakPIN, with the Rule it is against.
func (e *Engine) ChangePIN(ctx context.Context, r PINChange) error {
	err := e.changePIN(ctx, r)
	e.tellPIN(ctx, r, err)
	return err
}

func (e *Engine) changePIN(ctx context.Context, r PINChange) error {
	k, err := e.authorPIN(ctx, r)
	if err != nil {
		return err
	}
	if rule := k.weak(r.New.Reveal(), r.Old.Reveal()); rule != "" {
		return &Refused{Why: WeakPIN, Rule: rule}
	}
	was := k.extension.PIN
	pin := directory.Kept{Value: e.pins.PIN(r.Extension, r.New), From: was.From}
	ev := event.Event{
		Type: event.PINChanged, At: e.now().UnixMilli(), Tenant: r.Extension.Tenant, Number: r.Extension.Number, Trace: r.ID, Door: string(r.Door), By: k.by,
	}
	if !r.Device.MAC.IsZero() {
		ev.MAC = r.Device.MAC.String()
	}
	if err := e.keeper.SetPIN(ctx, r.Extension, was, pin, e.now(), ev); err != nil {
		return fmt.Errorf("hotdesk: change PIN: %w", err)
	}
	return nil
}

// authorPIN finds out whether the one who asks may change the PIN.
func (e *Engine) authorPIN(ctx context.Context, r PINChange) (known, error) {
	var k known
	var err error
	if k.tenant, err = e.dir.Tenant(ctx, r.Extension.Tenant); err != nil {
		return k, e.missing(err, BadCredentials)
	}
	if !r.Device.MAC.IsZero() {
		if k.device, err = e.dir.Device(ctx, r.Device); err != nil {
			return k, e.missing(err, UnknownDevice)
		}
	}
	if _, err = directory.ParseNumber(r.Extension.Number); err != nil {
		return k, &Refused{Why: BadCredentials}
	}
	if !r.Admin {
		if err = e.begin(ctx, r.Extension, r.Source); err != nil {
			return k, err
		}
	}
	k.extension, err = e.dir.Extension(ctx, r.Extension)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return k, fmt.Errorf("hotdesk: change PIN: %w", err)
	}
	unknown := err != nil
	if r.Admin {
		if k.by = r.By; unknown {
			return k, &Refused{Why: BadCredentials}
		}
		return k, nil
	}
	if !e.checkPIN(k, r.Extension, r.Old) || unknown {
		return k, &Refused{Why: BadCredentials}
	}
	if err := e.attempts.Succeeded(ctx, r.Extension, r.Source, e.now()); err != nil {
		return k, fmt.Errorf("hotdesk: change PIN: %w", err)
	}
	return k, k.mayChange()
}

// mayChange refuses where the policy keeps people from it, or takes the PIN from
// a source that stands before the own one and has it.
func (k known) mayChange() error {
	p := k.policy()
	if !*p.PINChange {
		return &Refused{Why: PINFixed, Rule: k.decided("pin_change")}
	}
	for _, source := range p.PINSource {
		switch {
		case source == directory.PINOwn:
			return nil
		case source == directory.PINVoicemail && !k.extension.VoicemailPIN.IsZero(),
			source == directory.PINTenant && !k.tenant.DefaultPIN.IsZero():
			return &Refused{Why: PINFixed, Rule: k.decided("pin_source")}
		}
	}
	if !slices.Contains(p.PINSource, directory.PINOwn) {
		return &Refused{Why: PINFixed, Rule: k.decided("pin_source")}
	}
	return nil
}

// maxPIN is how many digits a door takes.
const maxPIN = 32

// weak names the rule that a new PIN is against; "" for none.
func (k known) weak(pin, old string) string {
	p := k.policy()
	switch {
	case pin == "" || strings.Trim(pin, "0123456789") != "" || len(pin) > maxPIN:
		return fmt.Sprintf("a PIN has up to %d digits", maxPIN)
	case len(pin) < *p.PINMin:
		return k.decided("pin_min")
	case pin == old:
		return "the new PIN is the old one"
	case p.PINWeak != directory.Allow && directory.WeakDigits(pin, k.extension.ID.Number) != "":
		return k.decided("pin_weak") + ": " + directory.WeakDigits(pin, k.extension.ID.Number)
	}
	return ""
}

// tellPIN makes a refusal known.
func (e *Engine) tellPIN(ctx context.Context, r PINChange, err error) {
	no, ok := errors.AsType[*Refused](err)
	if !ok {
		return
	}
	ev := event.Event{
		Type: event.PINRefused, At: e.now().UnixMilli(), Tenant: r.Extension.Tenant, Trace: r.ID, Door: string(r.Door),
		Reason: string(no.Why), Rule: no.Rule, By: r.By,
	}
	if !r.Device.MAC.IsZero() {
		ev.MAC = r.Device.MAC.String()
	}
	if no.Why != BadCredentials && no.Why != Locked {
		ev.Number = r.Extension.Number
	}
	if err := e.news.Append(ctx, ev); err != nil {
		e.log.WarnContext(ctx, "a refusal was not recorded", "tenant", r.Extension.Tenant, "door", r.Door, "err", err)
	}
}
