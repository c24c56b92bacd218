package handler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
)

// Status is an error that says which response to send. Why is the reason for
// metrics and the log, from a small closed set of the package that made it; it
// never goes to the peer.
type Status struct {
	Code       int
	Reason     string // phrase; empty: the one RFC 3261 section 21 has
	Headers    []sip.Header
	RetryAfter time.Duration // over 0: a Retry-After header, rounded up to seconds
	Why        string
	Err        error // cause, for the log
}

// Error says code and phrase, not the headers.
func (s *Status) Error() string {
	text := fmt.Sprintf("sip: %d %s", s.Code, s.phrase())
	if s.Err != nil {
		text += ": " + s.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (s *Status) Unwrap() error { return s.Err }

func (s *Status) phrase() string {
	if s.Reason != "" {
		return s.Reason
	}
	return phraseOf(s.Code)
}

// Refuse makes a Status of a code and its phrase.
func Refuse(code int, why string) *Status { return &Status{Code: code, Why: why} }

// unavailableAfter is when a phone should come back once the store is gone:
// later than a child server's restart takes, and soon enough not to be missed.
const unavailableAfter = 5 * time.Second

// statusOf is the only place where a refusal of the hot desk becomes a SIP
// status (before a call is answered; an answered feature code plays the
// reason). Unknown extension, wrong PIN and locked look the same.
func statusOf(r hotdesk.Reason) (int, bool) {
	switch r {
	case hotdesk.BadCredentials, hotdesk.Locked, hotdesk.SiteForbidden,
		hotdesk.EmergencyOnly, hotdesk.NotOwner, hotdesk.Reserved, hotdesk.NotValid, hotdesk.WeakPIN, hotdesk.PINFixed, hotdesk.NotUnderstood:
		return sip.StatusForbidden, true
	case hotdesk.Elsewhere, hotdesk.DeskTaken, hotdesk.AskFirst:
		return sip.StatusBusyHere, true
	case hotdesk.UnknownDevice:
		return sip.StatusNotFound, true
	case hotdesk.NobodyHere:
		return sip.StatusTemporarilyUnavailable, true
	}
	return 0, false
}

// StatusOf turns any error into the response it gets: a *Status is itself; a
// refusal by its table; a store that is away 503 with Retry-After; anything
// else is a defect, 500, of which the peer learns nothing.
func StatusOf(err error) *Status {
	if s, ok := errors.AsType[*Status](err); ok {
		return s
	}
	if refused, ok := errors.AsType[*hotdesk.Refused](err); ok {
		if code, ok := statusOf(refused.Why); ok {
			return &Status{Code: code, Why: string(refused.Why), Err: err}
		}
	}
	if errors.Is(err, hotdesk.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return &Status{Code: sip.StatusServiceUnavailable, RetryAfter: unavailableAfter, Why: "unavailable", Err: err}
	}
	return &Status{Code: sip.StatusInternalServerError, Why: "error", Err: err}
}

// phraseOf is the reason phrase of a code (RFC 3261 section 21, RFC 6665).
func phraseOf(code int) string {
	if p, ok := phrases[code]; ok {
		return p
	}
	switch code / 100 {
	case 2:
		return "OK"
	case 4:
		return "Request Failure"
	case 5:
		return "Server Failure"
	}
	return "Unknown"
}

var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
	405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout",
	413: "Request Entity Too Large", 414: "Request-URI Too Long",
	415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
	423: "Interval Too Brief", 430: "Flow Failed", 439: "First Hop Lacks Outbound Support", 480: "Temporarily Unavailable",
	481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops",
	486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event",
	491: "Request Pending", 500: "Server Internal Error", 501: "Not Implemented",
	503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
	513: "Message Too Large", 603: "Decline",
}
