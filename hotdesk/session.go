package hotdesk

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"perch/hotdesk/calendar"
	"perch/hotdesk/directory"
)

// limits are how long a session may last, decided at its login: settings that
// change later do not change it.
type limits struct {
	until time.Time // zero: no end
	ends  End
	rule  string
	warn  time.Duration
	idle  time.Duration
}

// put writes the limits into a binding.
func (l limits) put(b *Binding) {
	if !l.until.IsZero() {
		b.Until, b.Ends, b.Rule = l.until.UnixMilli(), l.ends, l.rule
	}
}

// errNotUnderstood is a setting whose value this Perch does not understand: it
// never allows.
var errNotUnderstood = errors.New("a setting is not understood")

// limits finds the earliest of all ends. An owner at the own desk has none: the
// desk would go back to them at once.
func (k known) limits(now time.Time) (limits, error) {
	var l limits
	if k.device.Owner == k.extension.ID.Number && k.device.Owner != "" && !k.extension.Guest() {
		return l, nil
	}
	p := k.policy()
	earliest := func(at time.Time, why End, rule string) {
		if !at.IsZero() && (l.until.IsZero() || at.Before(l.until)) {
			l.until, l.ends, l.rule = at, why, rule
		}
	}
	if p.MaxSession != nil && *p.MaxSession > 0 {
		earliest(now.Add(time.Duration(*p.MaxSession)), EndMaxSession, k.decided("max_session"))
	}
	if p.LogoutAt != "" && p.LogoutAt != directory.Never {
		clock, ok := calendar.ParseClock(p.LogoutAt)
		if !ok {
			return l, fmt.Errorf("logout_at: %w", errNotUnderstood)
		}
		earliest(calendar.Next(now, clock, k.zone), EndLogoutAt, k.decided("logout_at"))
	}
	if p.Shift != "" && p.Shift != directory.Never {
		end, err := k.shiftEnd(p.Shift, now)
		if err != nil {
			return l, err
		}
		earliest(end, EndShift, k.decided("shift"))
	}
	if until := k.extension.ValidUntil; !until.IsZero() {
		earliest(until, EndGuest, directory.Setting{Key: "valid_until", Value: until.UTC().Format(time.RFC3339), Level: directory.LevelExtension}.String())
	}
	at, rule := k.reservedFrom(now)
	earliest(at, EndReserved, rule)
	if p.IdleLogout != nil && *p.IdleLogout > 0 {
		l.idle = time.Duration(*p.IdleLogout)
	}
	if p.WarnBefore != nil && (!l.until.IsZero() || l.idle > 0) {
		l.warn = max(0, time.Duration(*p.WarnBefore))
	}
	return l, nil
}

// shiftEnd is the end of the shift that is on, or else of the next; zero when no
// shift comes any more.
func (k known) shiftEnd(name string, now time.Time) (time.Time, error) {
	c, found := k.tenant.Calendar(name)
	if !found {
		return time.Time{}, fmt.Errorf("shift: there is no calendar of that name: %w", errNotUnderstood)
	}
	shifts, err := calendar.Parse(c.Text)
	if err != nil {
		return time.Time{}, fmt.Errorf("shift: %w: %w", errNotUnderstood, err)
	}
	end, _ := shifts.NextEnd(now, k.zone)
	return end, nil
}

// reservedFrom is when the desk is next kept for others.
func (k known) reservedFrom(now time.Time) (at time.Time, rule string) {
	if k.desk.Kind() != directory.ReservedClass {
		return time.Time{}, ""
	}
	for i, r := range k.desk.Reserved {
		w, ok := r.Window()
		if !ok || slices.Contains(r.Extensions, k.extension.ID.Number) {
			continue
		}
		if from := w.NextStart(now, k.zone); at.IsZero() || from.Before(at) {
			at, rule = from, k.reservation(i)
		}
	}
	return at, rule
}

// reservation names a window as a rule in events and answers.
func (k known) reservation(i int) string {
	r := k.desk.Reserved[i]
	return fmt.Sprintf("reserved[%d]: %s-%s (desk %s)", i, r.From, r.To, k.desk.ID.Code)
}

// keptForOthers tells whether the desk is reserved now for somebody else. Where
// windows overlap, each has to list the extension; one that is not understood
// lists nobody.
func (k known) keptForOthers(now time.Time) (rule string, kept bool) {
	if k.desk.Kind() != directory.ReservedClass {
		return "", false
	}
	for i, r := range k.desk.Reserved {
		w, ok := r.Window()
		if (!ok || w.Covers(now, k.zone)) && !slices.Contains(r.Extensions, k.extension.ID.Number) {
			return k.reservation(i), true
		}
	}
	return "", false
}

// zones keeps time zones that were read: reading one opens a file. There are a
// few hundred names that exist, and only those are kept.
type zones struct{ all sync.Map }

// zone gives a site's time zone: UTC where it names none, or none that exists.
func (z *zones) zone(name string) *time.Location {
	if name == "" {
		return time.UTC
	}
	if kept, ok := z.all.Load(name); ok {
		return kept.(*time.Location) //nolint:forcetypeassert // nothing else is stored
	}
	read, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	z.all.Store(name, read)
	return read
}
