package emergency

import (
	"strings"

	"perch/hotdesk/directory"
)

// Place is where a desk is and how it is called back.
type Place struct {
	Address  directory.Address
	Desk     string // label, as people know it
	CallerID string // number that rings this desk; empty: none is set
}

// Usable tells whether the address leads somebody to the door: a country and a
// city or a street at least.
func (p Place) Usable() bool {
	return p.Address.Country != "" && (p.Address.City != "" || p.Address.Street != "")
}

// Missing says what an address lacks; empty where it is Usable.
func (p Place) Missing() string {
	switch {
	case p.Address == directory.Address{}:
		return "no address"
	case p.Address.Country == "":
		return "no country"
	case !p.Usable():
		return "neither city nor street"
	}
	return ""
}

// PlaceOf lays the addresses over each other, the site's below and the device's
// on top: one that says only its room is in the site's building. desk is zero
// where the device is at none.
func PlaceOf(d directory.Device, desk directory.Desk, s directory.Site) Place {
	p := Place{Address: over(over(s.Address, desk.Address), d.Address), Desk: d.Desk}
	if p.Address.Floor == "" {
		p.Address.Floor = desk.Floor
	}
	if p.Desk == "" && desk.ID.Code != "" {
		p.Desk = desk.Name()
	}
	p.Desk = strings.Join(strings.Fields(p.Desk), " ")
	for _, id := range []string{s.EmergencyCallerID, desk.EmergencyCallerID, d.EmergencyCallerID} {
		if id != "" {
			p.CallerID = id
		}
	}
	return p
}

// over replaces what the stronger address says. One in another city or street
// has nothing of the weaker one's streets and houses.
func over(weak, strong directory.Address) directory.Address {
	if strong.City != "" && strong.City != weak.City || strong.Country != "" && strong.Country != weak.Country {
		if strong.Country == "" {
			strong.Country = weak.Country
		}
		return strong
	}
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	if strong.Street != "" && strong.Street != weak.Street {
		weak.Building, weak.Floor, weak.Room, weak.PostalCode = "", "", "", ""
	}
	if strong.Building != "" && strong.Building != weak.Building {
		weak.Floor, weak.Room = "", ""
	}
	if strong.Floor != "" && strong.Floor != weak.Floor {
		weak.Room = ""
	}
	set(&weak.Country, strong.Country)
	set(&weak.State, strong.State)
	set(&weak.City, strong.City)
	set(&weak.PostalCode, strong.PostalCode)
	set(&weak.Street, strong.Street)
	set(&weak.Building, strong.Building)
	set(&weak.Floor, strong.Floor)
	set(&weak.Room, strong.Room)
	return weak
}

// Line is the place on one line, for people.
func (p Place) Line() string {
	a := p.Address
	parts := []string{p.Desk, a.Room, a.Floor, a.Building, a.Street, strings.TrimSpace(a.PostalCode + " " + a.City), a.State, a.Country}
	for i, name := range []string{"", "room ", "floor ", "building "} {
		if parts[i] != "" {
			parts[i] = name + parts[i]
		}
	}
	var out []string
	for _, s := range parts {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}
