package sip

import (
	"context"
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/sip/handler"
)

// Handlers answer requests by method. Each is complete: it authenticates
// itself where it must. A nil handler means that the method is known but not
// served: 405, or 481 where the method belongs inside a dialog. Options, when
// nil, is answered here.
type Handlers struct {
	Register, Subscribe, Invite, Bye, Notify, Options handler.Handler
	// Ack gets the ACK of a 2xx; it answers nothing. Nil: dropped.
	Ack handler.Handler
	// Info gets an INFO inside a dialog.
	Info handler.Handler
}

// notServed are methods that other servers have and this one refuses by name;
// everything else that is unknown is 501.
var notServed = []sip.RequestMethod{sip.MESSAGE, sip.REFER, sip.PUBLISH, sip.PRACK, sip.UPDATE}

// dispatch registers the handlers at an endpoint's stack. A CANCEL that finds
// its INVITE is answered by the stack; the others are strays.
func (s *Server) dispatch(e *endpoint) {
	h, allow := s.o.Handlers, allowed(s.o.Handlers)
	arrival := s.arrival(e)
	on := func(m sip.RequestMethod, next handler.Handler) {
		e.server.OnRequest(m, s.chain.Adapt(arrival, next))
	}
	refuse405 := refuse(405, handler.Header("Allow", allow))
	on(sip.REGISTER, or(h.Register, refuse405))
	on(sip.SUBSCRIBE, or(h.Subscribe, refuse405))
	on(sip.INVITE, or(h.Invite, refuse405))
	on(sip.BYE, or(h.Bye, refuse(481)))
	on(sip.NOTIFY, or(h.Notify, refuse(481)))
	on(sip.CANCEL, refuse(481)) // RFC 3261 section 9.2
	on(sip.ACK, or(h.Ack, func(context.Context, *handler.Request) error { return nil }))
	on(sip.INFO, or(h.Info, refuse405))
	on(sip.OPTIONS, or(h.Options, options(allow)))
	for _, m := range notServed {
		on(m, refuse405)
	}
	e.server.OnNoRoute(s.chain.Adapt(arrival, refuse(501, handler.Header("Allow", allow))))
}

func or(h, otherwise handler.Handler) handler.Handler {
	if h != nil {
		return h
	}
	return otherwise
}

// allowed is the Allow header (RFC 3261 section 20.5).
func allowed(h Handlers) string {
	methods := []string{"ACK", "CANCEL", "OPTIONS"}
	for _, m := range []struct {
		name string
		h    handler.Handler
	}{{"REGISTER", h.Register}, {"SUBSCRIBE", h.Subscribe}, {"INVITE", h.Invite}, {"BYE", h.Bye}, {"NOTIFY", h.Notify}, {"INFO", h.Info}} {
		if m.h != nil {
			methods = append(methods, m.name)
		}
	}
	return strings.Join(methods, ", ")
}

func refuse(code int, headers ...sip.Header) handler.Handler {
	return func(context.Context, *handler.Request) error {
		return &handler.Status{Code: code, Headers: headers, Why: "not_served"}
	}
}

// options answers what phones send to see whether we are there (RFC 3261
// section 11.2). It tells nothing about any user. Inside a dialog it is for a
// dialog that is not here.
func options(allow string) handler.Handler {
	return func(_ context.Context, r *handler.Request) error {
		if r.ToTag() != "" {
			return handler.Refuse(481, "no_dialog")
		}
		return r.Respond(
			200, "",
			handler.Header("Allow", allow), handler.Header("Accept", "application/sdp"),
			handler.Header("Accept-Encoding", "identity"), handler.Header("Accept-Language", "en"),
			handler.Header("Supported", handler.Supported), handler.Header("Allow-Events", "dialog"),
		)
	}
}
