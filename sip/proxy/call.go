package proxy

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/calls"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// call is an INVITE on its way: the response context of RFC 3261 section 16.7.
// Its loop runs on the handler's goroutine until the caller has its answer; what
// branches still say after that is heard by a goroutine of the proxy.
type call struct {
	p      *Proxy
	r      *handler.Request
	who    caller
	way    path // of the routes, for an INVITE inside a dialog
	mark   string
	wanted wanted
	inside bool // a change of a call that is up
	ref    calls.Ref

	events  chan heard
	over    chan struct{} // closed: nobody listens any more
	waiting []target      // by q, not asked yet
	open    map[*attempt]bool
	count   int
	best    heard
}

// maxRelayed bounds the provisional responses that one call relays.
const maxRelayed = 200

func (p *Proxy) newCall(r *handler.Request, who caller, way path, w wanted) *call {
	return &call{
		p: p, r: r, who: who, way: way, wanted: w, mark: p.sealer.fingerprint(r, way),
		events: make(chan heard), over: make(chan struct{}), waiting: w.targets, open: map[*attempt]bool{},
	}
}

// tell gives the loop an event; after the loop's end it goes nowhere.
func (c *call) tell(h heard) {
	select {
	case c.events <- h:
	case <-c.over:
	}
}

// serve runs the call until the caller is answered. The error is what to answer,
// nil when that was done.
func (c *call) serve(ctx context.Context) error {
	if !c.inside {
		c.ref = c.p.Tracker.Begin(calls.Start{
			Tenant: c.who.tenant.Code, CallID: c.r.CallID(), Tag: c.r.FromTag(), Kind: c.wanted.kind,
			Caller: c.who.party(c.r), Called: c.wanted.called,
			End: calls.End{Flow: c.r.Flow, Target: addressOf(c.r.Header("Contact")), From: c.r.SIP.From().Address.String(), CSeq: c.r.SIP.CSeq().SeqNo},
		})
	}
	err := c.group()
	if err == nil {
		err = c.loop(ctx)
	} else {
		c.cancelAll("")
	}
	if len(c.open) == 0 || !c.p.work(c.drain) {
		close(c.over)
	}
	return c.ended(err)
}

// loop hears the branches until there is a final response to send.
func (c *call) loop(ctx context.Context) error {
	limit := time.NewTimer(c.p.Ringing)
	defer limit.Stop()
	gone := doneOf(c.r)
	for relayedSoFar := 0; ; {
		select {
		case h := <-c.events:
			if h.res != nil && h.res.IsProvisional() {
				if relayedSoFar++; relayedSoFar <= maxRelayed && ctx.Err() == nil {
					c.ring(h)
				}
				continue
			}
			done, err := c.finished(ctx, h)
			if done {
				return err
			}
		case <-limit.C:
			c.cancelAll("")
			return handler.Refuse(408, "no_answer")
		case <-gone:
			c.cancelAll("")
			return handler.Refuse(487, "caller_gone")
		case <-ctx.Done():
			c.cancelAll("")
			if errors.Is(context.Cause(ctx), handler.ErrCanceled) {
				return handler.Refuse(487, "cancelled")
			}
			return &handler.Status{Code: 503, RetryAfter: time.Second, Why: "draining"}
		}
	}
}

// ring relays a provisional response.
func (c *call) ring(h heard) {
	if !c.inside {
		c.p.Tracker.Ring(c.ref, h.a.id, h.code, toTag(h.res))
	}
	_ = c.r.Send(c.relay(h)) // the caller that is gone is noticed otherwise
}

// finished takes what a branch came to. done: the caller has been answered, or
// err says what to answer.
func (c *call) finished(ctx context.Context, h heard) (done bool, err error) {
	delete(c.open, h.a)
	switch {
	case h.code/100 == 2:
		return true, c.answered(ctx, h)
	case !c.inside:
		c.p.Tracker.Fail(c.ref, h.a.id, h.code)
	}
	if better(h.code, c.best.code) {
		c.best = h
	}
	if h.code/100 == 6 { // section 16.7 step 5: no other is asked, and those that ring are stopped
		c.waiting = nil
		c.cancelAll("")
	}
	for len(c.open) == 0 && len(c.waiting) > 0 {
		if err := c.group(); err != nil {
			return true, err
		}
	}
	if len(c.open) > 0 {
		return false, nil
	}
	return true, c.refuse()
}

// answered relays the first 2xx and stops the other phones.
func (c *call) answered(ctx context.Context, h heard) error {
	if errors.Is(context.Cause(ctx), handler.ErrCanceled) { // it crossed the CANCEL
		h.a.turnDown(h.res)
		c.cancelAll("")
		return handler.Refuse(487, "cancelled")
	}
	c.cancelAll(`SIP;cause=200;text="Call completed elsewhere"`) // RFC 3326 section 2
	res := c.relay(h)
	if err := c.r.Send(res); err != nil {
		if errors.Is(err, handler.ErrUnsent) {
			h.a.turnDown(h.res)
		}
		return err
	}
	if !c.inside {
		c.p.Tracker.Answer(c.ref, h.a.id, calls.Answered{Tag: toTag(h.res), Target: contactOf(h.res), Session: sessionOf(h.res.GetHeader("session-expires"))})
	}
	return nil
}

// refuse answers with the best of what came.
func (c *call) refuse() error {
	code := outward(c.best.code)
	if c.best.res == nil && c.best.a != nil && c.best.a.to.way != nil {
		code = ofWay(c.best.code)
	}
	if c.best.res == nil || code != c.best.code {
		return handler.Refuse(code, why(code))
	}
	if err := c.r.Send(c.relay(c.best)); err != nil {
		return err
	}
	return &handler.Status{Code: code, Why: why(code)}
}

// why is the word for the log and the metrics.
func why(code int) string {
	switch {
	case code == 486 || code == 600:
		return "busy"
	case code == 408 || code == 480 || code == 487:
		return "no_answer"
	case code == 603:
		return "declined"
	case code/100 == 5:
		return "failed"
	}
	return "refused"
}

// relay makes the caller's response of a branch's.
func (c *call) relay(h heard) *sip.Response {
	asserted, upstream := "", h.a.to.way != nil || h.a.to.leg != nil && h.a.to.leg.Hop
	if c.wanted.number != "" && !upstream {
		asserted = assertion(c.who.tenant, c.wanted.number, c.wanted.name)
	}
	return relayed(c.r, h.res, asserted, upstream)
}

// relayLate relays a 2xx when the transaction may be over (RFC 6026 section
// 8.4). It runs on the stack's goroutines.
func (c *call) relayLate(a *attempt, res *sip.Response) {
	out := c.relay(heard{a: a, res: res})
	_ = c.p.Sender.Answer(c.r.Flow, out, out.Destination()) // its phone repeats it
}

// drain hears the branches that are left when the caller has its answer: whoever
// answers now is told that it is too late.
func (c *call) drain() {
	defer close(c.over)
	for len(c.open) > 0 {
		h := <-c.events
		if h.res != nil && h.res.IsProvisional() {
			continue
		}
		delete(c.open, h.a)
		if h.code/100 == 2 {
			h.a.turnDown(h.res)
		}
		if !c.inside {
			c.p.Tracker.Fail(c.ref, h.a.id, 487)
		}
	}
}

func (c *call) cancelAll(reason string) {
	for a := range c.open {
		a.cancel(reason)
	}
}

// group asks the next targets: all of one q at once (RFC 3261 section 16.6).
func (c *call) group() error {
	n := 1
	for n < len(c.waiting) && !c.waiting[n].follows {
		n++
	}
	each, ok := c.breadth(n)
	if !ok {
		return &handler.Status{Code: 440, Reason: "Max-Breadth Exceeded", Why: "breadth"}
	}
	now := c.waiting[:n]
	c.waiting = c.waiting[n:]
	for _, t := range now {
		c.count++
		a := &attempt{id: strconv.Itoa(c.count), to: t, call: c, breadth: each, stop: make(chan struct{})}
		c.open[a] = true
		if !c.inside {
			c.p.Tracker.Try(c.ref, calls.Branch{ID: a.id, Party: t.party, End: t.end(c.r)})
		}
		if !c.p.work(func() { a.run(c.p.ending) }) {
			delete(c.open, a)
			return &handler.Status{Code: 503, RetryAfter: time.Second, Why: "draining"}
		}
	}
	return nil
}

// defaultBreadth is RFC 5393 section 5.3.3.
const defaultBreadth = 60

// breadth divides the Max-Breadth of the request among n branches; false: there
// is not enough.
func (c *call) breadth(n int) (each int, ok bool) {
	have := defaultBreadth
	if v := c.r.Header("Max-Breadth"); v != "" {
		got, err := strconv.Atoi(v)
		if err != nil || got < 0 {
			got = 0
		}
		have = min(got, defaultBreadth)
	}
	return have / n, have >= n
}

// request makes the copy for one way, and finds the flow that it goes by.
func (c *call) request(ctx context.Context, a *attempt, s step, credentials []flow.Field) (location.Flow, *sip.Request, error) {
	cp := copying{
		trusted: c.who.upstream, from: c.who.from, display: c.who.display,
		private: c.who.privacy.user || c.who.privacy.header, called: a.to.called, asserted: c.who.asserted(),
	}
	if !c.inside {
		cp.breadth = strconv.Itoa(a.breadth)
	}
	f, other := location.Flow{}, leg{Tenant: c.who.tenant.Code}
	var err error
	switch {
	case s.contact != nil:
		f, other.MAC = s.contact.Flow, s.contact.MAC
		if other.MAC == "" {
			other.Number = s.contact.AOR.User
		}
		cp.uri, cp.routes = next(s.contact.URI, s.contact.Path)
	case s.leg != nil:
		other = *s.leg
		f, err = c.p.flowTo(ctx, *s.leg, c.way.target)
		cp.uri, cp.routes = next(c.way.target, c.way.rest)
		cp.from, cp.asserted, cp.called = "", "", ""
	default:
		cp.uri, other.Hop, other.Host = a.to.way.URI, true, s.hop.Host
		cp.fields, cp.body = append(a.to.way.Headers[:len(a.to.way.Headers):len(a.to.way.Headers)], credentials...), a.to.way.Body
		if a.to.way.From != "" && (a.to.way.Kind == calls.Emergency || !hides(c.r)) {
			cp.from, cp.display = a.to.way.From, c.who.name
		}
		if hasField(cp.fields, "P-Asserted-Identity") {
			cp.asserted = ""
		}
		f, err = c.p.Sender.Reach(ctx, *s.hop, c.size())
	}
	if err != nil {
		return f, nil, err
	}
	if other.Flow = f; !c.inside {
		if cp.recordRoute, err = c.p.recordRoute(c.who.leg(c.r), other, c.r.CallID()); err != nil {
			return f, nil, err
		}
	}
	req, err := copied(c.r, cp)
	return f, req, err
}

// size is about what the request will be on the wire: routes and a Via of ours
// come to it.
func (c *call) size() int { return len(c.r.SIP.String()) + 700 }

func hasField(fields []flow.Field, name string) bool {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// recordRoute gives our two routes, that of the called on top: each side reads
// from them, in either direction, where a request comes from and where it goes.
// Always two, since each names a flow (RFC 5658 section 4 needs two where
// transport or address family change).
func (p *Proxy) recordRoute(from, to leg, callID string) ([]string, error) {
	top, err := p.sealer.route(to, callID, p.Sender.HostPort(to.Flow))
	if err != nil {
		return nil, err
	}
	bottom, err := p.sealer.route(from, callID, p.Sender.HostPort(from.Flow))
	if err != nil {
		return nil, err
	}
	return []string{top, bottom}, nil
}

// end is where a phone is, for who asks it later whether it is still in the call.
func (t target) end(r *handler.Request) calls.End {
	if len(t.contacts) == 0 {
		return calls.End{}
	}
	return calls.End{Flow: t.contacts[0].Flow, Target: t.contacts[0].URI, From: untagged(r).(*sip.ToHeader).Address.String()}
}

// addressOf is the URI of a Contact value.
func addressOf(v string) string {
	if strings.Contains(v, "<") {
		return uriOf(v)
	}
	uri, _, _ := strings.Cut(v, ";")
	return strings.TrimSpace(uri)
}

// sessionOf reads a Session-Expires (RFC 4028 section 4); 0: none.
func sessionOf(h sip.Header) time.Duration {
	if h == nil {
		return 0
	}
	v, _, _ := strings.Cut(h.Value(), ";")
	secs, err := strconv.Atoi(strings.TrimSpace(v))
	if err != nil || secs <= 0 || secs > 86400 {
		return 0
	}
	return time.Duration(secs) * time.Second
}

// doneOf is closed when the caller's connection is; nil where it has none.
func doneOf(r *handler.Request) <-chan struct{} {
	if n, ok := flow.ConnOf(r.Tx).(flow.Named); ok {
		return n.Done()
	}
	return nil
}

// ended writes down how the set-up went.
func (c *call) ended(err error) error {
	if c.inside {
		return answeredAlready(c.r, err)
	}
	code, ending := c.r.Sent(), calls.Ending{By: calls.ByCalled, Reason: calls.Refused}
	var s *handler.Status
	if errors.As(err, &s) && code == 0 {
		code = s.Code
	}
	switch {
	case err == nil:
		return nil
	case s != nil && (s.Why == "cancelled" || s.Why == "caller_gone"):
		ending.By, ending.Reason = calls.ByCaller, calls.Cancelled
	case code == 408 || code == 480:
		ending.Reason = calls.NoAnswer
	case s == nil || code/100 == 5:
		ending.By = calls.ByPerch
	}
	ending.Status = code
	c.p.Tracker.End(c.ref, ending)
	c.r.Note(slog.String("called", c.wanted.number))
	return answeredAlready(c.r, err)
}

// answeredAlready keeps the reason for the log; the chain sends nothing twice.
func answeredAlready(r *handler.Request, err error) error {
	var s *handler.Status
	if r.Sent() != 0 && errors.As(err, &s) {
		r.Note(slog.String("result", s.Why))
		return nil
	}
	return err
}
