package app

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/sip/emergency"
	"perch/sip/flow"
	"perch/sip/upstream"
	"perch/sip/upstream/registration"
)

// pbxs is what people see of the upstreams.
type pbxs struct{ app *App }

var _ api.Upstreams = pbxs{}

// Registrations implements api.Upstreams.
func (p pbxs) Registrations(ctx context.Context, t directory.TenantCode) ([]registration.Record, error) {
	return p.app.store.Upstreams(ctx, t)
}

// Hops implements api.Upstreams.
func (p pbxs) Hops(ctx context.Context, code directory.TenantCode) ([]api.UpstreamHop, error) {
	t, err := p.app.store.Tenant(ctx, code)
	if err != nil || t.Upstream == nil {
		return nil, unlessGone(err)
	}
	row := api.UpstreamHop{Tenant: string(code), URI: t.Upstream.URI, State: "unresolved"}
	hops, err := p.app.trunks.client.Hops(ctx, t.Upstream.URI, true)
	if err != nil {
		why := reasonOf(err)
		row.Reason = &why
		return []api.UpstreamHop{row}, nil
	}
	var out []api.UpstreamHop
	for _, h := range hops {
		out = append(out, hopRow(row, h, p.app.trunks.client.Health.Of(h)))
	}
	return out, nil
}

func hopRow(row api.UpstreamHop, h flow.Hop, s upstream.Status) api.UpstreamHop {
	name := h.String()
	row.Hop, row.State = &name, "up"
	if !s.Up {
		row.State, row.Reason = "down", &s.Why
	}
	if s.Since.IsZero() {
		row.State = "unknown"
	} else {
		since := s.Since.UTC()
		row.Since = &since
	}
	if s.Took > 0 {
		took := s.Took.Milliseconds()
		row.Millis = &took
	}
	return row
}

// reasonOf is the part of a wrapped error that the operator can do something
// about.
func reasonOf(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, "resolve: "); ok {
		return after
	}
	return text
}

func unlessGone(err error) error {
	if errors.Is(err, hotdesk.ErrNotFound) {
		return nil
	}
	return err
}

// EmergencyTest implements api.Upstreams: the same steps as those of a call, up
// to the point where it would leave.
func (p pbxs) EmergencyTest(ctx context.Context, code directory.TenantCode, site string) ([]api.EmergencyDesk, error) {
	t, err := p.app.store.Tenant(ctx, code)
	if err != nil {
		return nil, unlessGone(err)
	}
	desks := map[directory.DeskSeat]directory.Desk{}
	err = p.app.store.EachDesk(ctx, code, func(d directory.Desk) error {
		for _, s := range d.Seats {
			desks[s] = d
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	route, routeFault := p.emergencyRoute(ctx, t)
	var out []api.EmergencyDesk
	err = p.app.store.EachDevice(ctx, code, func(d directory.Device) error {
		desk := desks[directory.DeskSeat{MAC: d.ID.MAC, Line: 1}]
		if site != "" && d.Site != site && desk.Site != site {
			return nil
		}
		row := deskRow(t, d, placeOf(t, d, desk))
		if row.Route = route; routeFault != "" {
			row.Faults = append(row.Faults, routeFault)
		}
		out = append(out, row)
		return nil
	})
	slices.SortFunc(out, func(a, b api.EmergencyDesk) int { return strings.Compare(a.MAC, b.MAC) })
	return out, err
}

// emergencyRoute resolves the route and asks whether it answers.
func (p pbxs) emergencyRoute(ctx context.Context, t directory.Tenant) (*string, string) {
	switch {
	case len(t.EmergencyNumbers) == 0:
		return nil, "the tenant has no emergency_numbers"
	case t.Upstream == nil || !t.Upstream.Emergency:
		return nil, "no route: set upstream with emergency: true"
	}
	hops, err := p.app.trunks.client.Hops(ctx, t.Upstream.URI, true)
	if err != nil {
		return nil, "no route: " + reasonOf(err)
	}
	answers := func(h flow.Hop) bool { return p.app.trunks.client.Check(ctx, h, t.Upstream.URI) == nil }
	i := slices.IndexFunc(hops, answers)
	if i < 0 {
		name := hops[0].String()
		return &name, "no next hop answers"
	}
	name := hops[i].String()
	return &name, ""
}

// deskRow is one desk without its route.
func deskRow(t directory.Tenant, d directory.Device, place emergency.Place) api.EmergencyDesk {
	row := api.EmergencyDesk{Tenant: string(t.Code), MAC: d.ID.MAC.String(), Desk: said(place.Desk), Site: said(d.Site), Faults: []string{}}
	if place.Usable() {
		row.Location = said(place.Line())
		if !wellFormed(place.PIDF(d.ID.MAC.String()+"@"+t.Domain(), time.Now())) {
			row.Faults = append(row.Faults, "the location makes no valid document")
		}
	} else {
		row.Faults = append(row.Faults, "no location: "+place.Missing())
	}
	if row.CallerID = said(place.CallerID); emergency.CallbackKey(place.CallerID) == "" {
		row.Faults = append(row.Faults, "no caller id: set emergency_caller_id of the site, desk or device")
	}
	return row
}

func said(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// wellFormed reads a document to its end.
func wellFormed(doc []byte) bool {
	d := xml.NewDecoder(strings.NewReader(string(doc)))
	for {
		if _, err := d.Token(); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
