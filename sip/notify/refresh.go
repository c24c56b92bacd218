package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/dialog"
	"perch/sip/handler"
	"perch/sip/location"
	"perch/sip/presence"
)

// refresh answers a SUBSCRIBE inside a dialog. A dialog that is not ours is
// 481, before anything else is looked at; one that is known is accepted from
// the flow it uses, and challenged from elsewhere.
func (n *Notifier) refresh(ctx context.Context, r *handler.Request) error {
	id := idOf(dialog.ID{CallID: r.CallID(), Local: r.ToTag(), Remote: r.FromTag()})
	sub, err := n.find(ctx, r, id)
	if err != nil {
		return err
	}
	w, err := read(r)
	if err != nil {
		return err
	}
	if handler.SameFlow(sub.Flow, r.Flow) {
		return n.renew(ctx, r, sub.Tenant, id, w)
	}
	return handler.Authenticated(n.Auth, nil, func(ctx context.Context, r *handler.Request) error {
		if !owns(r.Identity, sub) {
			return handler.Refuse(481, whyNoDialog)
		}
		return n.renew(ctx, r, sub.Tenant, id, w)
	})(ctx, r)
}

// owns tells whether a subscription is the identity's own.
func owns(id handler.Identity, sub presence.Subscription) bool {
	return id.Tenant.Code == sub.Tenant && id.MAC() == sub.MAC && id.Session == sub.Session && id.Number == sub.Number
}

// find reads the subscription of a dialog, or refuses with 481.
func (n *Notifier) find(ctx context.Context, r *handler.Request, id string) (presence.Subscription, error) {
	code, err := n.tenantOf(ctx, r, id)
	if err != nil {
		return presence.Subscription{}, err
	}
	return n.live(ctx, code, id)
}

func (n *Notifier) live(ctx context.Context, code directory.TenantCode, id string) (presence.Subscription, error) {
	sub, err := n.Store.Subscription(ctx, code, id)
	switch {
	case errors.Is(err, hotdesk.ErrNotFound), err == nil && sub.Expires <= n.Now().UnixMilli():
		return sub, handler.Refuse(481, whyNoDialog)
	case err != nil:
		return sub, fmt.Errorf("notify: read subscription: %w", err)
	}
	return sub, nil
}

// tenantOf finds the tenant of a dialog: this node knows those it owns, of
// others the phone's own domain tells, and where it names no tenant's there must
// be a single one.
func (n *Notifier) tenantOf(ctx context.Context, r *handler.Request, id string) (directory.TenantCode, error) {
	if o, ok := n.index.get(id); ok {
		return o.target.tenant, nil
	}
	host, err := location.CanonicalHost(r.SIP.From().Address.Host)
	if err != nil {
		return "", handler.Refuse(481, whyNoDialog)
	}
	t, err := n.Tenants.TenantByDomain(ctx, host)
	if err == nil {
		return t.Code, nil
	}
	if !errors.Is(err, hotdesk.ErrNotFound) {
		return "", fmt.Errorf("notify: %w", err)
	}
	codes, err := n.Tenants.TenantCodes(ctx)
	if err != nil {
		return "", fmt.Errorf("notify: %w", err)
	}
	if len(codes) != 1 {
		return "", handler.Refuse(481, whyNoDialog)
	}
	return codes[0], nil
}

// renew refreshes or ends the subscription.
func (n *Notifier) renew(ctx context.Context, r *handler.Request, code directory.TenantCode, id string, w wish) error {
	sub, err := n.change(ctx, r, code, id, w)
	if err != nil {
		return err
	}
	if w.expires > 0 {
		n.index.put(sub)
		return n.accept(r, sub, w.expires, nil)
	}
	n.forget(id)
	return n.accept(r, sub, 0, &parting{sub: sub, reason: reasonTimeout}) // RFC 6665 section 4.2.1.4
}

// change takes the request into the subscription, as it is stored at this
// moment: a NOTIFY may have counted since it was found.
func (n *Notifier) change(ctx context.Context, r *handler.Request, code directory.TenantCode, id string, w wish) (presence.Subscription, error) {
	lock := n.locks.of(id)
	lock.Lock()
	defer lock.Unlock()
	sub, err := n.live(ctx, code, id)
	if err != nil {
		return sub, err
	}
	if w.eventID != sub.EventID {
		return sub, handler.Refuse(481, whyNoDialog) // another subscription, which is not here
	}
	if err := n.receive(&sub, r); err != nil {
		return sub, err
	}
	sub.Flow = r.Flow
	if w.expires == 0 {
		if err := n.Store.EndSubscription(ctx, code, id, endUnsubscribed); err != nil {
			return sub, fmt.Errorf("notify: end subscription: %w", err)
		}
		return sub, nil
	}
	sub.Expires = n.ends(w.expires)
	if err := n.save(ctx, r, sub); err != nil {
		return sub, err
	}
	n.shelf.drop(id)
	return sub, nil
}

// receive takes CSeq and Contact of a request inside the dialog (RFC 3261
// section 12.2.2), over what was counted here.
func (n *Notifier) receive(sub *presence.Subscription, r *handler.Request) error {
	d, err := dialogOf(*sub)
	if err != nil {
		return err
	}
	n.overlay(sub, &d)
	if err := d.Receive(r.SIP.CSeq().SeqNo); err != nil {
		return &handler.Status{Code: sip.StatusInternalServerError, Reason: "Request Out of Order", Why: whyOrder}
	}
	if c := r.Header("contact"); strings.TrimSpace(c) != "" {
		if err := d.Refresh(c); err != nil {
			return malformed(err)
		}
	}
	return setDialog(sub, d)
}
