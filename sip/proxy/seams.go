package proxy

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/calls"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// Directory reads who and what exists and who sits where. Reads of what does
// not exist wrap hotdesk.ErrNotFound.
type Directory interface {
	Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error)
	DeviceByMAC(ctx context.Context, mac directory.MAC) (directory.Device, hotdesk.Seats, error)
	Logins(ctx context.Context, e directory.ExtensionID) ([]directory.Seat, error)
}

// Location reads contacts.
type Location interface {
	// Contacts reads those of an AOR user, a number or a MAC.
	Contacts(ctx context.Context, t directory.TenantCode, user string) (location.Set, error)
	// DeviceContacts reads all that a device has, under whatever identity.
	DeviceContacts(ctx context.Context, d directory.DeviceID, seats hotdesk.Seats) ([]location.Contact, error)
}

// Tracker is told what happens to calls, and never makes the proxy wait:
// calls.Tracker.
type Tracker interface {
	Begin(s calls.Start) calls.Ref
	Try(r calls.Ref, b calls.Branch)
	Ring(r calls.Ref, branch string, status int, tag string)
	Answer(r calls.Ref, branch string, a calls.Answered)
	Fail(r calls.Ref, branch string, status int)
	End(r calls.Ref, e calls.Ending)
	HangUp(d calls.Dialog)
	Seen(d calls.Dialog, session time.Duration)
}

// Asked is a call for which somebody else knows the way.
type Asked struct {
	Tenant directory.Tenant
	// Caller is who calls; its Kind is empty for a call that came from the
	// upstream.
	Caller handler.Identity
	Number string        // as dialled, escapes resolved
	Flow   location.Flow // the caller's
}

// Way is how a call leaves towards somebody who has not registered here.
type Way struct {
	URI  string     // Request-URI
	Hops []flow.Hop // in order: the next is tried when one cannot be reached or answers 503
	// Headers are set on the request in place of those it has by these names.
	Headers []flow.Field
	// From is the URI of From, tag and dialog of the caller kept; empty: as it is.
	From string
	// Body, where set, makes the body of what the caller sent: with the place of
	// the desk for an emergency call (RFC 6442).
	Body func(contentType string, body []byte) (string, []byte)
	// Answer answers a 401 or 407 of the hop: the header fields of the request when
	// it is sent again. False: there are no credentials. Nil: never. It may block
	// until its context ends.
	Answer func(ctx context.Context, sent *sip.Request, challenge *sip.Response) ([]flow.Field, bool)
	// Heard is told what a hop made of the call: a response, or why there was none.
	// It must not block; nil: nobody wants to know.
	Heard func(h flow.Hop, res *sip.Response, err error)
	// Extension, where set, is rung in place of all the above: the number of this
	// tenant that stands in for one that nobody is logged in at.
	Extension string
	// Kind is what the call is to the tracker.
	Kind calls.Kind
}

// Upstream is the PBX behind a tenant. A refusal with a meaning of its own is a
// *handler.Status; nil Upstream: other numbers do not exist.
type Upstream interface {
	// Way tells how a number leaves that is no extension's. False: it does not
	// exist, which is 404.
	Way(ctx context.Context, a Asked) (Way, bool, error)
	// Away tells what becomes of a call for an extension where nobody is logged
	// in: a way, or a *handler.Status. False: 480.
	Away(ctx context.Context, a Asked, e directory.Extension) (Way, bool, error)
	// From tells whether a request comes from an upstream that is trusted to speak
	// for a tenant. It must not block on the network.
	From(ctx context.Context, r *handler.Request) (directory.Tenant, bool, error)
	// Called gives the extension, or the MAC of a desk, that a number which the
	// upstream asked for stands for; it may be the number itself.
	Called(ctx context.Context, t directory.Tenant, number string) (string, error)
}

// Emergency knows the emergency numbers and where calls to them go.
type Emergency interface {
	// Way tells how an emergency call leaves; false: the number is none. No route
	// is a *handler.Status with 503, at once.
	Way(ctx context.Context, a Asked) (Way, bool, error)
}
