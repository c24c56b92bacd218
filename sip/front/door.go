package front

import (
	"bytes"
	"net/netip"
	"time"

	"perch/internal/ratelimit"
	"perch/metrics"
)

// Door decides on every message before the stack sees it. One door serves all
// sockets. A nil Door lets everything in that is SIP and answers nothing.
type Door struct {
	guard   *ratelimit.Guard
	metrics *metrics.SIP
	server  string
	now     func() time.Time
	space   space
}

// DoorOptions are what a Door is made of.
type DoorOptions struct {
	Guard   *ratelimit.Guard // nil: nobody is held to anything
	Metrics *metrics.SIP     // nil: not counted
	Server  string           // Server header of the door's own answers; empty: none
	Now     func() time.Time // nil: time.Now
}

// NewDoor makes a door.
func NewDoor(o DoorOptions) *Door {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Door{guard: o.Guard, metrics: o.Metrics, server: o.Server, now: o.Now, space: space{from: map[netip.Addr]int{}}}
}

// dropped counts a message that goes nowhere.
func (d *Door) dropped(reason string) {
	if d != nil {
		d.metrics.Dropped(reason)
	}
}

// admit holds a source to its budget, and tells the reason when it is not let
// in.
func (d *Door) admit(a netip.Addr, size int) (reason string) {
	if d == nil || d.guard == nil {
		return ""
	}
	switch d.guard.Admit(a, size, d.now()) {
	case ratelimit.Over:
		return metrics.DropRate
	case ratelimit.Banned:
		return metrics.DropBanned
	}
	return ""
}

// strange tells the guard of what no phone sends.
func (d *Door) strange(a netip.Addr, weight uint32) {
	if d != nil && d.guard != nil {
		d.guard.Strange(a, weight, d.now())
	}
}

// shut tells whether connections from there are not even accepted.
func (d *Door) shut(a netip.Addr) bool {
	return d != nil && d.guard != nil && d.guard.Holds(a, d.now())
}

// isTool tells a scanner that gives its name. Where it does not, its behaviour
// gives it away: see ratelimit.Guard.
func (d *Door) isTool(a netip.Addr, h *Head, proven bool) bool {
	if d == nil || d.guard == nil || len(h.UserAgent) == 0 || !namesTool(h.UserAgent) || d.guard.Trusts(a) {
		return false
	}
	if proven { // a datagram may have forged its source
		d.guard.Tool(a, d.now())
	}
	return true
}

// namesTool looks for the names that the common scanners give themselves.
func namesTool(agent []byte) bool {
	for _, name := range [...]string{"friendly-scanner", "friendly-request", "sipvicious", "sundayddr", "sip-scan", "pplsip", "sipcli", "iwar"} {
		if containsFold(agent, name) {
			return true
		}
	}
	return false
}

func containsFold(b []byte, lower string) bool {
	for len(b) >= len(lower) {
		if fold(b, lower) {
			return true
		}
		b = b[1:]
	}
	return false
}

// reasonOf is the word under which a fault is counted.
func reasonOf(f Fault) string {
	switch f {
	case BadLength, Short, NoLength:
		return metrics.DropLength
	case Crowded:
		return metrics.DropHeaders
	case Huge:
		return metrics.DropTooBig
	}
	return metrics.DropMalformed
}

// Frame looks at one message of a transport that keeps messages apart (a
// WebSocket message; RFC 7118 section 5). It gives what the stack is to read,
// which may be nothing, the answer to send in its place, if any, and false when
// the connection is to be ended.
func (d *Door) Frame(a netip.Addr, msg []byte) (in, answer []byte, ok bool) {
	v, offset := Scan(msg)
	switch v {
	case KeepAlive:
		if bytes.HasPrefix(msg, []byte("\r\n\r\n")) {
			answer = []byte("\r\n") // RFC 7118 section 6, RFC 5626 section 3.5.1
		}
		return nil, answer, true
	case Message:
	case TooLong:
		d.dropped(metrics.DropTooBig)
		return nil, nil, false
	default:
		d.dropped(metrics.DropMalformed)
		d.strange(a, 1)
		return nil, nil, false
	}
	if reason := d.admit(a, len(msg)); reason != "" {
		d.dropped(reason)
		return nil, nil, false
	}
	msg = msg[offset:]
	var h Head
	fault := h.Parse(msg)
	if fault == NoFault && h.Length > len(msg)-h.Size {
		fault = Short
	}
	if fault != NoFault {
		d.dropped(reasonOf(fault))
		d.strange(a, 1)
		return nil, d.Refuse(nil, &h, fault, netip.AddrPort{}), true
	}
	if d.isTool(a, &h, true) {
		d.dropped(metrics.DropScanner)
		return nil, nil, false
	}
	return msg, nil, true
}
