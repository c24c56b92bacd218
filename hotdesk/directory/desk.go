package directory

import (
	"slices"
	"strconv"
)

// Class is who may log in at a desk.
type Class string

// The classes. A desk that names none is shared.
const (
	Shared        Class = "shared"         // whoever the policy lets
	Owned         Class = "owned"          // its owner alone; an admin may log others in
	ReservedClass Class = "reserved"       // in its windows those they list, otherwise as shared
	EmergencyOnly Class = "emergency-only" // nobody: the phone is there for emergency calls
)

// Classes lists the closed set.
func Classes() []Class { return []Class{Shared, Owned, ReservedClass, EmergencyOnly} }

// DeskID names a desk in the installation.
type DeskID struct {
	Tenant TenantCode `json:"tenant"`
	Code   string     `json:"code"`
}

// String names the desk as people write it.
func (id DeskID) String() string { return string(id.Tenant) + "/" + id.Code }

// Desk is a place where a person sits down, with the devices that move
// together, as the store keeps it.
type Desk struct {
	ID                DeskID        `json:"id"`
	Label             string        `json:"label,omitempty"` // empty: the code
	Site              string        `json:"site,omitempty"`  // code
	Floor             string        `json:"floor,omitempty"`
	Position          Position      `json:"position,omitzero"`
	Class             Class         `json:"class,omitempty"` // empty: Shared
	Owner             string        `json:"owner,omitempty"` // number
	Reserved          []Reservation `json:"reserved,omitempty"`
	Address           Address       `json:"address,omitzero"`              // empty: the site's
	EmergencyCallerID string        `json:"emergency_caller_id,omitempty"` // empty: the site's
	Seats             []DeskSeat    `json:"seats,omitempty"`
}

// Name is what people read: the label, or the code where there is none.
func (d Desk) Name() string {
	if d.Label != "" {
		return d.Label
	}
	return d.ID.Code
}

// Kind is the class with its default.
func (d Desk) Kind() Class {
	if d.Class == "" {
		return Shared
	}
	return d.Class
}

// Has tells whether a seat is one of the desk's.
func (d Desk) Has(mac MAC, line int) bool {
	return slices.Contains(d.Seats, DeskSeat{MAC: mac, Line: max(line, 1)})
}

// Position is a point on the floor's plan, in the plan's own units.
type Position struct {
	X int `json:"x" yaml:"x"`
	Y int `json:"y" yaml:"y"`
}

// DeskSeat is one line of a device at a desk; lines count from 1.
type DeskSeat struct {
	MAC  MAC `json:"mac"`
	Line int `json:"line"`
}

// String is the MAC with colons, and "/2" behind it for a second line.
func (s DeskSeat) String() string {
	if s.Line <= 1 {
		return s.MAC.Colons()
	}
	return s.MAC.Colons() + "/" + strconv.Itoa(s.Line)
}

// Field is the seat as a key of the store: 12 hex digits, a slash and the line.
func (s DeskSeat) Field() string { return s.MAC.String() + "/" + strconv.Itoa(max(s.Line, 1)) }

// Reservation keeps a desk for some extensions at some times of the week, in
// the time zone of the desk's site.
type Reservation struct {
	Extensions []string `json:"extensions"`
	Days       []string `json:"days,omitempty"` // mon ... sun; empty: every day
	From       string   `json:"from"`           // HH:MM
	To         string   `json:"to"`             // HH:MM, on the next day where it is not after From
}

// Days of the week as files write them; the first is time.Sunday.
func Days() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }
