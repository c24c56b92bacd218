package upstream

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/metrics"
	"perch/sip/calls"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// Asked is a call for which the way is wanted. It has the fields of the proxy's
// type of that name, so that one is converted to the other.
type Asked struct {
	Tenant directory.Tenant
	Caller handler.Identity // Kind empty: the call came from the upstream
	Number string           // as dialled, escapes resolved
	Flow   location.Flow
}

// Way is how a call leaves; the proxy's type of that name says what each field
// does.
type Way struct {
	URI       string
	Hops      []flow.Hop
	Headers   []flow.Field
	From      string
	Body      func(contentType string, body []byte) (string, []byte)
	Answer    func(ctx context.Context, sent *sip.Request, challenge *sip.Response) ([]flow.Field, bool)
	Heard     func(h flow.Hop, res *sip.Response, err error)
	Extension string
	Kind      calls.Kind
}

// People reads who exists, who is logged in, and who can be reached.
type People interface {
	Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error)
	IsLoggedIn(ctx context.Context, e directory.ExtensionID) (bool, error)
	Contacts(ctx context.Context, t directory.TenantCode, user string) (location.Set, error)
}

// Callbacks remember which desk made an emergency call under a caller id.
type Callbacks interface {
	RememberCallback(ctx context.Context, t directory.TenantCode, callerID string, mac directory.MAC, keep time.Duration) error
	// Callback gives the desk that called last under a caller id; false: none.
	Callback(ctx context.Context, t directory.TenantCode, callerID string) (directory.MAC, bool, error)
}

// RouterOptions are what a Router is made of; all but Hosts, Keep and Metrics are
// required.
type RouterOptions struct {
	Client    *Client
	Tenants   *Tenants
	People    People
	Callbacks Callbacks
	Secrets   Secrets
	News      News
	Metrics   *metrics.Upstream
	Log       *slog.Logger
	Hosts     []string      // our advertised names, besides every IP address
	Keep      time.Duration // how long a callback finds its desk; 0: a day
}

// Router says how a call leaves for the upstream, which calls come from there,
// and what becomes of a call for somebody who is logged out. Safe for use by
// several goroutines.
type Router struct {
	RouterOptions
	open    atomic.Int64 // events being written
	writing sync.WaitGroup
}

// NewRouter makes a Router.
func NewRouter(o RouterOptions) *Router {
	if o.Keep <= 0 {
		o.Keep = 24 * time.Hour
	}
	return &Router{RouterOptions: o}
}

// Close waits for the events that are being written, some seconds at most. No
// call may come afterwards.
func (r *Router) Close() error {
	r.writing.Wait()
	return nil
}

// From tells whether a request comes from an upstream that is trusted to speak
// for a tenant: its source address is one of upstream.trusted, and what it asks
// for is of that tenant's domain, or our own address. Where several tenants
// trust one PBX, the contact that was registered there says which is meant.
func (r *Router) From(_ context.Context, req *handler.Request) (directory.Tenant, bool, error) {
	source, ok := addrOf(req.Flow.Remote)
	if !ok {
		return directory.Tenant{}, false, nil
	}
	uri := &req.SIP.Recipient
	host := strings.ToLower(strings.TrimSuffix(uri.Host, "."))
	var trusting []directory.Tenant
	for _, t := range r.Tenants.trunks() {
		if !t.trusts(source) {
			continue
		}
		if t.tenant.HasDomain(host) {
			return t.tenant, true, nil
		}
		trusting = append(trusting, t.tenant)
	}
	if len(trusting) == 0 || !r.own(host) {
		return directory.Tenant{}, false, nil
	}
	if code, ok := uri.UriParams.Get(tenantParam); ok {
		i := slices.IndexFunc(trusting, func(t directory.Tenant) bool { return string(t.Code) == code })
		if i < 0 {
			return directory.Tenant{}, false, nil
		}
		return trusting[i], true, nil
	}
	if len(trusting) > 1 {
		return directory.Tenant{}, false, nil
	}
	return trusting[0], true, nil
}

func (r *Router) own(host string) bool {
	if host == "localhost" || slices.Contains(r.Hosts, host) {
		return true
	}
	_, ok := addrOf(strings.Trim(host, "[]"))
	return ok
}

// Way tells how a number leaves that is no extension's (design: the rest goes to
// the PBX). A call that came from there does not go back: it would circle.
func (r *Router) Way(ctx context.Context, a Asked) (Way, bool, error) {
	if a.Tenant.Upstream == nil {
		return Way{}, false, nil
	}
	if a.Caller.Kind == "" {
		r.Metrics.Call(metrics.UpstreamLoop)
		return Way{}, false, nil
	}
	if !dialable(a.Number) {
		return Way{}, false, nil
	}
	return r.out(ctx, a, a.Number)
}

// out is the way of a number at the upstream, in the name of the caller.
func (r *Router) out(ctx context.Context, a Asked, number string) (Way, bool, error) {
	at, err := parsePBX(a.Tenant.Upstream.URI)
	if err != nil {
		return Way{}, false, err
	}
	hops, err := r.Client.Hops(ctx, a.Tenant.Upstream.URI, false)
	if err != nil {
		r.Metrics.Call(metrics.UpstreamNoRoute)
		r.Log.Warn("no next hop for the upstream", "tenant", a.Tenant.Code, "error", err)
		return Way{}, false, &handler.Status{Code: 503, RetryAfter: 10 * time.Second, Why: "no_route", Err: err}
	}
	w := Way{URI: at.request(number), Hops: hops}
	e, err := r.callerOf(ctx, a)
	if err != nil {
		return Way{}, false, err
	}
	r.inNameOf(&w, a, at, e)
	r.Metrics.Call(metrics.UpstreamSent)
	return w, true, nil
}

// callerOf reads the extension that calls; zero at an idle desk.
func (r *Router) callerOf(ctx context.Context, a Asked) (directory.Extension, error) {
	number := a.Caller.Caller()
	if number == "" {
		return directory.Extension{}, nil
	}
	id := directory.ExtensionID{Tenant: a.Tenant.Code, Number: number}
	e, err := r.People.Extension(ctx, id)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return directory.Extension{ID: id}, nil
	}
	return e, err
}

// inNameOf writes who calls, as the PBX knows them, and answers its challenges.
func (r *Router) inNameOf(w *Way, a Asked, at pbx, e directory.Extension) {
	user := e.ID.Number
	if e.Upstream != nil && e.Upstream.Username != "" {
		user = e.Upstream.Username
	}
	if user != "" {
		w.From = at.identity(user)
		// The PBX is in the trust domain: it is told who calls also where the called
		// are not to know, and keeps that back itself (RFC 3325 section 7).
		w.Headers = append(w.Headers, flow.Field{Name: "P-Asserted-Identity", Value: nameAddr(e.Name, w.From)})
	}
	w.Answer, w.Heard = r.answering(a.Tenant, e), r.heard
}

// heard lets a call that fails count like a probe: a hop that says 503 to calls
// is left alone for as long as it asks, whatever it says to OPTIONS.
func (r *Router) heard(h flow.Hop, res *sip.Response, err error) {
	switch {
	case res != nil, errors.Is(err, flow.ErrTimeout), errors.Is(err, flow.ErrNoWay), errors.Is(err, flow.ErrClosed):
		r.Client.note(h, res, err, 0)
	}
}

// answering answers challenges with the extension's account at the PBX.
func (r *Router) answering(t directory.Tenant, e directory.Extension) func(context.Context, *sip.Request, *sip.Response) ([]flow.Field, bool) {
	who := account{}
	if e.Upstream != nil {
		password, ok, err := r.Secrets.UpstreamPassword(e)
		who = account{username: e.Upstream.Username, password: password, has: ok && err == nil}
	}
	asked := false
	return func(ctx context.Context, sent *sip.Request, res *sip.Response) ([]flow.Field, bool) {
		field, ok := who.answers(res, string(sent.Method), sent.Recipient.String())
		switch {
		case !ok && !who.has:
			r.refusedBy(ctx, t, e.ID.Number, "no_password", res.StatusCode)
			return nil, false
		case !ok || asked && !stale(res):
			r.refusedBy(ctx, t, e.ID.Number, "credentials", res.StatusCode)
			return nil, false
		}
		asked = true
		r.Metrics.Call(metrics.UpstreamChallenged)
		return []flow.Field{field}, true
	}
}

// refusedBy tells the operator of an upstream that wants a password which there
// is none of, or another one.
func (r *Router) refusedBy(ctx context.Context, t directory.Tenant, number, why string, status int) {
	r.Metrics.Call(metrics.UpstreamNoPassword)
	r.Log.Warn("the upstream asks for a password and gets none", "tenant", t.Code, "extension", number, "reason", why)
	r.tell(ctx, event.Event{Type: event.UpstreamChallenged, Tenant: t.Code, Number: number, Reason: why, Status: status})
}

// maxTelling bounds the events that are written beside the calls.
const maxTelling = 64

// tell writes an event without making the call wait.
func (r *Router) tell(ctx context.Context, e event.Event) {
	if r.open.Add(1) > maxTelling {
		r.open.Add(-1)
		r.Log.Warn("event not written: too many", "type", string(e.Type), "tenant", e.Tenant)
		return
	}
	r.writing.Go(func() {
		defer r.open.Add(-1)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), newsDeadline)
		defer cancel()
		if err := r.News.Append(ctx, e); err != nil {
			r.Log.Warn("event not written", "type", string(e.Type), "tenant", e.Tenant, "error", err)
		}
	})
}

// maxDialled bounds a number, in bytes.
const maxDialled = 64

// dialable tells a number or name that may stand in a URI's user part, once it
// is escaped: nothing that ends a line, and no device of ours.
func dialable(s string) bool {
	if s == "" || len(s) > maxDialled {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	_, err := directory.ParseMAC(s)
	return err != nil || len(s) != 12
}
