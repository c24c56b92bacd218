package location

import "time"

// FlowLost is the reason of contacts that went with their flow.
const FlowLost = "flow-lost"

// Lose decides what becomes of the contacts whose flow is gone: one flow of an
// instance is freed, since its phone keeps another or makes a new one (RFC 5626
// section 6); any other contact stays registered and is marked, until its
// time is over or its device is heard again. False: nothing changes. The
// caller fills in tenant and user.
func Lose(set Set, gone func(Flow) bool, now time.Time) (Commit, bool) {
	out := Commit{Set: Set{Rev: set.Rev}, Now: now, Gone: FlowLost}
	for _, c := range set.Contacts {
		switch {
		case c.Lost != 0 || c.Expired(now) || !gone(c.Flow):
		case c.Outbound():
			out.Removed = append(out.Removed, c)
			continue
		default:
			c.Lost = now.UnixMilli()
			out.Lost = append(out.Lost, c)
		}
		out.Set.Contacts = append(out.Set.Contacts, c)
	}
	return out, len(out.Removed)+len(out.Lost) > 0
}

// Revive gives the marked contacts that own picks the flow by which their
// device was heard. False: nothing changes.
func Revive(set Set, own func(Contact) bool, f Flow, now time.Time) (Commit, bool) {
	out := Commit{Set: Set{Rev: set.Rev}, Now: now}
	for _, c := range set.Contacts {
		if c.Lost != 0 && !c.Expired(now) && own(c) {
			c.Lost, c.Flow = 0, f
			out.Revived = append(out.Revived, c)
		}
		out.Set.Contacts = append(out.Set.Contacts, c)
	}
	return out, len(out.Revived) > 0
}
