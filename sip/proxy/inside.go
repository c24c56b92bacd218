package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/calls"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// First forwards the requests of dialogs that go through here, by the routes
// that they carry, and gives all others to next.
func (p *Proxy) First(next handler.Handler) handler.Handler {
	return func(ctx context.Context, r *handler.Request) error {
		way, err := p.path(r)
		if err != nil || !way.inside() || r.ToTag() == "" {
			return next(ctx, r)
		}
		return p.within(ctx, r, way)
	}
}

// NoDialog answers a request that belongs inside a dialog and came in none that
// is known.
func NoDialog(context.Context, *handler.Request) error { return handler.Refuse(481, "no_dialog") }

// within forwards a request inside a dialog. The signed routes say whose it is;
// it needs no memory of the call here.
func (p *Proxy) within(ctx context.Context, r *handler.Request, way path) error {
	if r.SIP.IsAck() {
		return p.ack(ctx, r, way)
	}
	if err := p.forwardable(r, way); err != nil {
		return err
	}
	if err := p.entitled(ctx, r, *way.from); err != nil {
		return err
	}
	d := calls.Dialog{Tenant: way.from.Tenant, CallID: r.CallID(), FromTag: r.FromTag(), ToTag: r.ToTag()}
	if r.SIP.IsInvite() {
		p.Tracker.Seen(d, sessionOf(r.SIP.GetHeader("session-expires")))
		c := p.newCall(r, p.peer(way), way, wanted{targets: []target{{leg: way.to}}})
		c.inside = true
		return c.serve(ctx)
	}
	if r.Method() == "BYE" {
		p.Tracker.HangUp(d)
	} else {
		p.Tracker.Seen(d, sessionOf(r.SIP.GetHeader("session-expires")))
	}
	f, req, err := p.onward(ctx, r, way)
	if err != nil {
		return failedInside(err)
	}
	res, err := p.Sender.Forward(ctx, f, req, branch(p.sealer.fingerprint(r, way)))
	if err != nil {
		return failedInside(err)
	}
	if !usable(res) {
		return handler.Refuse(502, "unusable")
	}
	if code := res.StatusCode; code == 401 || code == 407 || code/100 == 3 {
		return handler.Refuse(outward(code), "failed")
	}
	return p.reply(r, res, way.to.Hop)
}

// reply sends the relayed response.
func (p *Proxy) reply(r *handler.Request, res *sip.Response, trusted bool) error {
	return r.Send(relayed(r, res, "", trusted))
}

// peer is who sends a request inside a dialog: the dialog has settled whose
// name it goes under.
func (p *Proxy) peer(way path) caller {
	return caller{tenant: directory.Tenant{Code: way.from.Tenant}, upstream: way.from.Hop}
}

// ack passes on the ACK of a 2xx. It cannot be challenged (RFC 3261 section
// 22.1); whoever holds the routes of the dialog has seen its messages.
func (p *Proxy) ack(ctx context.Context, r *handler.Request, way path) error {
	if remaining(r) == 0 {
		return nil
	}
	f, req, err := p.onward(ctx, r, way)
	if err != nil {
		return fmt.Errorf("proxy: ack: %w", err)
	}
	if err := p.Sender.Pass(f, req, flow.NewBranch("")); err != nil {
		return fmt.Errorf("proxy: ack: %w", err)
	}
	return nil
}

// onward makes the copy of a request inside a dialog, and finds its flow.
func (p *Proxy) onward(ctx context.Context, r *handler.Request, way path) (location.Flow, *sip.Request, error) {
	f, err := p.flowTo(ctx, *way.to, way.target)
	if err != nil {
		return f, nil, err
	}
	cp := copying{trusted: way.from.Hop}
	cp.uri, cp.routes = next(way.target, way.rest)
	req, err := copied(r, cp)
	return f, req, err
}

// entitled tells whether a request belongs to the dialog whose side it says it
// comes from: it came by that side's flow, or was authenticated as the same
// device. A session that has ended keeps its calls.
func (p *Proxy) entitled(ctx context.Context, r *handler.Request, from leg) error {
	if handler.SameFlow(from.Flow, r.Flow) {
		return nil
	}
	if from.Hop {
		return p.fromUpstream(ctx, r, from.Tenant)
	}
	return handler.Authenticated(p.Auth, nil, func(_ context.Context, r *handler.Request) error {
		id := r.Identity
		if id.Tenant.Code != from.Tenant || id.MAC() != from.MAC || from.MAC == "" && id.Number != from.Number {
			return handler.Refuse(403, "foreign_dialog")
		}
		return nil
	})(ctx, r)
}

func (p *Proxy) fromUpstream(ctx context.Context, r *handler.Request, tenant directory.TenantCode) error {
	if p.Upstream != nil {
		t, ok, err := p.Upstream.From(ctx, r)
		if err != nil {
			return fmt.Errorf("proxy: upstream: %w", err)
		}
		if ok && t.Code == tenant {
			return nil
		}
	}
	return handler.Refuse(403, "foreign_dialog")
}

// flowTo is the flow to one side of a dialog: the one it had, or where that is
// gone the one by which the same phone has registered since. target is the
// Request-URI.
func (p *Proxy) flowTo(ctx context.Context, l leg, target string) (location.Flow, error) {
	if p.Sender.Alive(l.Flow) {
		return l.Flow, nil
	}
	if l.Hop {
		return p.hopAgain(ctx, l, target)
	}
	contacts, err := p.contactsOf(ctx, l)
	if err != nil {
		return location.Flow{}, fmt.Errorf("proxy: flow: %w", err)
	}
	slices.SortStableFunc(contacts, func(a, b location.Contact) int { return cmp.Compare(b.Updated, a.Updated) })
	for _, c := range contacts {
		if c.Reachable(p.Now()) && p.Sender.Alive(c.Flow) {
			return c.Flow, nil
		}
	}
	return location.Flow{}, flow.ErrGone
}

func (p *Proxy) contactsOf(ctx context.Context, l leg) ([]location.Contact, error) {
	if l.MAC == "" {
		set, err := p.Location.Contacts(ctx, l.Tenant, l.Number)
		return slices.DeleteFunc(slices.Clone(set.Contacts), func(c location.Contact) bool { return c.MAC != "" }), err
	}
	mac, err := directory.ParseMAC(l.MAC)
	if err != nil {
		return nil, err
	}
	d, seats, err := p.Directory.DeviceByMAC(ctx, mac)
	if errors.Is(err, hotdesk.ErrNotFound) || err == nil && d.ID.Tenant != l.Tenant {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.Location.DeviceContacts(ctx, d.ID, seats)
}

// failedInside is how a request inside a dialog fails that could not be sent or
// was not answered.
func failedInside(err error) error {
	if errors.Is(err, hotdesk.ErrUnavailable) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return handler.Refuse(408, "no_answer")
	}
	code, reason := flow.StatusOf(err)
	s := &handler.Status{Code: code, Reason: reason, Why: "flow"}
	if code == 500 {
		s.Err = err
	}
	return s
}
