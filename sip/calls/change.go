package calls

import (
	"strings"
	"time"

	"perch/hotdesk/directory"
)

// Bounds of what a call keeps of foreign text, in bytes, and of its parts.
const (
	maxText   = 256
	maxName   = 128
	maxLegs   = 32
	maxSteps  = 96
	maxCallID = 256
)

// Start is a new call: the INVITE of an authenticated caller for which there
// is somewhere to go.
type Start struct {
	Tenant directory.TenantCode
	CallID string
	Tag    string // the caller's: From
	Kind   Kind
	Caller Party
	End    End   // the caller's
	Called Party // as dialled
}

// Branch is an INVITE sent to one place: a contact, or the upstream.
type Branch struct {
	ID    string // unique in the call and not empty
	Party Party
	End   End
}

// Answered is a 2xx to an INVITE.
type Answered struct {
	Tag     string        // To
	Target  string        // Contact URI of who answered
	Session time.Duration // Session-Expires of the response (RFC 4028); 0: none
}

// Ending is how a call ended.
type Ending struct {
	By     By
	Reason string // one of the words above
	Status int    // final response to the caller; 0: it was answered
}

// Dialog names a dialog of a call by what every request inside it carries. The
// two tags may come in either order.
type Dialog struct {
	Tenant         directory.TenantCode
	CallID         string
	FromTag, ToTag string
}

// change is one step of a call: it tells whether it changed anything. It must
// be repeatable, on a newer state of the same call.
type change func(c *Call) bool

// made makes a change of a call that is up, and of no other: what comes late
// never brings one back.
func (ch change) made(c *Call) bool { return len(c.Legs) > 0 && !c.Over() && ch(c) }

// begun takes a new call. One with the same Call-ID that is up stays as it is.
// One that ended without an answer gives way: its caller tries again, with
// credentials or after a Retry-After (RFC 3261 section 8.1.3.5).
func begun(fresh *Call) change {
	return func(c *Call) bool {
		if len(c.Legs) > 0 && (!c.Over() || c.Answered != 0) {
			return false
		}
		next := fresh.clone()
		next.Rev = c.Rev
		if len(c.Steps)+len(next.Steps) <= maxSteps/2 {
			next.Steps = append(c.Steps, next.Steps...)
		}
		*c = *next
		return true
	}
}

func begin(s Start, id ID, at int64) *Call {
	c := &Call{
		ID: id, Tenant: s.Tenant, Kind: s.Kind, Began: at, Called: dialled(s.Called),
		Legs: []Leg{{Party: bounded(s.Caller), Direction: Initiator, Phase: Trying, Tag: tagOf(s.Tag), Began: at, End: s.End}},
	}
	if len(s.CallID) <= maxCallID {
		c.CallID = s.CallID
	}
	c.note(Step{Step: "invite", At: at, MAC: s.Caller.MAC, Number: s.Caller.Number})
	c.Lease = at + setUp.Milliseconds()
	return c
}

// NewFeature is a call of a device with a feature code.
func NewFeature(d directory.DeviceID, id ID, now time.Time) Call {
	at := now.UnixMilli()
	return Call{
		ID: id, Tenant: d.Tenant, Kind: Feature, Began: at,
		Legs: []Leg{{Party: Party{MAC: d.MAC.String()}, Direction: Initiator, Phase: Confirmed, Began: at}},
	}
}

// Finish ends the call.
func (c *Call) Finish(e Ending, now time.Time) { end(e, now.UnixMilli())(c) }

// try adds a leg.
func try(b Branch, at int64) change {
	return func(c *Call) bool {
		if b.ID == "" || c.leg(b.ID) != nil || len(c.Legs) >= maxLegs {
			return false
		}
		p := bounded(b.Party)
		c.Legs = append(c.Legs, Leg{Branch: b.ID, Party: p, Direction: Recipient, Phase: Trying, Began: at, End: b.End})
		c.note(Step{Step: "trying", At: at, MAC: p.MAC, Number: p.Number})
		return true
	}
}

// ring takes a 1xx. Without a tag there is no dialog yet (RFC 3261 section
// 12.1); a late one changes nothing.
func ring(branch string, status int, tag string, at int64) change {
	return func(c *Call) bool {
		l, to := c.leg(branch), Early
		if tag == "" || status <= 100 {
			to = Proceeding
		}
		if l == nil || l.Direction != Recipient || c.Answered != 0 || !l.Phase.Before(to) {
			return false
		}
		l.Phase, l.Tag = to, tagOf(tag)
		if c.Legs[0].Phase.Before(to) {
			c.Legs[0].Phase = to
		}
		if to == Early {
			if c.Rang == 0 {
				c.Rang = at
			}
			c.note(Step{Step: "ringing", At: at, MAC: l.Party.MAC, Number: l.Party.Number, Status: status})
		}
		c.prolong(at)
		return true
	}
}

// answer takes a 2xx. Forks may all answer (RFC 3261 section 13.2.2.4): each is
// a dialog until its own BYE.
func answer(branch string, a Answered, at int64) change {
	return func(c *Call) bool {
		l := c.leg(branch)
		if l == nil || l.Direction != Recipient || l.Phase == Confirmed || l.Answered != 0 {
			return false
		}
		l.Phase, l.Answered, l.Tag, l.Status, l.Ended = Confirmed, at, tagOf(a.Tag), 200, 0
		if a.Target != "" {
			l.End.Target = clip(a.Target, maxText)
		}
		if c.Answered == 0 {
			c.Answered, c.Status = at, 200
			c.Legs[0].Phase, c.Legs[0].Answered = Confirmed, at
		}
		c.Session = int64(a.Session / time.Second)
		c.note(Step{Step: "answered", At: at, MAC: l.Party.MAC, Number: l.Party.Number, Status: 200})
		c.prolong(at)
		return true
	}
}

// fail ends one leg that was never answered; the call goes on.
func fail(branch string, status int, at int64) change {
	return func(c *Call) bool {
		l := c.leg(branch)
		if l == nil || l.Direction != Recipient || l.Phase == Confirmed || l.Phase == Terminated {
			return false
		}
		l.Phase, l.Ended, l.Status = Terminated, at, status
		c.note(Step{Step: "refused", At: at, MAC: l.Party.MAC, Number: l.Party.Number, Status: status})
		return true
	}
}

// end ends the call.
func end(e Ending, at int64) change {
	return func(c *Call) bool {
		for i := range c.Legs {
			if l := &c.Legs[i]; l.Phase != Terminated {
				l.Phase, l.Ended = Terminated, at
			}
		}
		c.Ended, c.By, c.Reason = at, e.By, e.Reason
		if e.Status != 0 {
			c.Status = e.Status
		}
		c.note(Step{Step: "ended", At: at, Status: e.Status, Detail: strings.TrimSpace(string(e.By) + " " + e.Reason)})
		return true
	}
}

// hangUp takes the BYE of a dialog: the call ends with its last one. The tags
// are the proof that it belongs to the call (RFC 3261 section 12.2.2).
func hangUp(d Dialog, at int64) change {
	return func(c *Call) bool {
		l, by := c.within(d)
		if l == nil {
			return false
		}
		l.Phase, l.Ended = Terminated, at
		for i := range c.Legs[1:] {
			if c.Legs[1+i].Phase == Confirmed {
				return true
			}
		}
		return end(Ending{By: by, Reason: HungUp}, at)(c)
	}
}

// seen takes any other sign of life of a dialog.
func seen(d Dialog, session time.Duration, at int64) change {
	return func(c *Call) bool {
		if l, _ := c.within(d); l == nil {
			return false
		}
		secs := int64(session / time.Second)
		changed := session > 0 && secs != c.Session
		if changed {
			c.Session = secs
		}
		return c.prolong(at) || changed
	}
}

// suspect has the call asked for soon: a phone in it may have forgotten it.
func suspect(at int64) change {
	return func(c *Call) bool {
		soon := at + (suspected + Probing).Milliseconds()
		if c.Lease <= soon {
			return false
		}
		c.Lease = soon
		return true
	}
}

// alive gives the call its whole lease: its phones were asked.
func alive(at int64) change {
	return func(c *Call) bool {
		c.Lease = at + c.span()
		return true
	}
}

// within finds the live leg of a dialog, and who sent a request that carries
// these tags.
func (c *Call) within(d Dialog) (*Leg, By) {
	from, to := tagOf(d.FromTag), tagOf(d.ToTag)
	if from == "" || to == "" || len(c.Legs) == 0 {
		return nil, ""
	}
	for i := range c.Legs[1:] {
		l := &c.Legs[1+i]
		if l.Tag == "" || !c.Live(l) {
			continue
		}
		switch {
		case c.Legs[0].Tag == from && l.Tag == to:
			return l, ByCaller
		case c.Legs[0].Tag == to && l.Tag == from:
			return l, ByCalled
		}
	}
	return nil, ""
}

func (c *Call) note(s Step) {
	if len(c.Steps) >= maxSteps && s.Step != "ended" {
		return
	}
	s.MS = s.At - c.Began
	c.Steps = append(c.Steps, s)
}
