package feature

import (
	"context"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/metrics"
)

// changePIN has a person choose another PIN: that of who sits here, or of the
// extension they name at an idle desk. It is never dialled: a phone keeps what
// was dialled.
func (t *talk) changePIN() answer {
	change, a := t.author()
	if a.why != "" {
		return a
	}
	var before []string
	for try := 1; ; try++ {
		var ok bool
		if a, ok = t.choose(&change, before); !ok {
			return answer{why: metrics.FeatureAbandoned}
		}
		again := a.why == whyMismatch || a.why == whyNothing || a.why == string(hotdesk.WeakPIN)
		if !again || try == tries {
			return t.finish(NewPIN, a, again)
		}
		before = t.again(a)
	}
}

// author finds out who asks, at most in three tries; why is empty once their PIN
// was right.
func (t *talk) author() (change hotdesk.PINChange, a answer) {
	seat := directory.Seat{Device: t.id.Device.ID, Line: max(t.id.Line, 1)}
	who := t.c.s.attempt(t.id, NewPIN, nil, func(ctx context.Context) (a answer, err error) {
		a.who, _, err = t.c.s.Desk.WhoSits(ctx, seat)
		return a, err
	})
	if who.why != "" || t.c.s.PINs == nil {
		if who.why == "" {
			who.why = string(hotdesk.PINFixed)
		}
		return change, t.finish(NewPIN, who, false)
	}
	t.language = t.id.Tenant.Spoken(who.who.Language)
	var before []string
	for try := 1; ; try++ {
		given, ok := t.credentials(who.who.Binding.Number, before, "ask_old_pin")
		if !ok {
			return change, answer{why: metrics.FeatureAbandoned}
		}
		change = hotdesk.PINChange{
			ID: t.c.s.TraceID(), Door: hotdesk.FeatureCode, Device: seat.Device, Source: "device:" + seat.Device.MAC.String(),
			Extension: directory.ExtensionID{Tenant: seat.Device.Tenant, Number: given.Number}, Old: given.PIN,
		}
		if a = given.unusable(); a.why == "" {
			a = t.c.s.attempt(t.id, NewPIN, []string{given.Number, given.PIN.Reveal()}, func(ctx context.Context) (answer, error) {
				return answer{who: who.who}, t.c.s.PINs.CheckPIN(ctx, change)
			})
		}
		again := a.why == string(hotdesk.BadCredentials) || a.why == whyNothing
		switch {
		case a.why == "":
			return change, a
		case !again || try == tries:
			return change, t.finish(NewPIN, a, again)
		}
		before = t.again(a)
	}
}

// choose asks for the new PIN twice and sets it. ok is false when the call has
// ended.
func (t *talk) choose(change *hotdesk.PINChange, before []string) (a answer, ok bool) {
	var typed [2]string
	for i, question := range []string{"ask_new_pin", "ask_pin_again"} {
		if typed[i], ok = t.entry(append(before, question)...); !ok {
			return a, false
		}
		if typed[i] == "" {
			return answer{why: whyNothing}, true
		}
		before = nil
	}
	switch {
	case typed[0] != typed[1]:
		return answer{why: whyMismatch}, true
	case typed[0] == tooLong:
		return answer{why: string(hotdesk.WeakPIN)}, true
	}
	change.New = directory.Secret(typed[0])
	secrets := []string{change.Extension.Number, change.Old.Reveal(), typed[0]}
	return t.c.s.attempt(t.id, NewPIN, secrets, func(ctx context.Context) (answer, error) {
		return answer{}, t.c.s.PINs.ChangePIN(ctx, *change)
	}), true
}
