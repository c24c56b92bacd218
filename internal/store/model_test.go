package store

import (
	"cmp"
	"slices"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/location"
)

// model is what the scripts do, in Go and for one tenant: the reference that
// both engines are held against. A session that the store invents (an owner
// returns) is adopted from the store by the caller.
type model struct {
	tenant directory.TenantCode
	now    int64
	owners map[string]string // MAC -> number
	seats  map[string]*hotdesk.Seats
	users  map[string][]location.Contact
	subs   map[string]modelSub
	open   map[string]modelReload
	desk   []place            // the seats of the only desk
	logins map[string][]place // number -> where, in the order of the logins
	calls  map[string]map[string]int64
}

type modelSub struct {
	mac     string
	session directory.SessionID
	expires int64
}

type modelReload struct {
	trace   string
	session directory.SessionID
	due     int64
	force   bool
	waiting bool
	claimed bool
	over    int64 // a call that ended while claimed: when to look
}

func newModel(t directory.TenantCode, now time.Time) *model {
	return &model{
		tenant: t, now: now.UnixMilli(), owners: map[string]string{}, seats: map[string]*hotdesk.Seats{},
		users: map[string][]location.Contact{}, subs: map[string]modelSub{}, open: map[string]modelReload{},
		calls: map[string]map[string]int64{}, logins: map[string][]place{},
	}
}

func (m *model) at(mac string) *hotdesk.Seats {
	if m.seats[mac] == nil {
		m.seats[mac] = &hotdesk.Seats{}
	}
	return m.seats[mac]
}

// where lists the seats of a number, the automatic ones first, then by age.
func (m *model) where(number string) []seatOf {
	var out []seatOf
	for mac, s := range m.seats {
		for _, b := range s.Bindings {
			if b.Number == number {
				out = append(out, seatOf{mac, b})
			}
		}
	}
	slices.SortFunc(out, func(a, b seatOf) int {
		return cmp.Or(cmp.Compare(auto(a), auto(b)), cmp.Compare(a.b.Since, b.b.Since),
			cmp.Compare(a.mac, b.mac), cmp.Compare(a.b.Line, b.b.Line))
	})
	return out
}

type seatOf struct {
	mac string
	b   hotdesk.Binding
}

func auto(s seatOf) int {
	if s.b.By == "owner" {
		return 0
	}
	return 1
}

func (m *model) over(b hotdesk.Binding) bool { return b.Until > 0 && b.Until <= m.now }

// place is a seat of the tenant.
type place struct {
	mac  string
	line int
}

// together lists the seats that are taken with one, itself first.
func (m *model) together(mac string, line int) ([]place, string) {
	self := place{mac, line}
	if !slices.Contains(m.desk, self) {
		return []place{self}, ""
	}
	all := []place{self}
	for _, s := range m.desk {
		if s != self {
			all = append(all, s)
		}
	}
	return all, "d"
}

// takenWith lists the seats that were taken with a binding, its own first.
func (m *model) takenWith(mac string, b hotdesk.Binding) []place {
	self := place{mac, b.Line}
	all := []place{self}
	for _, s := range m.logins[b.Number] {
		if o, ok := m.at(s.mac).At(s.line); ok && b.Desk != "" && s != self && o.Number == b.Number && o.Desk == b.Desk {
			all = append(all, s)
		}
	}
	return all
}

// bind gives the refusal, whether it was so already, and how many were ended.
func (m *model) bind(r hotdesk.BindRequest) (why hotdesk.Reason, already bool, ended int) {
	mac, number := r.Device.MAC.String(), r.Binding.Number
	if _, known := m.owners[mac]; !known {
		return hotdesk.UnknownDevice, false, 0
	}
	if b, ok := m.at(mac).At(r.Binding.Line); ok && b.Number == number && !m.over(b) {
		m.reload(mac, r.Binding.Trace, b.Session, r.Force)
		return "", true, 0
	}
	var victims []place
	doom := func(list ...place) {
		for _, s := range list {
			if !slices.Contains(victims, s) {
				victims = append(victims, s)
			}
		}
	}
	seats, code := m.together(mac, r.Binding.Line)
	for _, s := range seats {
		b, ok := m.at(s.mac).At(s.line)
		switch {
		case !ok:
		case m.over(b), b.Number == number, b.By == "owner", r.Rules.OnOccupied == directory.Replace:
			doom(m.takenWith(s.mac, b)...)
		case r.Rules.OnOccupied == directory.Ask:
			return hotdesk.AskFirst, false, 0
		default:
			return hotdesk.DeskTaken, false, 0
		}
	}
	var live [][]seatOf
	atDesk := map[string]int{}
	for _, s := range m.where(number) {
		i, grouped := atDesk[s.b.Desk]
		switch {
		case slices.Contains(victims, place{s.mac, s.b.Line}):
		case m.over(s.b):
			doom(place{s.mac, s.b.Line})
		case s.b.Desk != "" && grouped:
			live[i] = append(live[i], s)
		default:
			live = append(live, []seatOf{s})
			if s.b.Desk != "" {
				atDesk[s.b.Desk] = len(live) - 1
			}
		}
	}
	for len(live) >= max(r.Rules.MaxLogins, 1) {
		if live[0][0].b.By != "owner" && r.Rules.OnConflict != directory.Move {
			return hotdesk.Elsewhere, false, 0
		}
		for _, s := range live[0] {
			doom(place{s.mac, s.b.Line})
		}
		live = live[1:]
	}
	here := map[string]bool{}
	for _, s := range seats {
		here[s.mac] = true
	}
	left := m.end(victims, here)
	for i, s := range seats {
		b := r.Binding
		b.Line, b.Desk = s.line, code
		if i > 0 {
			b.Session = "" // to be adopted
		}
		m.seat(s.mac, b)
		switch {
		case i == 0:
			m.reload(s.mac, b.Trace, b.Session, r.Force)
		case here[s.mac] && s.mac != mac:
			here[s.mac] = false // one reload each
			m.reload(s.mac, "", "", r.Force)
		}
	}
	m.leave(left, "", false)
	return "", false, len(victims)
}

func (m *model) seat(mac string, b hotdesk.Binding) {
	m.at(mac).Bindings = append(m.at(mac).Bindings, b)
	m.logins[b.Number] = append(m.logins[b.Number], place{mac, b.Line})
}

// end ends bindings and gives the devices that are left, once each.
func (m *model) end(victims []place, here map[string]bool) []seatOf {
	var left []seatOf
	for _, v := range victims {
		b := m.unseat(v)
		i := slices.IndexFunc(left, func(l seatOf) bool { return l.mac == v.mac })
		switch {
		case here[v.mac]:
		case i < 0:
			left = append(left, seatOf{v.mac, b})
		case b.Line == 1:
			left[i].b = b
		}
	}
	return left
}

func (m *model) unseat(v place) hotdesk.Binding {
	s := m.at(v.mac)
	b, _ := s.At(v.line)
	s.Bindings = slices.DeleteFunc(s.Bindings, func(o hotdesk.Binding) bool { return o.Line == v.line })
	m.logins[b.Number] = slices.DeleteFunc(m.logins[b.Number], func(o place) bool { return o == v })
	s.Ending = append(s.Ending, hotdesk.Ending{Session: b.Session, Number: b.Number, Line: b.Line, Since: m.now})
	if len(s.Ending) <= 4 {
		return b
	}
	i := max(slices.IndexFunc(s.Ending, func(e hotdesk.Ending) bool {
		return !slices.ContainsFunc(m.users[e.Number], func(c location.Contact) bool { return c.MAC == v.mac && c.Session == e.Session })
	}), 0)
	e := s.Ending[i]
	m.drop(e.Number, func(c location.Contact) bool { return c.MAC == v.mac && c.Session == e.Session })
	s.Ending = slices.Delete(s.Ending, i, i+1)
	return b
}

// leave lets the owners return to the desks that are left, with sessions to be
// adopted but for the first, and opens the reloads.
func (m *model) leave(left []seatOf, session directory.SessionID, force bool) {
	back := map[string]directory.SessionID{}
	var more []string
	for i, l := range left {
		owner := m.owners[l.mac]
		_, taken := m.at(l.mac).At(1)
		if owner == "" || l.b.Line != 1 || l.b.Number == owner || taken || len(m.where(owner)) > 0 {
			continue
		}
		seats, code := m.together(l.mac, 1)
		for j, s := range seats {
			if _, taken := m.at(s.mac).At(s.line); taken {
				continue
			}
			b := hotdesk.Binding{Number: owner, Line: s.line, Since: m.now, By: "owner", Desk: code}
			if i == 0 && j == 0 {
				b.Session = session
			}
			m.seat(s.mac, b)
			if _, was := back[s.mac]; !was || s.line == 1 {
				back[s.mac] = b.Session
			}
			if !slices.Contains(more, s.mac) && !slices.ContainsFunc(left, func(l seatOf) bool { return l.mac == s.mac }) {
				more = append(more, s.mac)
			}
		}
	}
	for _, l := range left {
		m.reload(l.mac, "", back[l.mac], force)
	}
	for _, mac := range more {
		m.reload(mac, "", back[mac], false)
	}
}

// unbind ends a binding and those that were taken with it; session is the one of
// an owner who returns.
func (m *model) unbind(mac string, line int, number string, session directory.SessionID) hotdesk.Reason {
	b, ok := m.at(mac).At(line)
	if !ok || (number != "" && b.Number != number) {
		return hotdesk.NobodyHere
	}
	var left []seatOf
	for _, v := range m.takenWith(mac, b) {
		o := m.unseat(v)
		i := slices.IndexFunc(left, func(l seatOf) bool { return l.mac == v.mac })
		switch {
		case i < 0:
			left = append(left, seatOf{v.mac, o})
		case o.Line == 1 && v.mac != mac:
			left[i].b = o
		}
	}
	m.leave(left, session, false)
	return ""
}

func (m *model) drop(user string, matches func(location.Contact) bool) {
	m.users[user] = slices.DeleteFunc(m.users[user], matches)
}

// register is a commit of one contact, new or refreshed; false: the session is
// over.
func (m *model) register(user string, c location.Contact, supersede bool) bool {
	if c.Session != "" {
		if _, ok := m.at(c.MAC).Session(c.Session); !ok {
			return false
		}
	}
	m.drop(user, func(x location.Contact) bool { return x.URI == c.URI })
	m.users[user] = append(m.users[user], c)
	if !supersede {
		return true
	}
	s, others := m.at(c.MAC), map[directory.SessionID]bool{}
	for _, b := range s.Bindings {
		others[b.Session] = b.Line != c.Line
	}
	for _, e := range s.Ending {
		others[e.Session] = e.Line != c.Line
	}
	foreign := func(x location.Contact) bool { return x.MAC == c.MAC && x.Line == c.Line && x.Session != c.Session }
	for u := range m.users {
		m.drop(u, foreign)
	}
	for id, sub := range m.subs {
		account := sub.session == "" && c.Session != "" && c.Line != 1
		if sub.mac == c.MAC && sub.session != c.Session && !others[sub.session] && !account {
			delete(m.subs, id)
		}
	}
	s.Ending = slices.DeleteFunc(s.Ending, func(e hotdesk.Ending) bool { return e.Line == c.Line })
	return true
}

func (m *model) expire() {
	for u := range m.users {
		m.drop(u, func(c location.Contact) bool { return c.Expires <= m.now })
	}
	for id, sub := range m.subs {
		if sub.expires <= m.now {
			delete(m.subs, id)
		}
	}
}

func (m *model) busy(mac string) int64 {
	last := int64(0)
	for _, end := range m.calls[mac] {
		if end > m.now {
			last = max(last, end)
		}
	}
	return last
}

func (m *model) reload(mac, trace string, session directory.SessionID, force bool) {
	r := modelReload{trace: trace, session: session, due: m.now, force: force}
	if busy := m.busy(mac); busy > 0 && !force {
		r.due, r.waiting = busy, true
	}
	m.open[mac] = r
}

func (m *model) hangUp(mac, call string, settle int64) {
	if _, up := m.calls[mac][call]; !up {
		return
	}
	delete(m.calls[mac], call)
	if m.busy(mac) > 0 {
		return
	}
	delete(m.calls, mac)
	r, ok := m.open[mac]
	switch {
	case !ok:
		return
	case r.waiting:
		r.due = m.now + settle
	case r.claimed:
		r.over = m.now + settle
	}
	m.open[mac] = r
}

func (m *model) saveReload(mac string, due int64) {
	r := m.open[mac]
	r.waiting = false
	if r.over > 0 && r.over < due {
		due = r.over
	} else if !r.force && due == m.busy(mac) {
		r.waiting = true
	}
	r.due, r.claimed, r.over = due, false, 0
	m.open[mac] = r
}
