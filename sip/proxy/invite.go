package proxy

import (
	"context"
	"fmt"

	"perch/sip/calls"
	"perch/sip/handler"
)

// Invite answers an INVITE that begins a call, of an authenticated sender. It
// returns when the caller has its answer.
func (p *Proxy) Invite(ctx context.Context, r *handler.Request) error {
	if r.ToTag() != "" { // of no dialog that went through here
		return handler.Refuse(481, "no_dialog")
	}
	who, err := p.caller(ctx, r)
	if err != nil {
		return err
	}
	return p.begin(ctx, r, who)
}

// Trunk takes the INVITE and MESSAGE of an upstream that is trusted to speak for a
// tenant, by the address they come from, and gives all others to next.
func (p *Proxy) Trunk(next handler.Handler) handler.Handler {
	return func(ctx context.Context, r *handler.Request) error {
		if p.Upstream == nil || r.ToTag() != "" {
			return next(ctx, r)
		}
		t, ok, err := p.Upstream.From(ctx, r)
		if err != nil {
			return fmt.Errorf("proxy: upstream: %w", err)
		}
		if !ok {
			return next(ctx, r)
		}
		who := caller{tenant: t, upstream: true, privacy: privacyOf(r.Values("Privacy"))}
		if r.SIP.IsInvite() {
			return p.begin(ctx, r, who)
		}
		return p.single(ctx, r, who)
	}
}

// begin sets up a call.
func (p *Proxy) begin(ctx context.Context, r *handler.Request, who caller) error {
	way, w, err := p.admitted(ctx, r, who)
	if err != nil {
		return err
	}
	return p.newCall(r, who, way, w).serve(ctx)
}

// admitted decides whether a request outside a dialog goes on, and where to.
func (p *Proxy) admitted(ctx context.Context, r *handler.Request, who caller) (path, wanted, error) {
	way, err := p.path(r)
	if err != nil {
		return way, wanted{}, err
	}
	if err := p.forwardable(r, way); err != nil {
		return way, wanted{}, err
	}
	w, err := p.seek(ctx, r, who, way.target)
	if err != nil {
		if w.kind != calls.Emergency && !who.upstream && !who.may(r, p.own) {
			return way, w, handler.Refuse(403, "not_entitled") // who may not call learns nothing of who is there
		}
		return way, w, err
	}
	if w.kind == calls.Emergency {
		return way, w, nil // whoever calls for help
	}
	switch {
	case len(way.rest) > 0:
		return way, w, handler.Refuse(403, "foreign_route") // no relay to where a caller wants
	case who.upstream:
	case !who.may(r, p.own):
		return way, w, handler.Refuse(403, "not_entitled")
	}
	if who.privacy.beyond() {
		return way, w, &handler.Status{Code: 500, Reason: "Privacy Unavailable", Why: "privacy"}
	}
	return way, w, nil
}

// may tells whether a phone may make calls: somebody sits there, its session is
// not over, and it speaks for itself.
func (c caller) may(r *handler.Request, own func(string) bool) bool {
	return c.number != "" && r.Identity.Kind != handler.Ending && c.speaks(r, own)
}
