package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/sip/location"
	"perch/sip/presence"
)

var background = context.Background()

// TestConformance holds both engines against the model: whatever is asked, in
// whatever order, state, indexes and events are the model's.
func TestConformance(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			m := newMachine(rt, s, directory.TenantCode(fmt.Sprintf("t%d", round)))
			defer m.forget()
			rt.Repeat(map[string]func(*rapid.T){
				"": m.check, "bind": m.bind, "again": m.again, "unbind": m.unbind, "register": m.register,
				"unregister": m.unregister, "stale": m.stale, "subscribe": m.subscribe, "unsubscribe": m.unsubscribe, "wait": m.wait,
				"expire": m.expire, "claim": m.claim, "save": m.save, "close": m.close, "call": m.call, "hangup": m.hangUp,
				"attempt": m.attempt,
			})
		})
	})
}

// machine drives a store and a model side by side.
type machine struct {
	s       *Store
	m       *model
	n       int
	last    *hotdesk.BindRequest
	outcome hotdesk.Outcome
	refusal error
	claimed map[string]reload.Intent
	tries   map[string]*tries
}

var (
	desks   = []directory.MAC{{0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 2}, {0, 0, 0, 0, 0, 3}}
	numbers = []string{"1001", "1002", "1003", "1004"}
	rules   = []string{directory.Move, directory.Deny, "?"}
	manners = []string{directory.Replace, directory.Deny, directory.Ask, "?"}
)

func newMachine(rt *rapid.T, s *Store, t directory.TenantCode) *machine {
	// An hour ahead of the clock by which SaveReload tells whether a call is still
	// up: a lease that is live for the model is live for it.
	m := &machine{s: s, m: newModel(t, time.Now().Add(time.Hour)), claimed: map[string]reload.Intent{}, tries: map[string]*tries{}}
	must(rt, s.rdb.SAdd(background, kAllTenants, string(t)).Err())
	for i, mac := range desks {
		d := directory.Device{ID: directory.DeviceID{Tenant: t, MAC: mac}, Brand: "snom"}
		if i < 2 {
			d.Owner = rapid.SampledFrom(append([]string{""}, numbers...)).Draw(rt, "owner")
		}
		m.m.owners[mac.String()] = d.Owner
		text, err := json.Marshal(d)
		must(rt, err)
		must(rt, s.rdb.HSet(background, key(t, kDevices), mac.String(), text).Err())
	}
	for _, n := range numbers {
		must(rt, s.rdb.HSet(background, key(t, kExtensions), n, "{}").Err())
	}
	m.furnish(rt)
	return m
}

// furnish draws the tenant's only desk: which seats are taken together.
func (m *machine) furnish(rt *rapid.T) {
	d := directory.Desk{ID: directory.DeskID{Tenant: m.m.tenant, Code: "d"}, Seats: rapid.SampledFrom([][]directory.DeskSeat{
		nil,
		{{MAC: desks[0], Line: 1}},
		{{MAC: desks[0], Line: 1}, {MAC: desks[1], Line: 1}},
		{{MAC: desks[1], Line: 1}, {MAC: desks[0], Line: 1}, {MAC: desks[0], Line: 2}},
		{{MAC: desks[2], Line: 2}, {MAC: desks[2], Line: 1}, {MAC: desks[1], Line: 2}},
	}).Draw(rt, "seats of the desk")}
	must(rt, m.s.putDesks(background, part{code: m.m.tenant, desks: []directory.Desk{d}}))
	must(rt, m.s.rdb.Del(background, key(m.m.tenant, kEvents)).Err())
	for _, s := range d.Seats {
		m.m.desk = append(m.m.desk, place{s.MAC.String(), s.Line})
	}
}

func (m *machine) forget() { m.s.rdb.SRem(background, kAllTenants, string(m.m.tenant)) }

func (m *machine) clock() time.Time { return time.UnixMilli(m.m.now) }

func (m *machine) id(mac directory.MAC) directory.DeviceID {
	return directory.DeviceID{Tenant: m.m.tenant, MAC: mac}
}

func (m *machine) name(what string) string {
	m.n++
	return fmt.Sprintf("%s%d", what, m.n)
}

func drawDesk(t *rapid.T) directory.MAC { return rapid.SampledFrom(desks).Draw(t, "desk") }

func (m *machine) bind(t *rapid.T) {
	r := hotdesk.BindRequest{
		ID: m.name("r"), Now: m.clock(), Device: m.id(drawDesk(t)), Force: rapid.Bool().Draw(t, "force"),
		Rules: hotdesk.Rules{
			MaxLogins: rapid.IntRange(1, 3).Draw(t, "max"), OnConflict: rapid.SampledFrom(rules).Draw(t, "conflict"),
			OnOccupied: rapid.SampledFrom(manners).Draw(t, "occupied"),
		},
		Binding: hotdesk.Binding{
			Number: rapid.SampledFrom(numbers).Draw(t, "number"), Line: rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(t, "line"),
			Session: directory.SessionID(m.name("session")), Trace: m.name("trace"), Since: m.m.now, Door: hotdesk.API,
		},
	}
	if rapid.IntRange(0, 4).Draw(t, "until") == 0 {
		r.Binding.Until = m.m.now + 60_000
	}
	out, err := m.s.Bind(background, r)
	why, already, ended := m.m.bind(r)
	m.last, m.outcome, m.refusal = &r, out, err
	m.sameRefusal(t, err, why)
	if why == "" && (out.Already != already || len(out.Ended) != ended || out.Trace != r.Binding.Trace || out.Binding.Number != r.Binding.Number) {
		t.Fatalf("outcome %+v, want already %v, ended %d", out, already, ended)
	}
}

func (m *machine) sameRefusal(t *rapid.T, err error, why hotdesk.Reason) {
	t.Helper()
	if why == "" {
		must(t, err)
		return
	}
	if r, ok := errors.AsType[*hotdesk.Refused](err); !ok || r.Why != why {
		t.Fatalf("got %v, want %s", err, why)
	}
}

// again sends the last request once more: the first answer, and no change.
func (m *machine) again(t *rapid.T) {
	if m.last == nil {
		t.Skip("nothing was asked yet")
	}
	r := *m.last
	r.Now = m.clock()
	out, err := m.s.Bind(background, r)
	if diff := cmp.Diff(m.outcome, out); diff != "" || fmt.Sprint(err) != fmt.Sprint(m.refusal) {
		t.Fatalf("another answer: %v, %v: %s", m.refusal, err, diff)
	}
}

func (m *machine) unbind(t *rapid.T) {
	mac := drawDesk(t)
	r := hotdesk.UnbindRequest{
		ID: m.name("r"), Now: m.clock(), Device: m.id(mac), Line: rapid.IntRange(1, 2).Draw(t, "line"),
		Number: rapid.SampledFrom(append([]string{"", "", ""}, numbers...)).Draw(t, "number"),
		Trace:  m.name("trace"), OwnerSession: directory.SessionID(m.name("session")),
	}
	_, err := m.s.Unbind(background, r)
	m.sameRefusal(t, err, m.m.unbind(mac.String(), r.Line, r.Number, r.OwnerSession))
}

// drawIdentity picks a credential that a device may try: its own, a bound
// session's or an ended one's.
func (m *machine) drawIdentity(t *rapid.T, mac directory.MAC) (user string, line int, session directory.SessionID) {
	s := m.m.at(mac.String())
	pick := rapid.IntRange(0, 1+len(s.Bindings)+len(s.Ending)).Draw(t, "credential")
	switch {
	case pick < len(s.Bindings):
		b := s.Bindings[pick]
		return b.Number, b.Line, b.Session
	case pick < len(s.Bindings)+len(s.Ending):
		e := s.Ending[pick-len(s.Bindings)]
		return e.Number, e.Line, e.Session
	}
	return mac.String(), rapid.IntRange(1, 2).Draw(t, "line"), ""
}

func (m *machine) register(t *rapid.T) {
	mac := drawDesk(t)
	user, line, session := m.drawIdentity(t, mac)
	c := location.Contact{
		URI: fmt.Sprintf("sip:%s-%d-%s", mac, line, session), MAC: mac.String(), Line: line, Session: session,
		Expires: m.m.now + rapid.Int64Range(1, 120).Draw(t, "expires")*1000, Flow: location.Flow{Transport: "udp"},
	}
	set, err := m.s.Contacts(background, m.m.tenant, user)
	must(t, err)
	commit := location.Commit{
		Tenant: m.m.tenant, User: user, Now: m.clock(), Device: m.id(mac), Session: session,
		Supersede: rapid.Bool().Draw(t, "supersede"), Set: set,
	}
	if i := slices.IndexFunc(set.Contacts, func(x location.Contact) bool { return x.URI == c.URI }); i >= 0 {
		commit.Set.Contacts[i], commit.Refreshed = c, []location.Contact{c}
	} else {
		commit.Set.Contacts, commit.Added = append(set.Contacts, c), []location.Contact{c}
	}
	if len(commit.Added) == 0 {
		commit.Supersede = false
	}
	err = m.s.CommitContacts(background, commit)
	if ok := m.m.register(user, c, commit.Supersede); ok == errors.Is(err, location.ErrSessionOver) || (ok && err != nil) {
		t.Fatalf("got %v, want ok %v", err, ok)
	}
}

// stale commits what was read before the last change: nothing may happen.
func (m *machine) stale(t *rapid.T) {
	user := rapid.SampledFrom(append([]string{desks[0].String(), desks[1].String()}, numbers...)).Draw(t, "user")
	set, err := m.s.Contacts(background, m.m.tenant, user)
	must(t, err)
	set.Rev--
	set.Contacts = append(set.Contacts, location.Contact{URI: "sip:stale", Expires: m.m.now + 1000})
	err = m.s.CommitContacts(background, location.Commit{Tenant: m.m.tenant, User: user, Set: set, Now: m.clock()})
	if !errors.Is(err, location.ErrConflict) {
		t.Fatalf("a stale commit: %v", err)
	}
}

func (m *machine) unregister(t *rapid.T) {
	user := rapid.SampledFrom(append([]string{desks[0].String(), desks[1].String()}, numbers...)).Draw(t, "user")
	set, err := m.s.Contacts(background, m.m.tenant, user)
	must(t, err)
	gone := set.Contacts
	set.Contacts = nil
	must(t, m.s.CommitContacts(background, location.Commit{Tenant: m.m.tenant, User: user, Set: set, Now: m.clock(), Removed: gone}))
	m.m.drop(user, func(location.Contact) bool { return true })
}

func (m *machine) subscribe(t *rapid.T) {
	mac := drawDesk(t)
	_, _, session := m.drawIdentity(t, mac)
	id := fmt.Sprintf("%s-%s-%d", mac, session, rapid.IntRange(1, 2).Draw(t, "key"))
	sub := presence.Subscription{
		ID: id, Tenant: m.m.tenant, Event: "dialog", Target: "1001", MAC: mac.String(), Session: session,
		Expires: m.m.now + rapid.Int64Range(1, 120).Draw(t, "expires")*1000, Dialog: json.RawMessage("{}"),
	}
	err := m.s.SaveSubscription(background, sub)
	if _, bound := m.m.at(mac.String()).Session(session); session != "" && !bound {
		if !errors.Is(err, location.ErrSessionOver) {
			t.Fatalf("got %v", err)
		}
		return
	}
	must(t, err)
	m.m.subs[id] = modelSub{mac.String(), session, sub.Expires}
}

func (m *machine) unsubscribe(t *rapid.T) {
	ids := slices.Sorted(maps.Keys(m.m.subs))
	if len(ids) == 0 {
		t.Skip("no subscription")
	}
	id := rapid.SampledFrom(ids).Draw(t, "id")
	must(t, m.s.EndSubscription(background, m.m.tenant, id, "unsubscribed"))
	delete(m.m.subs, id)
}

func (m *machine) wait(t *rapid.T) { m.m.now += rapid.Int64Range(0, 60_000).Draw(t, "ms") }

func (m *machine) expire(t *rapid.T) {
	_, _, err := m.s.Expire(background, m.clock(), 1000)
	must(t, err)
	m.m.expire()
}

func (m *machine) claim(t *rapid.T) {
	list, _, err := m.s.ClaimReloads(background, m.clock(), time.Minute, 100)
	must(t, err)
	var got, want []string
	for _, i := range list {
		got = append(got, i.MAC)
		m.claimed[i.MAC] = i
	}
	for mac, r := range m.m.open {
		if r.due <= m.m.now {
			want = append(want, mac)
			r.due, r.claimed, r.waiting, r.over = m.m.now+60_000, true, false, 0
			m.m.open[mac] = r
		}
	}
	same(t, "claimed", want, got)
}

// save puts a claimed reload off, as a worker does: until the calls are over,
// or for a while.
func (m *machine) save(t *rapid.T) {
	mac, i := m.drawClaimed(t)
	due := m.m.busy(mac)
	if due == 0 {
		due = m.m.now + 7777
	}
	err := m.s.SaveReload(background, i, time.UnixMilli(due))
	delete(m.claimed, mac)
	if m.superseded(t, mac, i, err) {
		return
	}
	m.m.saveReload(mac, due)
}

func (m *machine) close(t *rapid.T) {
	mac, i := m.drawClaimed(t)
	err := m.s.CloseReload(background, i)
	delete(m.claimed, mac)
	if !m.superseded(t, mac, i, err) {
		delete(m.m.open, mac)
	}
}

func (m *machine) drawClaimed(t *rapid.T) (string, reload.Intent) {
	if len(m.claimed) == 0 {
		t.Skip("nothing claimed")
	}
	mac := rapid.SampledFrom(slices.Sorted(maps.Keys(m.claimed))).Draw(t, "claimed")
	return mac, m.claimed[mac]
}

func (m *machine) superseded(t *rapid.T, mac string, i reload.Intent, err error) bool {
	t.Helper()
	over := m.m.open[mac].trace != i.Trace
	if over != errors.Is(err, reload.ErrSuperseded) || (!over && err != nil) {
		t.Fatalf("got %v, want superseded %v", err, over)
	}
	return over
}

func (m *machine) call(t *rapid.T) {
	mac, call := drawDesk(t), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "call")
	until := m.m.now + rapid.Int64Range(1, 100_000).Draw(t, "lease")
	must(t, m.s.StartDialog(background, m.id(mac), call, time.UnixMilli(until), m.clock()))
	if m.m.calls[mac.String()] == nil {
		m.m.calls[mac.String()] = map[string]int64{}
	}
	m.m.calls[mac.String()][call] = until
}

func (m *machine) hangUp(t *rapid.T) {
	mac, call := drawDesk(t), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "call")
	must(t, m.s.EndDialog(background, m.id(mac), call, m.clock(), 300*time.Millisecond))
	m.m.hangUp(mac.String(), call, 300)
}

// tries is the model of the lockout of one extension and source.
type tries struct {
	n         int
	at, until int64
}

func (m *machine) attempt(t *rapid.T) {
	number, source := rapid.SampledFrom(numbers[:2]).Draw(t, "number"), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source")
	e := directory.ExtensionID{Tenant: m.m.tenant, Number: number}
	k := m.tries[number+source]
	if k == nil || (k.until > 0 && k.until <= m.m.now) || (k.until == 0 && m.m.now-k.at >= lockFor.Milliseconds()) {
		k = &tries{}
		m.tries[number+source] = k
	}
	got, err := m.s.Begin(background, e, source, m.clock())
	must(t, err)
	locked := k.until > m.m.now
	if !locked {
		if k.n, k.at = k.n+1, m.m.now; k.n == lockAfter {
			k.until = m.m.now + lockFor.Milliseconds()
		}
	}
	if got.Failures != k.n || (got.LockedFor > 0) != locked {
		t.Fatalf("got %+v, want %+v", got, *k)
	}
	if !locked && rapid.IntRange(0, 9).Draw(t, "right") == 0 {
		must(t, m.s.Succeeded(background, e, source, m.clock()))
		delete(m.tries, number+source)
	}
}
