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

	Message, Refer, Info, Prack, Update, Publish handler.Handler
}

// more are the methods that are refused by name where nobody serves them;
// everything else that is unknown is 501.
func (h Handlers) more() map[sip.RequestMethod]handler.Handler {
	return map[sip.RequestMethod]handler.Handler{
		sip.MESSAGE: h.Message, sip.REFER: h.Refer, sip.INFO: h.Info, sip.PRACK: h.Prack, sip.UPDATE: h.Update, sip.PUBLISH: h.Publish,
	}
}

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
	on(sip.OPTIONS, or(h.Options, options(allow)))
	for m, next := range h.more() {
		on(m, or(next, refuse405))
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
	}{
		{"REGISTER", h.Register},
		{"SUBSCRIBE", h.Subscribe},
		{"INVITE", h.Invite},
		{"BYE", h.Bye},
		{"NOTIFY", h.Notify},
		{"MESSAGE", h.Message},
		{"REFER", h.Refer},
		{"INFO", h.Info},
		{"PRACK", h.Prack},
		{"UPDATE", h.Update},
		{"PUBLISH", h.Publish},
	} {
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
