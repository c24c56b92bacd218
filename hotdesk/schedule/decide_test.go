package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return noon.Add(d) }

func TestDecide(t *testing.T) {
	const h, m = time.Hour, time.Minute
	base := Facts{Now: noon, Since: at(-h), Lead: 5 * m}
	for _, tc := range []struct {
		name string
		edit func(*Facts)
		want Plan
	}{
		{"nothing set", func(*Facts) {}, Plan{}},
		{"an end to come", func(f *Facts) { f.Until = at(h) }, Plan{Do: Wait, Why: Expired, End: at(h), Next: at(55 * m)}},
		{"time to warn", func(f *Facts) { f.Until = at(4 * m) }, Plan{Do: Warn, Why: Expired, End: at(4 * m), Next: at(4 * m)}},
		{"warned already", func(f *Facts) { f.Until, f.Warned = at(4*m), at(4*m) }, Plan{Do: Wait, Why: Expired, End: at(4 * m), Next: at(4 * m)}},
		{"warned of another end", func(f *Facts) { f.Until, f.Warned = at(4*m), at(3*m) }, Plan{Do: Warn, Why: Expired, End: at(4 * m), Next: at(4 * m)}},
		{"no warnings", func(f *Facts) { f.Until, f.Lead = at(4*m), 0 }, Plan{Do: Wait, Why: Expired, End: at(4 * m), Next: at(4 * m)}},
		{"now", func(f *Facts) { f.Until = noon }, Plan{Do: Leave, Why: Expired, End: noon}},
		{"long ago", func(f *Facts) { f.Until = at(-9 * h) }, Plan{Do: Leave, Why: Expired, End: at(-9 * h)}},
		{"the time of day", func(f *Facts) { f.Until, f.Why = noon, LogoutAt }, Plan{Do: Leave, Why: LogoutAt, End: noon}},
		{"a call does not keep an end away", func(f *Facts) { f.Until, f.Busy = noon, at(h) }, Plan{Do: Leave, Why: Expired, End: noon}},
		{"reserved", func(f *Facts) { f.Reserved = noon }, Plan{Do: Leave, Why: Reserved, End: noon}},
		{"reserved before the end", func(f *Facts) { f.Until, f.Reserved = at(2*h), at(h) }, Plan{Do: Wait, Why: Reserved, End: at(h), Next: at(55 * m)}},
		{"the end and reserved at once", func(f *Facts) { f.Until, f.Reserved = noon, noon }, Plan{Do: Leave, Why: Expired, End: noon}},
		{"idle since the login", func(f *Facts) { f.Idle = h }, Plan{Do: Leave, Why: Idle, End: noon}},
		{"touched since", func(f *Facts) { f.Idle, f.Active = h, at(-30*m) }, Plan{Do: Wait, Why: Idle, End: at(30 * m), Next: at(25 * m)}},
		{"touched before the login", func(f *Facts) { f.Idle, f.Active = 2*h, at(-9*h) }, Plan{Do: Wait, Why: Idle, End: at(h), Next: at(55 * m)}},
		{"touched tomorrow, by a clock that was set back", func(f *Facts) { f.Idle, f.Active = h, at(24*h) }, Plan{Do: Wait, Why: Idle, End: at(h), Next: at(55 * m)}},
		{"idle, but in a call", func(f *Facts) { f.Idle, f.Busy = h, at(3*h) }, Plan{Do: Wait, Next: at(55 * m)}},
		{"in a call until before", func(f *Facts) { f.Idle, f.Busy = h, at(-m) }, Plan{Do: Leave, Why: Idle, End: noon}},
		{"in a call, and an end to come", func(f *Facts) { f.Idle, f.Busy, f.Until = h, at(3*h), at(20*m) }, Plan{Do: Wait, Why: Expired, End: at(20 * m), Next: at(15 * m)}},
		{"a short time is warned of late", func(f *Facts) { f.Idle, f.Active = 10*time.Second, at(-time.Second) }, Plan{Do: Wait, Why: Idle, End: at(9 * time.Second), Next: at(7 * time.Second)}},
		{"a login in the future", func(f *Facts) { f.Since, f.Until = at(h), at(2*h) }, Plan{Do: Wait, Why: Expired, End: at(2 * h), Next: at(115 * m)}},
		{"an end before the login", func(f *Facts) { f.Since, f.Until = at(2*h), at(h) }, Plan{Do: Wait, Why: Expired, End: at(h), Next: at(h)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := base
			tc.edit(&f)
			got := Decide(f)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecideAlwaysLooksAgain: whatever the facts, a seat with an end is looked at
// again no later than that end, never in the past, and never warned twice of one.
func TestDecideAlwaysLooksAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		moment := func(name string) time.Time {
			n := rapid.Int64Range(-200_000, 200_000).Draw(rt, name)
			if n%5 == 0 {
				return time.Time{}
			}
			return noon.Add(time.Duration(n) * time.Second)
		}
		f := Facts{
			Now: noon, Since: moment("since"), Until: moment("until"), Reserved: moment("reserved"), Active: moment("active"),
			Busy: moment("busy"), Warned: moment("warned"),
			Idle: time.Duration(rapid.Int64Range(-5, 100_000).Draw(rt, "idle")) * time.Second,
			Lead: time.Duration(rapid.Int64Range(0, 600).Draw(rt, "lead")) * time.Second,
		}
		if f.Since.IsZero() {
			f.Since = noon
		}
		p := Decide(f)
		over := sooner(f.Until, noon.Add(1)) || sooner(f.Reserved, noon.Add(1))
		if over != (p.Do == Leave && p.Why != Idle) && !(p.Do == Leave && p.Why == Idle) {
			rt.Fatalf("over %v, but %+v", over, p)
		}
		if p.Do == Leave && p.Why == Idle && f.Busy.After(noon) {
			rt.Fatal("idle in a call")
		}
		waits := !f.Until.IsZero() || !f.Reserved.IsZero() || f.Idle > 0
		if p.Do != Leave && waits != !p.Next.IsZero() {
			rt.Fatalf("waits %v, next %v", waits, p.Next)
		}
		if p.Do != Leave && waits && !p.Next.After(noon) {
			rt.Fatalf("looks again in the past: %v", p.Next)
		}
		if p.Do == Warn {
			f.Warned = p.End
			if again := Decide(f); again.Do == Warn {
				rt.Fatal("warned twice")
			}
		}
		if p.Do != Leave && !p.End.IsZero() && p.Next.After(p.End) {
			rt.Fatalf("looks again after the end: %+v", p)
		}
	})
}
