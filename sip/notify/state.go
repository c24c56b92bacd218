package notify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/dialog"
	"perch/sip/flow"
	"perch/sip/location"
	"perch/sip/presence"
	"perch/sip/presence/dialoginfo"
)

// verdict is what becomes of a subscription after one NOTIFY.
type verdict int

const (
	done  verdict = iota // nothing more to do
	again                // it did not arrive; try once more
	gone                 // the phone knows no such subscription
	full                 // its numbers cannot grow any more
)

// outcome is a verdict and, for again, when, and whether the phone was silent.
type outcome struct {
	verdict verdict
	wait    time.Duration
	silent  bool
}

// try is how a state is to be sent.
type try struct {
	force   bool // even if it is what was sent last
	suspect bool // the last one was not answered
}

// attempt sends the state once, unless it is what the watcher has been sent.
func (n *Notifier) attempt(ctx context.Context, tenant directory.TenantCode, id string, how try) outcome {
	sub, draft, err := n.next(ctx, tenant, id, how)
	switch {
	case errors.Is(err, errSame):
		return outcome{verdict: done}
	case errors.Is(err, errUsedUp):
		return outcome{verdict: full}
	case errors.Is(err, hotdesk.ErrNotFound), errors.Is(err, location.ErrSessionOver), errors.Is(err, errNotHere):
		n.forget(id)
		return outcome{verdict: done}
	case err != nil:
		n.complain(ctx, sub, "state not sent", err)
		return outcome{verdict: again, wait: retryAfter}
	}
	res, err := n.exchange(ctx, sub.Flow, draft, &subscriber{n: n, sub: sub})
	if ctx.Err() != nil {
		return outcome{verdict: done}
	}
	n.count(ctx, sub, res, err)
	if err != nil {
		return n.unanswered(ctx, sub, err)
	}
	return n.answered(ctx, sub, res)
}

var (
	// errNotHere says that the flow of the subscription is another node's.
	errNotHere = errors.New("notify: the flow is another node's")
	// errSame says that the watcher has been sent this state already.
	errSame = errors.New("notify: nothing new")
	// errUsedUp says that a number of the subscription cannot grow any more.
	errUsedUp = errors.New("notify: numbers used up")
)

// The last numbers that a NOTIFY may have; the ones above are for the last one
// and its credentials. RFC 3261 section 8.1.1.5 bounds CSeq.
const (
	lastVersion = math.MaxUint32 - 1 - ahead
	lastCSeq    = 1<<31 - 8 - ahead
)

// next counts the subscription on and makes its next NOTIFY. The numbers are
// stored before they are used, so that a restart does not use them again; those
// of a lamp that changes often are stored many at a time.
func (n *Notifier) next(ctx context.Context, tenant directory.TenantCode, id string, how try) (sub presence.Subscription, draft flow.Draft, err error) {
	one := func(sub *presence.Subscription, d *dialog.Dialog) (err error) {
		draft, err = n.make(ctx, sub, d, how)
		return err
	}
	if how.force || how.suspect {
		sub, err = n.step(ctx, tenant, id, one)
		return sub, draft, err
	}
	lock := n.locks.of(id)
	lock.Lock()
	defer lock.Unlock()
	if h := n.shelf.get(id); h != nil && h.room() {
		err = one(&h.sub, &h.dialog)
		n.shelf.touch(h, n.Now())
		return h.sub, draft, err
	}
	sub, d, err := n.read(ctx, tenant, id)
	if err != nil {
		return sub, draft, err
	}
	if err := one(&sub, &d); err != nil {
		return sub, draft, err
	}
	stored, h, err := reserve(sub, d)
	if err == nil {
		err = n.keep(ctx, stored)
	}
	if err != nil {
		return sub, draft, err
	}
	h.touched = n.Now()
	n.shelf.put(h)
	return sub, draft, nil
}

// make counts on and makes the NOTIFY; errSame when there is nothing to tell.
func (n *Notifier) make(ctx context.Context, sub *presence.Subscription, d *dialog.Dialog, how try) (flow.Draft, error) {
	state, err := n.watch(ctx, *sub)
	if err != nil {
		return flow.Draft{}, err
	}
	shown := digestOf(state)
	switch {
	case d.LocalCSeq > 0 && !how.force && shown == sub.Shown:
		return flow.Draft{}, errSame
	case sub.Version >= lastVersion, d.LocalCSeq >= lastCSeq:
		return flow.Draft{}, errUsedUp
	case d.LocalCSeq > 0:
		sub.Version++ // RFC 4235 section 4.1: 0 in the first
	}
	sub.Shown, sub.Sent = shown, n.Now().UnixMilli()
	if how.suspect && sub.Suspect == 0 {
		sub.Suspect = sub.Sent
		n.suspects(*sub)
	}
	return n.draft(*sub, d.Next(), "active;expires="+strconv.FormatInt(n.left(*sub), 10), state), nil
}

// step reads a subscription, changes it, and stores it as it is.
func (n *Notifier) step(ctx context.Context, tenant directory.TenantCode, id string, change func(*presence.Subscription, *dialog.Dialog) error) (presence.Subscription, error) {
	lock := n.locks.of(id)
	lock.Lock()
	defer lock.Unlock()
	sub, d, err := n.read(ctx, tenant, id)
	if err != nil {
		return sub, err
	}
	if err := change(&sub, &d); err != nil {
		return sub, err
	}
	if err := setDialog(&sub, d); err != nil {
		return sub, err
	}
	if err := n.keep(ctx, sub); err != nil {
		return sub, err
	}
	n.shelf.drop(id)
	return sub, nil
}

// read reads a subscription of this node, with what was counted here.
func (n *Notifier) read(ctx context.Context, tenant directory.TenantCode, id string) (sub presence.Subscription, d dialog.Dialog, err error) {
	if sub, err = n.Store.Subscription(ctx, tenant, id); err != nil {
		return sub, d, fmt.Errorf("notify: read subscription: %w", err)
	}
	if sub.Flow.Node != n.Node {
		return sub, d, errNotHere
	}
	if d, err = dialogOf(sub); err == nil {
		n.overlay(&sub, &d)
	}
	return sub, d, err
}

func (n *Notifier) keep(ctx context.Context, sub presence.Subscription) error {
	if err := n.Store.SaveSubscription(ctx, sub); err != nil {
		return fmt.Errorf("notify: save subscription: %w", err)
	}
	return nil
}

// watch gives the state to show, under the name that was asked for. The state of
// a target that names nobody here is never looked up.
func (n *Notifier) watch(ctx context.Context, sub presence.Subscription) (presence.State, error) {
	var state presence.State
	if !strings.Contains(sub.Target, "@") {
		t, err := n.Tenants.Tenant(ctx, sub.Tenant)
		if err != nil {
			return state, fmt.Errorf("notify: %w", err)
		}
		state = n.Lamps.Watch(directory.ExtensionID{Tenant: t.Code, Number: sub.Target})
	}
	state.Entity = entity(sub.Entity)
	return state, nil
}

// draft is a NOTIFY inside the dialog (RFC 6665 section 4.2.2).
func (n *Notifier) draft(sub presence.Subscription, r dialog.Request, state string, s presence.State) flow.Draft {
	event := sub.Event
	if sub.EventID != "" {
		event += ";id=" + sub.EventID
	}
	return flow.Draft{
		Method: string(sip.NOTIFY), URI: r.RequestURI, Routes: r.Routes, From: r.From, To: r.To,
		CallID: r.CallID, CSeq: r.CSeq, Contact: "<" + n.Flows.Contact(sub.Flow, ourUser) + ">",
		Headers:     []flow.Field{{Name: "Event", Value: event}, {Name: "Subscription-State", Value: state}},
		ContentType: dialoginfo.ContentType, Body: dialoginfo.Render(nil, s, sub.Version),
	}
}

// answered judges the final response. 2xx lights the lamp. The codes that say
// that the dialog or its package is unknown there end the subscription (RFC 6665
// section 4.2.2 for 481); those that ask for time are tried again; the others
// concern this one NOTIFY.
func (n *Notifier) answered(ctx context.Context, sub presence.Subscription, res *sip.Response) outcome {
	switch code := res.StatusCode; {
	case code < 300:
		return n.lit(ctx, sub)
	case code == 404, code == 405, code == 410, code == 480, code == 481, code == 489, code == 501, code == 604:
		return outcome{verdict: gone}
	case code >= 500 && code < 600, code == 408, res.GetHeader("Retry-After") != nil:
		return outcome{verdict: again, wait: retryAfterOf(res)}
	}
	return outcome{verdict: done}
}

func (n *Notifier) lit(ctx context.Context, sub presence.Subscription) outcome {
	if sub.Suspect != 0 {
		n.clear(ctx, sub)
	}
	if sub.Lit {
		return outcome{verdict: done}
	}
	if err := n.Store.Lit(ctx, sub); err != nil {
		n.complain(ctx, sub, "lit lamp not noted", err)
		return outcome{verdict: again, wait: retryAfter}
	}
	return outcome{verdict: done}
}

// retryAfterOf reads Retry-After (RFC 3261 section 20.33).
func retryAfterOf(res *sip.Response) time.Duration {
	h := res.GetHeader("Retry-After")
	if h == nil {
		return retryAfter
	}
	text := strings.TrimSpace(h.Value())
	if i := strings.IndexAny(text, " ;("); i >= 0 {
		text = text[:i]
	}
	s := location.ParseSeconds(text)
	if s < 0 {
		return retryAfter
	}
	return min(max(time.Duration(min(s, 3600))*time.Second, time.Second), maxRetry)
}

// unanswered judges why there is no response. A connection that is gone is no
// reason to end: the phone comes back on another and refreshes from there.
func (n *Notifier) unanswered(ctx context.Context, sub presence.Subscription, err error) outcome {
	switch {
	case errors.Is(err, flow.ErrTimeout):
		return outcome{verdict: again, silent: true}
	case errors.Is(err, hotdesk.ErrNotFound), errors.Is(err, location.ErrSessionOver): // it ended while the phone challenged
		n.forget(sub.ID)
		return outcome{verdict: done}
	case errors.Is(err, hotdesk.ErrUnavailable):
		n.complain(ctx, sub, "state not sent", err)
		return outcome{verdict: again, wait: retryAfter}
	}
	n.complain(ctx, sub, "state not sent", err)
	return outcome{verdict: done}
}

// part sends the last NOTIFY of a subscription that has ended. Its state is
// sent with it: for a fetch it is the answer.
func (n *Notifier) part(ctx context.Context, p *parting) {
	d, err := dialogOf(p.sub)
	if err != nil {
		n.complain(ctx, p.sub, "last state not sent", err)
		return
	}
	state, err := n.watch(ctx, p.sub)
	if err != nil {
		n.complain(ctx, p.sub, "last state not sent", err)
		return
	}
	if d.LocalCSeq > 0 {
		p.sub.Version++
	}
	draft := n.draft(p.sub, d.Next(), "terminated;reason="+p.reason, state)
	res, err := n.exchange(ctx, p.sub.Flow, draft, &subscriber{n: n, sub: p.sub, dialog: &d})
	if ctx.Err() == nil {
		n.count(ctx, p.sub, res, err)
	}
}

// count tells the metrics of one NOTIFY.
func (n *Notifier) count(ctx context.Context, sub presence.Subscription, res *sip.Response, err error) {
	result := metrics.NotifyUnsent
	switch {
	case err == nil && res.StatusCode < 300:
		result = metrics.NotifyOK
	case err == nil:
		result = metrics.NotifyRefused
	case errors.Is(err, flow.ErrTimeout):
		result = metrics.NotifyNoAnswer
	}
	n.Metrics.Notify(sub.Event, n.brand(ctx, sub), result)
}

// brand is that of the watcher's device, for the metrics; it is read once.
func (n *Notifier) brand(ctx context.Context, sub presence.Subscription) string {
	if b, ok := n.index.brand(sub.ID); ok {
		return b
	}
	brand := ""
	if id, ok := device(sub); ok {
		d, err := n.Directory.Device(ctx, id)
		if err != nil {
			return ""
		}
		brand = d.Brand
	}
	n.index.setBrand(sub.ID, brand)
	return brand
}

func (n *Notifier) complain(ctx context.Context, sub presence.Subscription, what string, err error) {
	if ctx.Err() == nil {
		n.Log.Info(what, "tenant", sub.Tenant, "device", sub.MAC, "error", err)
	}
}
