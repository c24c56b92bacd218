package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/hotdesk/trace"
	"perch/internal/event"
	"perch/sip/location"
)

// office is a tenant with three desks and three people, and a clock.
type office struct {
	t   testing.TB
	s   *Store
	now time.Time
	n   int
}

const acme = directory.TenantCode("acme")

var people = []string{"1001", "1002", "1003"}

func desk(n int) directory.DeviceID {
	return directory.DeviceID{Tenant: acme, MAC: directory.MAC{0, 0x15, 0x65, 0, 0, byte(n)}}
}

func newOffice(t testing.TB, s *Store) *office {
	t.Helper()
	o := &office{t: t, s: s, now: time.UnixMilli(1_790_000_000_000)}
	for n := 1; n <= 3; n++ {
		o.device(directory.Device{ID: desk(n), Brand: "yealink"})
	}
	for _, number := range people {
		o.put(kExtensions, number, directory.Extension{ID: directory.ExtensionID{Tenant: acme, Number: number}})
	}
	o.must(s.rdb.SAdd(t.Context(), kAllTenants, string(acme)).Err())
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) put(name, field string, v any) {
	o.t.Helper()
	text, err := json.Marshal(v)
	o.must(err)
	o.must(o.s.rdb.HSet(o.t.Context(), key(acme, name), field, text).Err())
}

func (o *office) device(d directory.Device) { o.put(kDevices, d.ID.MAC.String(), d) }

func (o *office) later(d time.Duration) { o.now = o.now.Add(d) }

var move = hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Move, OnOccupied: directory.Replace}

// request is a login of number at a desk, with ids of its own.
func (o *office) request(number string, at directory.DeviceID) hotdesk.BindRequest {
	o.n++
	return hotdesk.BindRequest{
		ID: fmt.Sprintf("r%d", o.n), Now: o.now, Device: at, Rules: move,
		Binding: hotdesk.Binding{
			Number: number, Line: 1, Session: directory.SessionID(fmt.Sprintf("%032x", o.n)), Door: hotdesk.FeatureCode,
			Since: o.now.UnixMilli() - 40, Trace: fmt.Sprintf("t%d", o.n),
		},
	}
}

// login commits a login that must succeed.
func (o *office) login(number string, at directory.DeviceID) hotdesk.Outcome {
	o.t.Helper()
	out, err := o.s.Bind(o.t.Context(), o.request(number, at))
	o.must(err)
	return out
}

func (o *office) logout(at directory.DeviceID) (hotdesk.Outcome, error) {
	o.n++
	return o.s.Unbind(o.t.Context(), hotdesk.UnbindRequest{
		ID: fmt.Sprintf("r%d", o.n), Now: o.now, Device: at, Line: 1, Trace: fmt.Sprintf("t%d", o.n), Door: hotdesk.FeatureCode,
	})
}

func (o *office) refused(err error, why hotdesk.Reason) *hotdesk.Refused {
	o.t.Helper()
	r, ok := errors.AsType[*hotdesk.Refused](err)
	if !ok || r.Why != why {
		o.t.Fatalf("got %v, want a refusal: %s", err, why)
	}
	return r
}

func (o *office) seats(d directory.DeviceID) hotdesk.Seats {
	o.t.Helper()
	v, err := o.s.Seats(o.t.Context(), d)
	o.must(err)
	return v
}

func (o *office) trace(d directory.DeviceID) (v trace.Trace) {
	o.t.Helper()
	_, err := o.s.field(o.t.Context(), "trace", key(acme, kTraces), d.MAC.String(), &v)
	o.must(err)
	return v
}

func (o *office) intent(d directory.DeviceID) (v reload.Intent, open bool) {
	o.t.Helper()
	open, err := o.s.field(o.t.Context(), "reload", key(acme, kReloads), d.MAC.String(), &v)
	o.must(err)
	return v, open
}

// due gives when the reload of a device is due, in ms from now; -1 for never.
func (o *office) due(d directory.DeviceID) int64 {
	o.t.Helper()
	list, err := o.s.rdb.ZRangeWithScores(o.t.Context(), key(acme, kReloadDue), 0, -1).Result()
	o.must(err)
	for _, z := range list {
		if z.Member == d.MAC.String() {
			return int64(z.Score) - o.now.UnixMilli()
		}
	}
	return -1
}

// news gives the events since the last call, as "type who where reason".
func (o *office) news() []string {
	o.t.Helper()
	var out []string
	for _, e := range o.events() {
		line := string(e.Type)
		for _, s := range []string{e.Number, e.MAC, e.Reason} {
			if s != "" {
				line += " " + s
			}
		}
		out = append(out, line)
	}
	return out
}

// events takes the events since the last call.
func (o *office) events() []event.Event {
	o.t.Helper()
	var out []event.Event
	list, err := o.s.rdb.XRange(o.t.Context(), key(acme, kEvents), "-", "+").Result()
	o.must(err)
	for _, m := range list {
		var e event.Event
		o.must(json.Unmarshal([]byte(m.Values["e"].(string)), &e))
		out = append(out, e)
		o.must(o.s.rdb.XDel(o.t.Context(), key(acme, kEvents), m.ID).Err())
	}
	return out
}

// contact is a contact of a device, under a session or its own account.
func (o *office) contact(uri string, d directory.DeviceID, session directory.SessionID) location.Contact {
	return location.Contact{
		URI: uri, CallID: "c@" + d.MAC.String(), CSeq: 1, Expires: o.now.Add(time.Hour).UnixMilli(), Granted: 3600,
		MAC: d.MAC.String(), Session: session, Since: o.now.UnixMilli(), Updated: o.now.UnixMilli(),
		Flow: location.Flow{Transport: "udp", Remote: "192.0.2.9:5060", Local: "192.0.2.1:5060"},
	}
}

// register commits one added contact, superseding, on what is stored now.
func (o *office) register(user string, c location.Contact, d directory.DeviceID) error {
	o.t.Helper()
	set, err := o.s.Contacts(o.t.Context(), acme, user)
	o.must(err)
	set.Contacts = slices.DeleteFunc(set.Contacts, func(x location.Contact) bool { return x.URI == c.URI })
	set.Contacts = append(set.Contacts, c)
	return o.s.CommitContacts(o.t.Context(), location.Commit{
		Tenant: acme, User: user, Set: set, Now: o.now, Device: d, Session: c.Session, Added: []location.Contact{c}, Supersede: true,
	})
}

func (o *office) uris(user string) string {
	o.t.Helper()
	set, err := o.s.Contacts(o.t.Context(), acme, user)
	o.must(err)
	var out []string
	for _, c := range set.Contacts {
		out = append(out, c.URI)
	}
	return strings.Join(out, " ")
}
