// Package location is the location service of RFC 3261 section 10: the
// contacts of an address of record, and what a REGISTER makes of them. It is
// pure: no sockets, no SIP stack, no store. The same request over the same
// stored contacts at the same time gives the same answer.
package location

import (
	"time"

	"perch/hotdesk/directory"
)

// Flow is the way back to a phone (RFC 5626 section 4): the transport, the
// remote address its request came from and the local address it arrived at,
// on the node that holds the socket. ID tells one connection from another that
// later has the same addresses.
type Flow struct {
	Node      string `json:"node,omitempty"`
	ID        string `json:"id,omitempty"`
	Transport string `json:"transport"` // "udp", "tcp", "tls", "ws", "wss"
	Remote    string `json:"remote"`    // ip:port
	Local     string `json:"local"`     // ip:port of the listener
}

// Contact is one contact of an AOR. Times are Unix milliseconds. URI and Path
// are text as the phone sent them.
type Contact struct {
	URI       string              `json:"uri"`         // without angle brackets, parameters inside the URI included
	Q         int                 `json:"q,omitempty"` // q value times 1000; 1000 when absent
	CallID    string              `json:"call_id"`
	CSeq      uint32              `json:"cseq"`
	Expires   int64               `json:"expires"`
	Granted   int                 `json:"granted"`            // seconds, as answered
	Instance  string              `json:"instance,omitempty"` // +sip.instance (RFC 5626)
	RegID     int                 `json:"reg_id,omitempty"`
	Path      []string            `json:"path,omitempty"`
	UserAgent string              `json:"user_agent,omitempty"`
	AOR       directory.AOR       `json:"aor"` // as registered
	Flow      Flow                `json:"flow"`
	MAC       string              `json:"mac,omitempty"` // empty: a static password's contact has no device
	Line      int                 `json:"line,omitempty"`
	Session   directory.SessionID `json:"session,omitempty"` // empty: device account or static password
	Since     int64               `json:"since"`             // first registered
	Updated   int64               `json:"updated"`
	// NAT: an address translator stands in the flow, so a UDP one must be kept
	// open from here.
	NAT bool `json:"nat,omitempty"`
	// Lost is when the flow went away, 0 while it is there. The registration
	// stands, but nothing can be sent to it until the device is heard again.
	Lost int64 `json:"lost,omitempty"`
}

// Expired tells whether the contact is over at now.
func (c Contact) Expired(now time.Time) bool { return c.Expires <= now.UnixMilli() }

// Reachable tells whether a request can be sent to the contact at now.
func (c Contact) Reachable(now time.Time) bool { return !c.Expired(now) && c.Lost == 0 }

// Outbound tells whether the contact is one flow of an instance (RFC 5626
// section 6).
func (c Contact) Outbound() bool { return c.Instance != "" && c.RegID != 0 }

// Set is all contacts of one AOR user of a tenant, with the revision that a
// commit must name. The zero Set is "none".
type Set struct {
	Rev      int64     `json:"rev"`
	Contacts []Contact `json:"contacts,omitempty"`
}
