package upstream

import (
	"context"
	"crypto/rand"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/sip/calls"
	"perch/sip/emergency"
	"perch/sip/flow"
	"perch/sip/handler"
)

// Desks reads where a device is: its desk, where desks are objects of their own.
type Desks interface {
	Place(ctx context.Context, t directory.Tenant, d directory.Device) (emergency.Place, error)
}

// Help is the way of emergency calls: the upstream of a tenant that takes them,
// with the place and the number of the desk, whoever sits there.
type Help struct {
	Router *Router
	Desks  Desks
}

// Way tells how an emergency call leaves; false: the number is none. Without a
// route the error is a *handler.Status with 503, at once, and an event says so.
// Nothing else keeps such a call: where the desk's place cannot be read, it goes
// without.
func (h *Help) Way(ctx context.Context, a Asked) (Way, bool, error) {
	if !emergency.IsNumber(a.Number, a.Tenant.EmergencyNumbers) || a.Caller.Kind == "" {
		return Way{}, false, nil
	}
	r, place := h.Router, h.place(ctx, a)
	e := event.Event{
		Type: event.EmergencyCalled, Tenant: a.Tenant.Code, MAC: a.Caller.MAC(), Number: a.Caller.Caller(),
		Target: handler.Clipped(a.Number, maxDialled), Detail: handler.Clipped(place.Line(), 300), Site: a.Caller.Device.Site,
	}
	w, err := h.route(ctx, a, place)
	if err != nil {
		e.Type, e.Reason, e.Status = event.EmergencyFailed, "no_route", 503
		r.tell(ctx, e)
		r.Log.Error("an emergency call has no route", "tenant", a.Tenant.Code, "device", a.Caller.MAC(), "error", err)
		return Way{}, true, &handler.Status{Code: 503, Why: "no_emergency_route", Err: err}
	}
	r.tell(ctx, e)
	r.Log.Warn("emergency call", "tenant", a.Tenant.Code, "device", a.Caller.MAC(), "extension", a.Caller.Caller(), "desk", place.Desk)
	return w, true, nil
}

func (h *Help) place(ctx context.Context, a Asked) emergency.Place {
	if !a.Caller.HasDevice() {
		return emergency.Place{} // a softphone is anywhere
	}
	p, err := h.Desks.Place(ctx, a.Tenant, a.Caller.Device)
	if err != nil {
		site, _ := a.Tenant.Site(a.Caller.Device.Site)
		h.Router.Log.Warn("the desk of an emergency call could not be read", "device", a.Caller.MAC(), "error", err)
		return emergency.PlaceOf(a.Caller.Device, directory.Desk{}, site)
	}
	return p
}

// resolveWithin bounds the name servers of an emergency call: what is in the
// cache has its answer at once.
const resolveWithin = 3 * time.Second

func (h *Help) route(ctx context.Context, a Asked, place emergency.Place) (Way, error) {
	up := a.Tenant.Upstream
	if up == nil || !up.Emergency {
		return Way{}, errNoRoute
	}
	at, err := parsePBX(up.URI)
	if err != nil {
		return Way{}, err
	}
	number, ok := emergency.Dialled(a.Number, a.Tenant.EmergencyNumbers)
	if !ok {
		return Way{}, errNoRoute
	}
	looking, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	hops, err := h.Router.Client.Hops(looking, up.URI, true)
	if err != nil {
		return Way{}, err
	}
	w := Way{URI: at.request(number), Hops: hops, Kind: calls.Emergency}
	e, err := h.Router.callerOf(ctx, a)
	if err != nil {
		e = directory.Extension{ID: directory.ExtensionID{Tenant: a.Tenant.Code, Number: a.Caller.Caller()}}
	}
	h.Router.inNameOf(&w, a, at, e)
	h.identify(&w, a, at, place)
	h.locate(&w, a, place)
	w.Headers = append(w.Headers, flow.Field{Name: "Priority", Value: "emergency"}) // RFC 3261 section 20.26
	if key := emergency.CallbackKey(place.CallerID); key != "" && a.Caller.HasDevice() {
		if err := h.Router.Callbacks.RememberCallback(ctx, a.Tenant.Code, key, a.Caller.Device.ID.MAC, h.Router.Keep); err != nil {
			h.Router.Log.Warn("the desk of an emergency call is not remembered", "device", a.Caller.MAC(), "error", err)
		}
	}
	return w, nil
}

// identify names the desk in place of the person: who answers has to be able to
// call back to where the call came from, whoever has gone home.
func (h *Help) identify(w *Way, a Asked, at pbx, place emergency.Place) {
	user, name := place.CallerID, place.Desk
	switch {
	case user != "":
	case w.From != "":
		return
	case a.Caller.HasDevice():
		user = a.Caller.MAC()
		if site, _ := a.Tenant.Site(a.Caller.Device.Site); name == "" {
			name = site.Placeholder
		}
	default:
		return
	}
	w.From = at.identity(user)
	w.Headers = []flow.Field{{Name: "P-Asserted-Identity", Value: nameAddr(name, w.From)}}
}

// locate adds the place (RFC 6442), where there is one that is of use.
func (h *Help) locate(w *Way, a Asked, place emergency.Place) {
	if !place.Usable() {
		return
	}
	entity := a.Caller.MAC() + "@" + a.Tenant.Domain()
	part := emergency.Part{ID: rand.Text() + "@" + a.Tenant.Domain(), Document: place.PIDF(entity, h.Router.Client.Now())}
	for _, f := range part.Headers() {
		w.Headers = append(w.Headers, flow.Field{Name: f.Name, Value: f.Value})
	}
	boundary := rand.Text()
	w.Body = func(contentType string, body []byte) (string, []byte) { return part.Join(contentType, body, boundary) }
}
