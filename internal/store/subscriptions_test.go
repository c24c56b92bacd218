package store

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/location"
	"perch/sip/presence"
)

// sub is a subscription of a desk's phone.
func (o *office) sub(id string, d directory.DeviceID, session directory.SessionID) presence.Subscription {
	return presence.Subscription{
		ID: id, Tenant: acme, Event: "dialog", Target: "1002", Entity: "sip:1002@acme.test", MAC: d.MAC.String(), Session: session,
		Expires: o.now.Add(time.Hour).UnixMilli(), Flow: location.Flow{Transport: "udp", Remote: "192.0.2.9:5060"},
		Dialog: json.RawMessage(`{"route":[],"none":null}`),
	}
}

func (o *office) subIDs(watcher string) []string {
	o.t.Helper()
	list, err := o.s.SubscriptionsOf(o.t.Context(), acme, watcher)
	o.must(err)
	var ids []string
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestSubscriptionKeepsWhatItWasGiven(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		b := o.login("1001", desk(1)).Binding
		sub := o.sub("s1", desk(1), b.Session)
		o.must(s.SaveSubscription(t.Context(), sub))
		o.news()
		for range 2 {
			o.must(s.Lit(t.Context(), sub))
		}
		if e := o.events(); len(e) != 1 || e[0].Target != "1002" || e[0].Session != b.Session || e[0].Trace != "t1" {
			t.Errorf("%+v", e)
		}
		// A refresh by somebody who had read it before it was lit.
		sub.Version = 1
		o.must(s.SaveSubscription(t.Context(), sub))
		got, err := s.Subscription(t.Context(), acme, "s1")
		o.must(err)
		sub.Lit = true
		if diff := cmp.Diff(sub, got); diff != "" {
			t.Error(diff)
		}
		n := 0
		for got, err := range s.Subscriptions(t.Context(), acme) {
			o.must(err)
			if n++; got.ID != "s1" {
				t.Error(got.ID)
			}
		}
		if n != 1 {
			t.Error(n)
		}
	})
}

func TestSubscriptionEnds(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		static := o.sub("s1", directory.DeviceID{}, "")
		static.MAC, static.Number = "", "1003"
		o.must(s.SaveSubscription(t.Context(), static))
		if diff := cmp.Diff([]string{"s1"}, o.subIDs("1003")); diff != "" {
			t.Error(diff)
		}
		for range 2 {
			o.must(s.EndSubscription(t.Context(), acme, "s1", "unsubscribed"))
		}
		if diff := cmp.Diff([]string{"subscription.ended 1003 unsubscribed"}, o.news()); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Subscription(t.Context(), acme, "s1"); !errors.Is(err, hotdesk.ErrNotFound) || len(o.subIDs("1003")) > 0 {
			t.Error(err)
		}
		o.must(s.Lit(t.Context(), static))
		if n := o.news(); len(n) > 0 {
			t.Error(n)
		}
	})
}

func TestSubscriptionOfEndedSession(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		b := o.login("1001", desk(1)).Binding
		_, err := o.logout(desk(1))
		o.must(err)
		if err := s.SaveSubscription(t.Context(), o.sub("s1", desk(1), b.Session)); !errors.Is(err, location.ErrSessionOver) {
			t.Error(err)
		}
	})
}

func TestSupersedeEndsSubscriptions(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		mac := desk(1).MAC.String()
		o.must(s.SaveSubscription(t.Context(), o.sub("idle", desk(1), "")))
		first := o.login("1001", desk(1)).Binding
		o.must(s.SaveSubscription(t.Context(), o.sub("first", desk(1), first.Session)))
		r := o.request("1003", desk(1))
		r.Binding.Line = 2
		two, err := s.Bind(t.Context(), r)
		o.must(err)
		o.must(s.SaveSubscription(t.Context(), o.sub("two", desk(1), two.Binding.Session)))
		o.must(o.register("1001", o.contact("sip:a", desk(1), first.Session), desk(1)))
		if diff := cmp.Diff([]string{"first", "two"}, o.subIDs(mac)); diff != "" {
			t.Error(diff)
		}
		second := o.login("1002", desk(1)).Binding
		o.must(s.SaveSubscription(t.Context(), o.sub("second", desk(1), second.Session)))
		o.must(o.register("1002", o.contact("sip:b", desk(1), second.Session), desk(1)))
		if diff := cmp.Diff([]string{"second", "two"}, o.subIDs(mac)); diff != "" {
			t.Error(diff)
		}
		o.must(s.SaveSubscription(t.Context(), o.sub("idle2", desk(1), "")))
		o.must(o.register(mac, o.contact("sip:idle", desk(1), ""), desk(1)))
		if diff := cmp.Diff([]string{"idle2", "two"}, o.subIDs(mac)); diff != "" {
			t.Error(diff)
		}
		if n, err := s.rdb.ZCard(t.Context(), key(acme, kSubExpiry)).Result(); n != 2 || err != nil {
			t.Error(n, err)
		}
	})
}
