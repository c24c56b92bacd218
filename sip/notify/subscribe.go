package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/sip/dialog"
	"perch/sip/handler"
	"perch/sip/location"
	"perch/sip/presence"
	"perch/sip/presence/dialoginfo"
)

const (
	// maxSubscriptions is how many one device, or one static password, may
	// have: more keys than any sidecar.
	maxSubscriptions = 400
	// tooManyAfter is when one that has too many may ask again.
	tooManyAfter = time.Minute
	// storeLater is by how much the stored expiry is later than what the phone
	// was told: within it this node sends the last NOTIFY and ends the
	// subscription itself; later any node removes what is left.
	storeLater = 5 * time.Second
	// grace is how much later than told a subscription ends, so that a refresh
	// at the last moment finds it.
	grace = 5 * time.Second
	// ourUser is the user part of the addresses we give to phones.
	ourUser = "perch"
)

// Why a SUBSCRIBE was refused, for the log.
const (
	whyNoDialog    = "no_dialog"
	whyEvent       = "event"
	whyAccept      = "accept"
	whyUnsupported = "unsupported"
	whyBrief       = "too_brief"
	whyMalformed   = "malformed"
	whyTooMany     = "too_many"
	whyOrder       = "out_of_order"
	whyOverload    = "overload"
)

// Subscribe is the handler.Handler for SUBSCRIBE (RFC 6665 section 4.2.1). It
// authenticates itself: a refresh from the flow that its dialog uses needs no
// new challenge, and what is refused for its form says nothing about anybody.
func (n *Notifier) Subscribe(ctx context.Context, r *handler.Request) error {
	if r.ToTag() != "" {
		return n.refresh(ctx, r)
	}
	w, err := read(r)
	if err != nil {
		return err
	}
	return handler.Authenticated(n.Auth, nil, func(ctx context.Context, r *handler.Request) error {
		return n.subscribe(ctx, r, w)
	})(ctx, r)
}

// wish is what any SUBSCRIBE says, in a dialog or not.
type wish struct {
	eventID string
	expires time.Duration // 0: a fetch, or the end
}

// read checks what can be checked before anybody is asked who they are.
func read(r *handler.Request) (wish, error) {
	pkg, id, ok := parseEvent(r.Header("event"))
	if pkg != dialoginfo.Event {
		return wish{}, &handler.Status{
			Code: 489, Why: whyEvent,
			Headers: []sip.Header{handler.Header("Allow-Events", dialoginfo.Event)}, // RFC 6665 section 8.3.2
		}
	}
	if !ok {
		return wish{}, &handler.Status{Code: sip.StatusBadRequest, Reason: "Bad Event", Why: whyMalformed}
	}
	if s := unsupported(r.Values("require")); s != nil {
		return wish{}, s
	}
	if !accepts(r.Values("accept")) {
		return wish{}, &handler.Status{
			Code: sip.StatusNotAcceptable, Why: whyAccept,
			Headers: []sip.Header{handler.Header("Accept", dialoginfo.ContentType)},
		}
	}
	d, brief := grant(r.Header("expires"))
	if brief {
		return wish{}, &handler.Status{
			Code: sip.StatusIntervalToBrief, Why: whyBrief,
			Headers: []sip.Header{handler.Header("Min-Expires", strconv.Itoa(minExpires))},
		}
	}
	return wish{eventID: id, expires: d}, nil
}

// unsupported refuses what Require names (RFC 3261 section 8.2.2.3): nothing of
// it is known here, resource lists least of all.
func unsupported(fields []string) *handler.Status {
	tags := strings.Trim(strings.Join(fields, ", "), " \t,")
	if tags == "" {
		return nil
	}
	return &handler.Status{
		Code: sip.StatusBadExtension, Why: whyUnsupported,
		Headers: []sip.Header{handler.Header("Unsupported", tags)},
	}
}

// subscribe begins a subscription, or answers a fetch, which is one that is
// over at once (RFC 6665 section 4.4.3).
func (n *Notifier) subscribe(ctx context.Context, r *handler.Request, w wish) error {
	sub, err := n.subscription(r, w)
	if err != nil {
		return err
	}
	if w.expires == 0 {
		if n.full() {
			return &handler.Status{Code: sip.StatusServiceUnavailable, RetryAfter: retryAfter, Why: whyOverload}
		}
		return n.accept(r, sub, w.expires, &parting{sub: sub, reason: reasonTimeout})
	}
	others, err := n.Watchers.SubscriptionsOf(ctx, sub.Tenant, watcher(sub))
	if err != nil {
		return fmt.Errorf("notify: list subscriptions: %w", err)
	}
	twins, rest := part(others, sub)
	if rest >= maxSubscriptions {
		return &handler.Status{Code: sip.StatusTemporarilyUnavailable, RetryAfter: tooManyAfter, Why: whyTooMany}
	}
	if err := n.save(ctx, r, sub); err != nil {
		return err
	}
	n.index.put(sub)
	for _, id := range twins {
		n.end(ctx, sub.Tenant, id, endReplaced)
	}
	return n.accept(r, sub, w.expires, nil)
}

// part finds the older subscriptions that the new one takes the place of: a
// phone has one for each target, and one that restarted has forgotten those it
// had. They end without a NOTIFY, which the phone could not place; should it
// use one all the same, it is told 481.
func part(others []presence.Subscription, sub presence.Subscription) (twins []string, rest int) {
	for _, o := range others {
		switch {
		case o.ID == sub.ID:
		case o.Event == sub.Event && o.EventID == sub.EventID && o.Target == sub.Target && o.Session == sub.Session:
			twins = append(twins, o.ID)
		default:
			rest++
		}
	}
	return twins, rest
}

// save writes the subscription. The session may have ended since the request
// was authenticated.
func (n *Notifier) save(ctx context.Context, r *handler.Request, sub presence.Subscription) error {
	err := n.Store.SaveSubscription(ctx, sub)
	switch {
	case errors.Is(err, location.ErrSessionOver):
		return n.Auth.Challenge(ctx, r)
	case err != nil:
		return fmt.Errorf("notify: save subscription: %w", err)
	}
	return nil
}

// accept answers 200 and has the NOTIFY follow that every SUBSCRIBE causes (RFC
// 6665 section 4.2.1.2): the state, or the last one.
func (n *Notifier) accept(r *handler.Request, sub presence.Subscription, granted time.Duration, last *parting) error {
	r.Note(slog.String("event", sub.Event), slog.Duration("granted", granted))
	err := r.Respond(
		sip.StatusOK, "",
		handler.Header("Expires", strconv.Itoa(int(granted/time.Second))),
		handler.Header("Contact", "<"+n.Flows.Contact(r.Flow, ourUser)+">"),
		handler.Header("Allow-Events", dialoginfo.Event),
	)
	if err != nil {
		return err
	}
	n.queue(sub.Tenant, sub.ID, wanted{force: true, last: last})
	return nil
}

// subscription makes the record and its dialog of an authenticated request.
func (n *Notifier) subscription(r *handler.Request, w wish) (presence.Subscription, error) {
	id := &r.Identity
	a, err := n.ask(id.Tenant, r.SIP.Recipient.User, r.SIP.Recipient.Host)
	if err != nil {
		return presence.Subscription{}, &handler.Status{Code: sip.StatusBadRequest, Reason: "Bad Request-URI", Why: whyMalformed}
	}
	d, err := dialog.NewUAS(message(r), r.Tag())
	if err != nil {
		return presence.Subscription{}, malformed(err)
	}
	sub := presence.Subscription{
		ID: idOf(d.ID), Tenant: id.Tenant.Code, Event: dialoginfo.Event, EventID: w.eventID,
		Target: a.target, Entity: a.entity.String(), MAC: id.MAC(), Number: id.Number, Session: id.Session,
		Flow: r.Flow, Expires: n.ends(w.expires),
	}
	return sub, setDialog(&sub, d)
}

// ends is the stored expiry of a subscription that was granted d.
func (n *Notifier) ends(d time.Duration) int64 {
	return n.Now().Add(d + grace + storeLater).UnixMilli()
}

// left is what a phone is told that its subscription still lasts.
func (n *Notifier) left(sub presence.Subscription) int64 {
	return max(0, (sub.Expires-(grace+storeLater).Milliseconds()-n.Now().UnixMilli()+500)/1000)
}

func message(r *handler.Request) dialog.Message {
	return dialog.Message{
		RequestURI: r.SIP.Recipient.String(), CallID: r.CallID(),
		From: r.SIP.From().Value(), To: r.SIP.To().Value(), Contact: r.Header("contact"),
		RecordRoute: r.Values("record-route"), CSeq: r.SIP.CSeq().SeqNo,
		TLS: r.Flow.Transport == "tls" || r.Flow.Transport == "wss",
	}
}

func malformed(err error) error {
	return &handler.Status{Code: sip.StatusBadRequest, Reason: "Bad Dialog", Why: whyMalformed, Err: err}
}

// idOf is the store's name of a dialog: its parts are a stranger's and of any
// length.
func idOf(d dialog.ID) string {
	h := sha256.Sum256([]byte(d.CallID + "\x00" + d.Local + "\x00" + d.Remote))
	return hex.EncodeToString(h[:16])
}

// watcher is who a subscription belongs to.
func watcher(sub presence.Subscription) string {
	if sub.MAC != "" {
		return sub.MAC
	}
	return sub.Number
}

func setDialog(sub *presence.Subscription, d dialog.Dialog) error {
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("notify: dialog: %w", err)
	}
	sub.Dialog = text
	return nil
}

func dialogOf(sub presence.Subscription) (d dialog.Dialog, err error) {
	if err := json.Unmarshal(sub.Dialog, &d); err != nil {
		return d, fmt.Errorf("notify: dialog: %w", err)
	}
	return d, nil
}

// device is the watcher's device; false for a static password.
func device(sub presence.Subscription) (directory.DeviceID, bool) {
	mac, err := directory.ParseMAC(sub.MAC)
	return directory.DeviceID{Tenant: sub.Tenant, MAC: mac}, err == nil
}
