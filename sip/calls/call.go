package calls

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"perch/hotdesk/directory"
	"perch/sip/location"
)

// ID names a call in the store: of fixed length and harmless, whatever Call-ID
// a phone chose.
type ID string

// NewID is the id of the call with a Call-ID, in a tenant. All branches of a
// forked call share it, and so do both directions of its dialogs.
func NewID(t directory.TenantCode, callID string) ID {
	sum := sha256.Sum256([]byte(string(t) + "\x00" + callID))
	return ID(hex.EncodeToString(sum[:12]))
}

// Kind says what a call is; it is Ordinary when empty.
type Kind string

// The kinds.
const (
	Ordinary  Kind = ""
	Feature   Kind = "feature"   // to a feature code: keeps its device busy, lights no lamp
	Emergency Kind = "emergency" // to an emergency number
)

// Phase is how far a dialog has come (RFC 4235 section 3.7.1). It only grows.
type Phase string

// The phases, in their order.
const (
	Trying     Phase = "trying"     // INVITE on its way, no answer yet
	Proceeding Phase = "proceeding" // 1xx without a tag
	Early      Phase = "early"      // 1xx with a tag: it rings
	Confirmed  Phase = "confirmed"  // 2xx: they talk
	Terminated Phase = "terminated"
)

var phases = []Phase{Trying, Proceeding, Early, Confirmed, Terminated}

// Before tells whether p comes before q in the life of a dialog.
func (p Phase) Before(q Phase) bool { return slices.Index(phases, p) < slices.Index(phases, q) }

// Direction says who began a call, seen from one end (RFC 4235 section 4.1.1).
type Direction string

// The end called, or was called.
const (
	Initiator Direction = "initiator"
	Recipient Direction = "recipient"
)

// Party is who is at one end. Each text may be empty.
type Party struct {
	Number  string `json:"number,omitempty"` // of an extension; empty: an idle desk, or outside
	MAC     string `json:"mac,omitempty"`    // of the device, 12 hex digits; empty: none is known
	Display string `json:"display,omitempty"`
	URI     string `json:"uri,omitempty"`
	Private bool   `json:"private,omitempty"` // asked not to be shown (RFC 3323)
}

// End is how the phone at one end of a dialog is reached: what a probe of the
// call needs. The zero End cannot be probed.
type End struct {
	Flow   location.Flow `json:"flow,omitzero"`
	Target string        `json:"target,omitempty"` // its Contact URI
	From   string        `json:"from,omitempty"`   // URI of this end in From or To
	CSeq   uint32        `json:"cseq,omitempty"`   // the last the other end sent it
}

// Leg is one end of a call: the caller, or one phone that was called. Times
// are Unix ms, 0: not yet.
type Leg struct {
	Branch    string    `json:"branch,omitempty"` // names the leg in the call; the caller's is empty
	Party     Party     `json:"party,omitzero"`
	Direction Direction `json:"direction"`
	Phase     Phase     `json:"phase"`
	Tag       string    `json:"tag,omitempty"` // this end's tag
	Began     int64     `json:"began"`
	Answered  int64     `json:"answered,omitempty"`
	Ended     int64     `json:"ended,omitempty"`
	Status    int       `json:"status,omitempty"` // of the final response to its INVITE
	End       End       `json:"end,omitzero"`
}

// Call is one call as the store keeps it. Legs[0] is the caller's. Times are
// Unix ms, 0: not yet.
type Call struct {
	ID       ID                   `json:"id"`
	Rev      uint64               `json:"rev,omitempty"` // from the tenant's counter; grows with each change
	Tenant   directory.TenantCode `json:"tenant"`
	Kind     Kind                 `json:"kind,omitempty"`
	CallID   string               `json:"call_id,omitempty"` // empty when too long to be kept
	Node     string               `json:"node,omitempty"`    // changed it last
	Began    int64                `json:"began"`
	Rang     int64                `json:"rang,omitempty"` // the first phone
	Answered int64                `json:"answered,omitempty"`
	Ended    int64                `json:"ended,omitempty"`
	Lease    int64                `json:"lease"`             // when it is over unless something is heard of it
	Session  int64                `json:"session,omitempty"` // session timer (RFC 4028), seconds
	Called   Party                `json:"called,omitzero"`   // as dialled
	Legs     []Leg                `json:"legs"`
	By       By                   `json:"by,omitempty"`     // who ended it
	Reason   string               `json:"reason,omitempty"` // why it ended: a word of a closed set
	Status   int                  `json:"status,omitempty"` // final response to the caller; 0: none
	Steps    []Step               `json:"steps,omitempty"`
}

// By is who ended a call.
type By string

// The ends of a call that can end it, and Perch.
const (
	ByCaller By = "caller"
	ByCalled By = "called"
	ByPerch  By = "perch"
)

// Why a call ended.
const (
	HungUp    = "hung_up"   // BYE
	Cancelled = "cancelled" // the caller gave up
	Refused   = "refused"   // a final response other than 2xx
	NoAnswer  = "no_answer" // nobody answered in time
	Expired   = "expired"   // nothing was heard of it for a whole lease
	Gone      = "gone"      // a phone knew nothing of it any more
	Restarted = "restarted" // the node ended while it was being set up
)

// Step is one thing that happened in a call.
type Step struct {
	Step   string `json:"step"` // invite, trying, ringing, answered, refused, ended
	At     int64  `json:"at"`
	MS     int64  `json:"ms"`               // since the INVITE
	MAC    string `json:"mac,omitempty"`    // where
	Number string `json:"number,omitempty"` // where
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Over tells whether the call has ended.
func (c *Call) Over() bool { return c.Ended != 0 }

// Phase is how far the call has come as its caller sees it.
func (c *Call) Phase() Phase {
	if len(c.Legs) == 0 {
		return Terminated
	}
	return c.Legs[0].Phase
}

// Live tells whether a leg is part of the call still: one that rings is not
// once another has answered.
func (c *Call) Live(l *Leg) bool {
	if c.Over() || l.Phase == Terminated {
		return false
	}
	return l.Phase == Confirmed || c.Answered == 0
}

// Devices lists the devices that are in the call now, each once.
func (c *Call) Devices() []string {
	var out []string
	for i := range c.Legs {
		l := &c.Legs[i]
		if l.Party.MAC != "" && c.Live(l) && !slices.Contains(out, l.Party.MAC) {
			out = append(out, l.Party.MAC)
		}
	}
	return out
}

// Numbers lists the extensions whose lamps the call lights or lit, each once.
func (c *Call) Numbers() []string {
	if c.Kind == Feature {
		return nil
	}
	var out []string
	for i := range c.Legs {
		if n := c.Legs[i].Party.Number; n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// Peer gives who the leg talks to, or will: for the called the caller, for the
// caller who has answered, or before that whom it called.
func (c *Call) Peer(l *Leg) Party {
	if l.Direction == Recipient {
		return c.Legs[0].Party
	}
	for i := range c.Legs[1:] {
		if other := &c.Legs[1+i]; other.Answered != 0 {
			return other.Party
		}
	}
	return c.Called
}

// Public is the call without its steps and what only a probe needs: for events
// and views.
func (c *Call) Public() Call {
	out := *c
	out.CallID, out.Steps = "", nil
	out.Legs = slices.Clone(c.Legs)
	for i := range out.Legs {
		out.Legs[i].End, out.Legs[i].Tag = End{}, ""
	}
	return out
}

// clone is a copy that shares nothing.
func (c *Call) clone() *Call {
	out := *c
	out.Legs, out.Steps = slices.Clone(c.Legs), slices.Clone(c.Steps)
	return &out
}

func (c *Call) leg(branch string) *Leg {
	for i := range c.Legs {
		if c.Legs[i].Branch == branch {
			return &c.Legs[i]
		}
	}
	return nil
}
