package schedule

import (
	"time"

	"perch/hotdesk"
)

// Reason is why a seat is left by itself: the reason of its binding.ended.
type Reason string

// The reasons, in the order in which they win at the same moment.
const (
	Expired  Reason = "expired"   // its end, where the binding does not say why
	LogoutAt Reason = "logout_at" // the time of day
	Reserved Reason = "reserved"  // the desk is others' from now on
	Idle     Reason = "idle"      // no call and no touch of the phone for idle_logout
)

// reasonOf is why a binding's Until is: the word of policy.
func reasonOf(b hotdesk.Binding) Reason {
	if b.Ends == "" {
		return Expired
	}
	return Reason(b.Ends)
}

// Reasons lists the closed set.
func Reasons() []Reason {
	all := []Reason{Expired}
	for _, e := range hotdesk.Ends() {
		all = append(all, Reason(e))
	}
	return all
}

// Facts are what is true of one seat at the moment it is looked at. A zero time
// is "never", a zero duration "not set".
type Facts struct {
	Now      time.Time
	Since    time.Time     // of the binding
	Until    time.Time     // its end
	Why      Reason        // of Until: Expired or LogoutAt
	Reserved time.Time     // when the desk is no longer this person's to use
	Idle     time.Duration // idle_logout
	Active   time.Time     // last call or touch of the phone
	Busy     time.Time     // end of the last lease of the device's calls; not after Now: in no call
	Warned   time.Time     // the end of which the person was last warned
	Lead     time.Duration // how long before an end the warning comes; 0: no warnings
}

// Deed is what shall happen to the seat.
type Deed uint8

// The deeds.
const (
	Wait  Deed = iota // look again at Next; a zero Next: nothing to wait for
	Warn              // tell the person of End, then look again at Next
	Leave             // the seat is left now
)

// Plan is the decision about one seat.
type Plan struct {
	Do   Deed
	Why  Reason    // of Warn and Leave
	End  time.Time // when the seat will be left, or should have been
	Next time.Time // when to look again
}

// Decide makes the plan. It is a function of the facts alone, so that any node
// comes to the same and a late look does at once what is overdue.
//
// An end that has come is carried out even during a call: the call goes on, and
// the phone's reload waits for it, as after any logout. Only idleness ends at a
// call, because a phone in a call is not idle.
func Decide(f Facts) Plan {
	end, why := f.Until, f.Why
	if why == "" {
		why = Expired
	}
	if sooner(f.Reserved, end) {
		end, why = f.Reserved, Reserved
	}
	busy := f.Busy.After(f.Now)
	if quiet := f.idleEnd(); !busy && sooner(quiet, end) {
		end, why = quiet, Idle
	}
	p := f.plan(end, why)
	if busy && f.Idle > 0 && p.Do == Wait {
		// The call may end any moment: from then on idle_logout counts.
		p.Next = earlier(p.Next, f.Now.Add(f.Idle-f.lead(f.Idle)))
	}
	return p
}

func (f Facts) plan(end time.Time, why Reason) Plan {
	switch {
	case end.IsZero():
		return Plan{}
	case !end.After(f.Now):
		return Plan{Do: Leave, Why: why, End: end}
	}
	warnAt := end.Add(-f.lead(f.whole(end, why)))
	switch {
	case f.Lead <= 0 || (!f.Warned.IsZero() && f.Warned.UnixMilli() == end.UnixMilli()):
		return Plan{Why: why, End: end, Next: end}
	case warnAt.After(f.Now):
		return Plan{Why: why, End: end, Next: warnAt}
	}
	return Plan{Do: Warn, Why: why, End: end, Next: end}
}

// idleEnd is when the seat will have been idle for too long. Activity in the
// future, from before a clock was set back, is taken as now.
func (f Facts) idleEnd() time.Time {
	if f.Idle <= 0 {
		return time.Time{}
	}
	last := f.Since
	if f.Active.After(last) {
		last = f.Active
	}
	if last.After(f.Now) {
		last = f.Now
	}
	return last.Add(f.Idle)
}

// whole is how long the person had in all.
func (f Facts) whole(end time.Time, why Reason) time.Duration {
	if why == Idle {
		return f.Idle
	}
	return end.Sub(f.Since)
}

// lead is how long before an end the warning comes: never more than a fifth of
// the time that the person had.
func (f Facts) lead(whole time.Duration) time.Duration {
	return max(0, min(f.Lead, whole/5))
}

// sooner tells whether a comes before b, where zero is never.
func sooner(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }

func earlier(a, b time.Time) time.Time {
	if sooner(b, a) {
		return b
	}
	return a
}
