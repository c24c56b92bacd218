// Package handler is what every SIP request passes on its way to the package
// that answers it: one handler type whose error becomes the response, and
// around it recovery, bounds, checks of the mandatory headers, authentication,
// one log line and the metrics. It knows no method's meaning and no store; it
// promises that a request gets exactly one final response, an ACK none, and
// that no defect in a handler ends the process.
package handler

import (
	"context"

	"perch/sip/location"
)

// Handler answers one request. A nil error means that the handler has sent the
// final response itself (or that none is due, for ACK); a *Status is sent as
// it says; any other error is answered by StatusOf. The handler of an INVITE
// may block: its context ends with the transaction or a CANCEL. A response
// sent after the handler has returned is lost on stream transports.
type Handler func(ctx context.Context, r *Request) error

// Authenticator finds out who sent a request. The error is a *Status with the
// challenge, or hotdesk.ErrUnavailable wrapped.
type Authenticator interface {
	Authenticate(ctx context.Context, r *Request) (Identity, error)
	// Challenge gives the 401 for a request whose session ended after it was
	// authenticated, or inside a dialog of such a session: always an error.
	Challenge(ctx context.Context, r *Request) error
}

// Authenticated lets only requests through whose sender is known, and tells
// next who it is in r.Identity. Requests for which skip (may be nil) is true
// pass unauthenticated: those inside a dialog that is known, from its flow.
func Authenticated(a Authenticator, skip func(*Request) bool, next Handler) Handler {
	return func(ctx context.Context, r *Request) error {
		if skip != nil && skip(r) {
			return next(ctx, r)
		}
		id, err := a.Authenticate(ctx, r)
		if err != nil {
			return err
		}
		r.identify(id)
		return next(ctx, r)
	}
}

// SameFlow tells whether a request that came by flow got may act in a dialog
// that uses flow known: the same connection, or for UDP the same address.
func SameFlow(known, got location.Flow) bool {
	return known.Transport == got.Transport && known.Remote == got.Remote && known.ID == got.ID
}
