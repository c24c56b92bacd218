package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/calls"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// target is one place that is asked: a phone, or the upstream.
type target struct {
	party    calls.Party
	contacts []location.Contact // of one phone; the next where the flow of one is gone
	called   string             // P-Called-Party-ID: the phone is asked under another name than the one dialled
	way      *Way               // in place of contacts
	leg      *leg               // in place of both: the other side of a dialog
	q        int
	follows  bool // comes after the branches before it have failed (q)
}

// wanted is who is called.
type wanted struct {
	targets []target
	number  string // extension, for the identity in the answer; empty: another
	name    string
	called  calls.Party
	kind    calls.Kind
}

// maxTargets bounds the branches of one request.
const maxTargets = 32

// seek finds out who is called. The errors are *handler.Status, or of the store.
func (p *Proxy) seek(ctx context.Context, r *handler.Request, c caller, requestURI string) (wanted, error) {
	if aor, instance, ok := location.ParseGRUU(requestURI); ok {
		return p.instance(ctx, c, aor, instance)
	}
	aor, err := location.NewAOR(r.SIP.Recipient.User, r.SIP.Recipient.Host)
	if err != nil || aor.User == "" {
		return wanted{}, notFound()
	}
	number := aor.User
	asked := Asked{Tenant: c.tenant, Caller: c.identity, Number: number, Flow: r.Flow}
	if !c.upstream {
		if w, ok, err := p.help(ctx, asked); err != nil || ok {
			return w, err
		}
	}
	if !c.tenant.HasDomain(aor.Domain) && !p.own(aor.Domain) {
		return wanted{}, notFound() // no relay: another tenant looks like a domain that nobody has
	}
	if c.upstream && p.Upstream != nil {
		if number, err = p.Upstream.Called(ctx, c.tenant, number); err != nil {
			return wanted{}, err
		}
		asked.Number = number
	}
	if mac, err := directory.ParseMAC(number); err == nil && len(number) == 12 {
		return p.desk(ctx, c, mac)
	}
	return p.extension(ctx, asked, true)
}

func notFound() error { return handler.Refuse(404, "unknown_number") }

// help looks for an emergency call, whoever makes it.
func (p *Proxy) help(ctx context.Context, a Asked) (wanted, bool, error) {
	w := wanted{called: calls.Party{URI: a.Tenant.AOR(a.Number).String(), Display: a.Number}, kind: calls.Emergency}
	if p.Emergency == nil {
		if slices.Contains(a.Tenant.EmergencyNumbers, a.Number) {
			return w, true, handler.Refuse(503, "no_emergency_route")
		}
		return w, false, nil
	}
	way, ok, err := p.Emergency.Way(ctx, a)
	if err != nil || !ok {
		return w, ok, err
	}
	way.Kind = calls.Emergency
	w.targets = []target{{way: &way, party: w.called}}
	return w, true, nil
}

// extension finds the phones of an extension: those that have registered as it,
// and the desks where somebody has logged in as it whose phone has not yet.
// away: ask what becomes of the call where nobody is logged in.
func (p *Proxy) extension(ctx context.Context, a Asked, away bool) (wanted, error) {
	number, err := directory.ParseNumber(a.Number)
	if err != nil {
		return p.outside(ctx, a)
	}
	id := directory.ExtensionID{Tenant: a.Tenant.Code, Number: number}
	e, err := p.Directory.Extension(ctx, id)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return p.outside(ctx, a)
	}
	if err != nil {
		return wanted{}, fmt.Errorf("proxy: called: %w", err)
	}
	w := wanted{number: number, name: e.Name, called: calls.Party{Number: number, Display: e.Name, URI: a.Tenant.AOR(number).String()}}
	here, err := p.phones(ctx, id)
	if err != nil {
		return wanted{}, fmt.Errorf("proxy: called: %w", err)
	}
	if w.targets = here.targets(w.called, p.Now()); len(w.targets) > 0 {
		return w, nil
	}
	if !here.known && away && p.Upstream != nil {
		way, ok, err := p.Upstream.Away(ctx, a, e)
		switch {
		case err != nil:
			return wanted{}, err
		case ok && way.Extension != "":
			a.Number = way.Extension
			return p.extension(ctx, a, false)
		case ok:
			w.targets, w.kind = []target{{way: &way, party: w.called}}, way.Kind
			return w, nil
		}
	}
	return wanted{}, handler.Refuse(480, "not_here")
}

// outside finds the way of a number that is nobody's here.
func (p *Proxy) outside(ctx context.Context, a Asked) (wanted, error) {
	if p.Upstream == nil {
		return wanted{}, notFound()
	}
	way, ok, err := p.Upstream.Way(ctx, a)
	if err != nil {
		return wanted{}, err
	}
	if !ok {
		return wanted{}, notFound()
	}
	if way.Extension != "" {
		a.Number = way.Extension
		return p.extension(ctx, a, false)
	}
	party := calls.Party{URI: a.Tenant.AOR(a.Number).String(), Display: a.Number}
	return wanted{targets: []target{{way: &way, party: party}}, called: party, kind: way.Kind}, nil
}

// desk finds the phone at a desk, whoever sits there.
func (p *Proxy) desk(ctx context.Context, c caller, mac directory.MAC) (wanted, error) {
	d, seats, err := p.Directory.DeviceByMAC(ctx, mac)
	if errors.Is(err, hotdesk.ErrNotFound) || err == nil && d.ID.Tenant != c.tenant.Code {
		return wanted{}, notFound()
	}
	if err != nil {
		return wanted{}, fmt.Errorf("proxy: desk: %w", err)
	}
	contacts, err := p.Location.DeviceContacts(ctx, d.ID, seats)
	if err != nil {
		return wanted{}, fmt.Errorf("proxy: desk: %w", err)
	}
	party := calls.Party{MAC: mac.String(), URI: c.tenant.AOR(mac.String()).String()}
	if b, ok := seats.At(1); ok {
		party.Number = b.Number
	}
	if contacts = ofDevice(contacts, 0, p.Now()); len(contacts) == 0 {
		return wanted{}, handler.Refuse(480, "not_here")
	}
	return wanted{targets: []target{{party: party, contacts: contacts[:1]}}, called: party}, nil
}

// instance finds the flows of one phone by its GRUU (RFC 5627 section 6.1).
func (p *Proxy) instance(ctx context.Context, c caller, aor directory.AOR, instance string) (wanted, error) {
	if !c.tenant.HasDomain(aor.Domain) {
		return wanted{}, notFound()
	}
	set, err := p.Location.Contacts(ctx, c.tenant.Code, aor.User)
	if err != nil {
		return wanted{}, fmt.Errorf("proxy: gruu: %w", err)
	}
	flows := set.OfInstance(instance, p.Now())
	if len(flows) == 0 {
		return wanted{}, handler.Refuse(480, "not_here")
	}
	party := calls.Party{MAC: flows[0].MAC, URI: aor.String()}
	if number, err := directory.ParseNumber(aor.User); err == nil {
		party.Number = number
	}
	return wanted{targets: []target{{party: party, contacts: flows}}, number: party.Number, called: party}, nil
}

// phones are the contacts of an extension and the desks it sits at.
type phones struct {
	set   location.Set
	seats []seated
	known bool // somebody is logged in or registered, reachable or not
}

// seated is one seat of the extension, with what its device has registered.
type seated struct {
	seat     directory.Seat
	session  directory.SessionID
	contacts []location.Contact // of the device, under any identity
}

func (p *Proxy) phones(ctx context.Context, e directory.ExtensionID) (phones, error) {
	var out phones
	var err error
	if out.set, err = p.Location.Contacts(ctx, e.Tenant, e.Number); err != nil {
		return out, err
	}
	seats, err := p.Directory.Logins(ctx, e)
	if err != nil {
		return out, err
	}
	for _, seat := range seats[:min(len(seats), maxTargets)] {
		_, all, err := p.Directory.DeviceByMAC(ctx, seat.Device.MAC)
		if errors.Is(err, hotdesk.ErrNotFound) {
			continue
		}
		if err != nil {
			return out, err
		}
		b, ok := all.At(seat.Line)
		if !ok || b.Number != e.Number {
			continue // it moved on between the two reads
		}
		s := seated{seat: seat, session: b.Session}
		if !slices.ContainsFunc(out.set.Contacts, func(c location.Contact) bool { return c.Session == b.Session && !c.Expired(p.Now()) }) {
			if s.contacts, err = p.Location.DeviceContacts(ctx, seat.Device, all); err != nil {
				return out, err
			}
		}
		out.seats = append(out.seats, s)
	}
	out.known = len(out.seats) > 0 || slices.ContainsFunc(out.set.Contacts, func(c location.Contact) bool { return c.Session == "" && !c.Expired(p.Now()) })
	return out, nil
}

// targets lists the phones of an extension, those of the highest q first. A
// contact of a session that has ended is none: new calls follow the binding. A
// desk that has not registered as the extension yet is asked by the contact that
// it has, whose user part is another: hence P-Called-Party-ID (RFC 7315).
func (s phones) targets(called calls.Party, now time.Time) []target {
	live := map[directory.SessionID]bool{}
	for _, one := range s.seats {
		live[one.session] = true
	}
	var out []target
	for _, c := range s.set.Ranked(now) {
		if c.Session != "" && !live[c.Session] || c.Session == "" && c.MAC != "" {
			continue
		}
		out = joined(out, target{party: atDevice(called, c.MAC), contacts: []location.Contact{c}, q: c.Q})
	}
	for _, one := range s.seats {
		mac := one.seat.Device.MAC.String()
		if contacts := ofDevice(one.contacts, one.seat.Line, now); len(contacts) > 0 {
			out = append(out, target{party: atDevice(called, mac), contacts: contacts[:1], called: "<" + called.URI + ">", q: topQ})
		}
	}
	slices.SortStableFunc(out, func(a, b target) int { return cmp.Compare(b.q, a.q) })
	out = out[:min(len(out), maxTargets)]
	for i := range out {
		out[i].follows = i > 0 && out[i].q != out[i-1].q
	}
	return out
}

// topQ is the q of a contact that names none.
const topQ = 1000

// joined adds a target; another flow of a phone that is there already is a
// second way to it, not a second phone (RFC 5626 section 7).
func joined(list []target, t target) []target {
	c := t.contacts[0]
	for i, other := range list {
		if o := other.contacts[0]; c.Outbound() && o.Outbound() && strings.EqualFold(o.Instance, c.Instance) {
			list[i].contacts = append(list[i].contacts, c)
			return list
		}
	}
	return append(list, t)
}

// ofDevice gives the reachable contacts of a device, best first: that of its own
// account, which is what an idle phone has, then the newest; line 0 is any.
func ofDevice(contacts []location.Contact, line int, now time.Time) []location.Contact {
	var out []location.Contact
	for _, c := range contacts {
		if c.Reachable(now) && (line == 0 || c.Line == line || c.Session == "") {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b location.Contact) int {
		if (a.Session == "") != (b.Session == "") {
			if a.Session == "" {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Updated, a.Updated)
	})
	return out
}

func atDevice(p calls.Party, mac string) calls.Party {
	p.MAC = mac
	return p
}

// hops are the ways of a target as places to send to.
func (t target) hops() []step {
	var out []step
	switch {
	case t.leg != nil:
		out = append(out, step{leg: t.leg})
	case t.way != nil:
		for _, h := range t.way.Hops {
			out = append(out, step{hop: &h})
		}
	default:
		for _, c := range t.contacts {
			out = append(out, step{contact: &c})
		}
	}
	return out
}

// step is one attempt of a branch.
type step struct {
	contact *location.Contact
	hop     *flow.Hop
	leg     *leg
}
