package directory

import (
	"slices"
	"strings"
	"time"

	"perch/hotdesk/calendar"
)

// maxDeskSeats bounds what moves together in one step.
const maxDeskSeats = 8

func (p *parser) desk(f field, t *tenantScope) {
	d := Desk{ID: DeskID{Tenant: t.Code}}
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "code":
			d.ID.Code = p.deskCode(g, t)
		case "label":
			d.Label = p.text(g)
		case "site":
			if d.Site = p.name(g); d.Site != "" {
				t.siteRefs = append(t.siteRefs, siteRef{g, d.Site})
			}
		case "floor":
			d.Floor = p.word(g)
		case "position":
			d.Position = p.position(g)
		case "class":
			d.Class = Class(p.oneOf(g, classTexts()...))
		case "owner":
			d.Owner = p.owner(g)
		case "reserved":
			p.list(g, maxList, func(g field) { d.Reserved = append(d.Reserved, p.reservation(g)) })
		case "address":
			d.Address = p.address(g)
		case "emergency_caller_id":
			d.EmergencyCallerID = p.match(g, callerForm, "a telephone number such as \"+493012345\"")
		case "devices":
			p.list(g, maxDeskSeats, func(g field) {
				if s, ok := p.deskSeat(g); ok {
					d.Seats = append(d.Seats, s)
				}
			})
		default:
			return false
		}
		return true
	}, "code", "label", "site", "floor", "position", "class", "owner", "reserved", "address", "emergency_caller_id", "devices") {
		return
	}
	if d.ID.Code == "" && !has(f, "code") {
		p.fault(f, "has no code: every desk needs one, such as code: b314")
	}
	p.deskSense(f, d)
	if p.room(f, len(p.file.Desks)) {
		p.file.Desks = append(p.file.Desks, d)
		p.file.deskLines = append(p.file.deskLines, f.node.Line)
	}
}

// deskSense finds what a desk says that contradicts itself.
func (p *parser) deskSense(f field, d Desk) {
	switch {
	case d.Kind() == Owned && d.Owner == "":
		p.fault(f, "class is owned, and there is no owner: nobody could log in; add owner, or make it shared")
	case d.Kind() == ReservedClass && len(d.Reserved) == 0:
		p.fault(f, "class is reserved, and reserved lists no window: add one, or make it shared")
	case d.Kind() != ReservedClass && len(d.Reserved) > 0:
		p.fault(f, "reserved has windows, and class is %s: only class reserved keeps them", d.Kind())
	case d.Kind() == EmergencyOnly && d.Owner != "":
		p.fault(f, "class is emergency-only, and owner is %s: nobody sits there; take one of them out", d.Owner)
	}
	for i, a := range d.Reserved {
		for j, b := range d.Reserved[:i] {
			wa, okA := a.Window()
			wb, okB := b.Window()
			if okA && okB && wa.Overlaps(wb) && !sameSet(a.Extensions, b.Extensions) {
				up := f.place
				first := place{&up, "reserved", j}
				second := field{place{&up, "reserved", i}, f.node}
				p.warn(second, "overlaps %s: while both are open, only extensions that both list get in", first.String())
			}
		}
	}
}

func sameSet(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) }) &&
		!slices.ContainsFunc(b, func(s string) bool { return !slices.Contains(a, s) })
}

func classTexts() []string {
	var all []string
	for _, c := range Classes() {
		all = append(all, string(c))
	}
	return all
}

func (p *parser) deskCode(f field, t *tenantScope) string {
	code := p.name(f)
	if line, dup := t.deskCodes[code]; dup && code != "" {
		p.fault(f, "desk %s is already on line %d: a code belongs to one desk", code, line)
	}
	t.deskCodes[code] = f.node.Line
	return code
}

func (p *parser) position(f field) Position {
	var at Position
	read := func(g field, into *int) bool {
		if n := p.integer(g, 0, 1_000_000); n != nil {
			*into = *n
		}
		return true
	}
	p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "x":
			return read(g, &at.X)
		case "y":
			return read(g, &at.Y)
		}
		return false
	}, "x", "y")
	return at
}

// deskSeat reads a MAC, or a MAC and a line: 00:15:65:aa:bb:01/2.
func (p *parser) deskSeat(f field) (DeskSeat, bool) {
	text, line, lined := strings.Cut(p.word(f), "/")
	mac, err := ParseMAC(text)
	if err != nil {
		p.fault(f, "%v", err)
		return DeskSeat{}, false
	}
	s := DeskSeat{MAC: mac, Line: 1}
	if lined {
		if s.Line = lineNumber(line); s.Line == 0 {
			p.fault(f, "after the slash stands a line from 1 to 255")
			return DeskSeat{}, false
		}
	}
	if at, dup := p.deskSeats[s]; dup {
		p.fault(f, "%s is already at the desk on line %d: a seat is at one desk", s, at)
		return DeskSeat{}, false
	}
	p.deskSeats[s] = f.node.Line
	return s, true
}

func lineNumber(s string) int {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 255 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n > 255 {
		return 0
	}
	return n
}

func (p *parser) reservation(f field) Reservation {
	var r Reservation
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "extensions":
			p.list(g, maxList, func(g field) {
				if n := p.owner(g); n != "" {
					r.Extensions = append(r.Extensions, n)
				}
			})
		case "days":
			r.Days = p.set(g, true, Days()...)
		case "from":
			r.From = p.match(g, timeForm, "a time of day such as \"09:00\"")
		case "to":
			r.To = p.match(g, timeForm, "a time of day such as \"17:30\"")
		default:
			return false
		}
		return true
	}, "extensions", "days", "from", "to") {
		return r
	}
	if r.From == "" && !has(f, "from") || r.To == "" && !has(f, "to") {
		p.fault(f, "needs from and to, such as from: \"09:00\", to: \"17:30\"")
	}
	if len(r.Extensions) == 0 && !has(f, "extensions") {
		p.fault(f, "lists no extensions: nobody could log in in that time; for that use class: emergency-only")
	}
	return r
}

// Window is the reservation as a span of the week; ok is false where its times
// are not understood.
func (r Reservation) Window() (w calendar.Window, ok bool) {
	var okFrom, okTo bool
	w.From, okFrom = calendar.ParseClock(r.From)
	w.To, okTo = calendar.ParseClock(r.To)
	for i, name := range Days() {
		w.Days[i] = slices.Contains(r.Days, name)
	}
	return w, okFrom && okTo
}

func (r Reservation) days() []string {
	if len(r.Days) == 0 {
		return []string{"every day"}
	}
	return r.Days
}

// moment reads a point in time with its offset (RFC 3339).
func (p *parser) moment(f field) time.Time {
	s := p.word(f)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		p.fault(f, "must be a time with its offset, such as 2026-01-05T09:00:00+01:00")
		return time.Time{}
	}
	return t.UTC()
}
