package directory

import "slices"

// desks lays the file's desks over the stored ones and gives their devices what
// they say: out gets the desks, and devices that are only in the store and change
// with their desk. A seat is at one desk, whichever file said so.
func (m *merger) desks(out *State) {
	here := map[DeskSeat]int{} // seat -> line in the file
	for i, d := range m.file.Desks {
		line := m.file.deskLines[i]
		for _, s := range d.Seats {
			here[s] = line
			if !m.hasDevice(DeviceID{Tenant: d.ID.Tenant, MAC: s.MAC}) {
				m.faults.add(line, "devices", "%s at desk %s is not a device of tenant %s: add it or take it off the desk", s.MAC, d.ID.Code, d.ID.Tenant)
			}
			if other, taken := m.old.seats[s]; taken && other != d.ID && m.keepsSeat(other, s) {
				m.faults.add(line, "devices", "%s is at desk %s already: take it off there first", s, other)
			}
		}
		m.deskPeople(d, line)
		out.Desks = append(out.Desks, d)
	}
	m.furnish(out)
}

// calendars finds policies of stored extensions and devices, which the file does
// not name, whose calendar the file takes away: nobody could log in there.
func (m *merger) calendars(t Tenant, line int) {
	old := m.old.tenants[t.Code]
	gone := func(p Policy) bool {
		_, was := old.Calendar(p.Shift)
		_, is := t.Calendar(p.Shift)
		return was && !is
	}
	tell := func(what string, p Policy) {
		m.faults.add(line, "calendars", "calendar %s is still the shift of %s: change that policy in the same file", p.Shift, what)
	}
	for id, e := range m.old.extensions {
		if _, named := m.new.extensions[id]; id.Tenant == t.Code && !named && gone(e.Policy) {
			tell("extension "+id.String(), e.Policy)
		}
	}
	for id, d := range m.old.devices {
		if _, named := m.new.devices[id]; id.Tenant == t.Code && !named && gone(d.Policy) {
			tell("device "+id.String(), d.Policy)
		}
	}
}

// deskPeople finds owners and reservations of nobody, and owners who may not be.
func (m *merger) deskPeople(d Desk, line int) {
	if d.Owner != "" {
		m.owner(DeviceID{Tenant: d.ID.Tenant}, d.Owner, "desk "+d.ID.Code, line)
	}
	for _, r := range d.Reserved {
		for _, n := range r.Extensions {
			if !m.hasExtension(ExtensionID{Tenant: d.ID.Tenant, Number: n}) {
				m.faults.add(line, "reserved", "%s, for whom desk %s is reserved, is not an extension of tenant %s: add it or leave it out", n, d.ID.Code, d.ID.Tenant)
			}
		}
	}
}

// owner finds an owner who is nobody, or a guest: a guest has no owner rights.
func (m *merger) owner(of DeviceID, number, what string, line int) {
	id := ExtensionID{Tenant: of.Tenant, Number: number}
	if !m.hasExtension(id) {
		m.faults.add(line, "owner", "owner %s of %s is not an extension of tenant %s: add it or leave the owner out", number, what, of.Tenant)
		return
	}
	e := m.new.extensions[id]
	if e == nil {
		e = m.old.extensions[id]
	}
	if e != nil && e.Guest() {
		m.faults.add(line, "owner", "owner %s of %s is a guest (valid_from, valid_until): a guest owns no desk", number, what)
	}
}

// keepsSeat tells whether a stored desk will still have a seat.
func (m *merger) keepsSeat(id DeskID, s DeskSeat) bool {
	d, named := m.new.desks[id]
	if named {
		return slices.Contains(d.Seats, s)
	}
	return !m.opt.Prune
}

func (m *merger) hasDevice(id DeviceID) bool {
	_, named := m.new.devices[id]
	_, stored := m.old.devices[id]
	return named || stored && !m.opt.Prune
}

// furnish gives each device at a desk its desk's label, site and owner: those in
// the file at desks that only the store knows, and those that only the store
// knows at desks of the file.
func (m *merger) furnish(out *State) {
	at := m.desksByMAC()
	for i := range out.Devices {
		if desk := at[out.Devices[i].ID]; desk != nil {
			out.Devices[i].sitAt(*desk)
		}
	}
	done := map[DeviceID]bool{}
	for _, d := range m.file.Desks {
		for _, s := range d.Seats {
			id := DeviceID{Tenant: d.ID.Tenant, MAC: s.MAC}
			old, stored := m.old.devices[id]
			if _, named := m.new.devices[id]; named || !stored || done[id] || at[id] == nil {
				continue
			}
			done[id] = true
			moved := *old
			moved.sitAt(*at[id])
			out.Devices = append(out.Devices, moved)
		}
	}
}

// desksByMAC finds the desk whose word counts for each device: that of its lowest
// line, the file's before the store's.
func (m *merger) desksByMAC() map[DeviceID]*Desk {
	type place struct {
		desk *Desk
		line int
	}
	at := map[DeviceID]place{}
	put := func(d *Desk, s DeskSeat) {
		id := DeviceID{Tenant: d.ID.Tenant, MAC: s.MAC}
		if p, taken := at[id]; !taken || s.Line < p.line {
			at[id] = place{d, s.Line}
		}
	}
	for id, d := range m.old.desks {
		for _, s := range d.Seats {
			if m.keepsSeat(id, s) && m.new.desks[id] == nil {
				put(d, s)
			}
		}
	}
	for _, d := range m.new.desks {
		for _, s := range d.Seats {
			put(d, s)
		}
	}
	found := make(map[DeviceID]*Desk, len(at))
	for id, p := range at {
		found[id] = p.desk
	}
	return found
}
