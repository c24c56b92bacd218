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
		calls: map[string]map[string]int64{},
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

// bind gives the refusal, whether it was so already, and how many were ended.
func (m *model) bind(r hotdesk.BindRequest) (why hotdesk.Reason, already bool, ended int) {
	mac := r.Device.MAC.String()
	if _, known := m.owners[mac]; !known {
		return hotdesk.UnknownDevice, false, 0
	}
	var victims []seatOf
	if b, ok := m.at(mac).At(r.Binding.Line); ok {
		switch {
		case m.over(b):
		case b.Number == r.Binding.Number:
			m.reload(mac, r.Binding.Trace, b.Session, r.Force)
			return "", true, 0
		case b.By == "owner" || r.Rules.OnOccupied == directory.Replace:
		case r.Rules.OnOccupied == directory.Ask:
			return hotdesk.AskFirst, false, 0
		default:
			return hotdesk.DeskTaken, false, 0
		}
		victims = append(victims, seatOf{mac, b})
	}
	var live []seatOf
	for _, s := range m.where(r.Binding.Number) {
		switch {
		case s.mac == mac && s.b.Line == r.Binding.Line: // a victim already
		case m.over(s.b):
			victims = append(victims, s)
		default:
			live = append(live, s)
		}
	}
	for len(live) >= max(r.Rules.MaxLogins, 1) {
		if live[0].b.By != "owner" && r.Rules.OnConflict != directory.Move {
			return hotdesk.Elsewhere, false, 0
		}
		victims, live = append(victims, live[0]), live[1:]
	}
	left := m.end(victims, mac)
	m.at(mac).Bindings = append(m.at(mac).Bindings, r.Binding)
	m.reload(mac, r.Binding.Trace, r.Binding.Session, r.Force)
	for _, l := range left {
		m.leave(l.mac, l.b, "", false)
	}
	return "", false, len(victims)
}

// end ends bindings and gives the other devices concerned, once each.
func (m *model) end(victims []seatOf, here string) []seatOf {
	var left []seatOf
	for _, v := range victims {
		m.unseat(v)
		i := slices.IndexFunc(left, func(l seatOf) bool { return l.mac == v.mac })
		switch {
		case v.mac == here:
		case i < 0:
			left = append(left, v)
		case v.b.Line == 1:
			left[i] = v
		}
	}
	return left
}

func (m *model) unseat(v seatOf) {
	s := m.at(v.mac)
	s.Bindings = slices.DeleteFunc(s.Bindings, func(b hotdesk.Binding) bool { return b.Line == v.b.Line })
	s.Ending = append(s.Ending, hotdesk.Ending{Session: v.b.Session, Number: v.b.Number, Line: v.b.Line, Since: m.now})
	if len(s.Ending) <= 4 {
		return
	}
	i := max(slices.IndexFunc(s.Ending, func(e hotdesk.Ending) bool {
		return !slices.ContainsFunc(m.users[e.Number], func(c location.Contact) bool { return c.MAC == v.mac && c.Session == e.Session })
	}), 0)
	e := s.Ending[i]
	m.drop(e.Number, func(c location.Contact) bool { return c.MAC == v.mac && c.Session == e.Session })
	s.Ending = slices.Delete(s.Ending, i, i+1)
}

// leave lets the owner return, with a session to be adopted, and opens the
// reload.
func (m *model) leave(mac string, b hotdesk.Binding, session directory.SessionID, force bool) {
	owner := m.owners[mac]
	_, taken := m.at(mac).At(1)
	if owner == "" || b.Line != 1 || b.Number == owner || taken || len(m.where(owner)) > 0 {
		m.reload(mac, "", "", force)
		return
	}
	m.at(mac).Bindings = append(m.at(mac).Bindings, hotdesk.Binding{
		Session: session, Number: owner, Line: 1, Since: m.now, By: "owner",
	})
	m.reload(mac, "", session, force)
}

func (m *model) unbind(mac string, line int, number string, session directory.SessionID) hotdesk.Reason {
	b, ok := m.at(mac).At(line)
	if !ok || (number != "" && b.Number != number) {
		return hotdesk.NobodyHere
	}
	m.unseat(seatOf{mac, b})
	m.leave(mac, b, session, false)
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
