package store

import (
	"encoding/json"
	"fmt"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"perch/hotdesk"
	"perch/internal/event"
)

// check compares everything, after every action.
func (m *machine) check(t *rapid.T) {
	watchers := []string{}
	for _, d := range desks {
		watchers = append(watchers, d.String())
	}
	d := readDump(t, m.s, m.m.tenant, watchers)
	d.agrees(t)
	d.replays(t, m.events(t))
	for mac := range m.m.owners {
		m.checkSeats(t, mac, d.Seats[mac])
		m.checkReload(t, mac, d)
	}
	for user, list := range m.m.users {
		want := map[string]int64{}
		for _, c := range list {
			want[c.URI] = c.Expires
		}
		got := map[string]int64{}
		for _, c := range d.Contacts[user].Contacts {
			got[c.URI] = c.Expires
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("contacts of %s: %s", user, diff)
		}
	}
	want, got := map[string]int64{}, map[string]int64{}
	for id, s := range m.m.subs {
		want[id] = s.expires
	}
	for id, s := range d.Subs {
		got[id] = s.Expires
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("subscriptions: %s", diff)
	}
}

// checkSeats compares one device, having adopted the session of an owner whom
// the store seated.
func (m *machine) checkSeats(t *rapid.T, mac string, got hotdesk.Seats) {
	t.Helper()
	want := m.m.at(mac)
	for i := range want.Bindings {
		w := &want.Bindings[i]
		g, ok := got.At(w.Line)
		if w.Session == "" && ok && len(g.Session) == 32 {
			w.Session = g.Session
			if r := m.m.open[mac]; r.session == "" {
				r.session = g.Session
				m.m.open[mac] = r
			}
		}
		if !ok || g.Session != w.Session || g.Number != w.Number || g.Since != w.Since || g.Until != w.Until || g.By != w.By || g.Desk != w.Desk {
			t.Fatalf("%s: want %+v, got %+v", mac, *w, g)
		}
	}
	if len(got.Bindings) != len(want.Bindings) || fmt.Sprint(want.Ending) != fmt.Sprint(got.Ending) {
		t.Fatalf("%s: want %+v, got %+v", mac, *want, got)
	}
}

func (m *machine) checkReload(t *rapid.T, mac string, d dump) {
	t.Helper()
	want, open := m.m.open[mac]
	got, is := d.Reloads[mac]
	if open && want.trace == "" {
		want.trace = got.Trace
		m.m.open[mac] = want
	}
	if open != is || (open && (want.trace != got.Trace || want.session != got.Session || want.due != d.Due[mac])) {
		t.Fatalf("reload of %s: want %v %+v, got %v %+v due %d", mac, open, want, is, got, d.Due[mac])
	}
}

func (m *machine) events(t *rapid.T) []event.Event {
	t.Helper()
	list, err := m.s.rdb.XRange(background, key(m.m.tenant, kEvents), "-", "+").Result()
	must(t, err)
	out := make([]event.Event, len(list))
	for i, x := range list {
		text, _ := x.Values["e"].(string)
		must(t, json.Unmarshal([]byte(text), &out[i]))
	}
	return out
}
