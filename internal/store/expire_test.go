package store

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
	"perch/sip/location"
)

func TestExpire(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		mac := desk(1).MAC.String()
		short, long := o.contact("sip:short", directory.DeviceID{}, ""), o.contact("sip:long", directory.DeviceID{}, "")
		short.MAC, long.MAC = "", ""
		short.Expires = o.now.Add(time.Minute).UnixMilli()
		o.must(s.CommitContacts(t.Context(), location.Commit{
			Tenant: acme, User: "1001", Set: location.Set{Contacts: []location.Contact{short, long}}, Now: o.now,
		}))
		brief := o.sub("s1", desk(1), "")
		brief.Expires = o.now.Add(2 * time.Minute).UnixMilli()
		o.must(s.SaveSubscription(t.Context(), brief))
		o.must(s.SaveSubscription(t.Context(), o.sub("s2", desk(1), "")))

		n, next, err := s.Expire(t.Context(), o.now, 100)
		if n != 0 || !next.Equal(o.now.Add(time.Minute)) || err != nil {
			t.Error(n, next, err)
		}
		o.later(time.Minute)
		n, next, err = s.Expire(t.Context(), o.now, 100)
		if n != 1 || !next.Equal(o.now.Add(time.Minute)) || err != nil || o.uris("1001") != "sip:long" {
			t.Error(n, next, err, o.uris("1001"))
		}
		o.later(time.Minute)
		n, next, err = s.Expire(t.Context(), o.now, 100)
		if n != 1 || !next.Equal(o.now.Add(58*time.Minute)) || err != nil {
			t.Error(n, next, err)
		}
		if diff := cmp.Diff([]string{"s2"}, o.subIDs(mac)); diff != "" {
			t.Error(diff)
		}
		o.later(time.Hour)
		if n, next, err = s.Expire(t.Context(), o.now, 100); n != 2 || !next.IsZero() || err != nil {
			t.Error(n, next, err)
		}
		if diff := cmp.Diff([]string{
			"contact.removed 1001 expired", "subscription.ended 001565000001 expired",
			"contact.removed 1001 expired", "subscription.ended 001565000001 expired",
		}, o.news()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestExpireIsBoundedAndRepeatable(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		var set location.Set
		for _, uri := range []string{"sip:a", "sip:b", "sip:c"} {
			o.must(s.SaveSubscription(t.Context(), o.sub(uri, desk(1), "")))
			c := o.contact(uri, desk(1), "")
			set.Contacts = append(slices.Clone(set.Contacts), c)
			o.must(s.CommitContacts(t.Context(), location.Commit{Tenant: acme, User: uri, Set: location.Set{Contacts: []location.Contact{c}}, Now: o.now}))
		}
		o.later(time.Hour)
		total := 0
		for range 4 {
			n, _, err := s.Expire(t.Context(), o.now, 2)
			o.must(err)
			if n > 4 {
				t.Error("more than the limit of each kind:", n)
			}
			total += n
		}
		if total != 6 || len(o.news()) != 6 {
			t.Error(total)
		}
	})
}

func TestExpireSparesTheRefreshed(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		sub := o.sub("s1", desk(1), "")
		o.must(s.SaveSubscription(t.Context(), sub))
		o.later(time.Hour)
		sub.Expires = o.now.Add(time.Hour).UnixMilli()
		o.must(s.SaveSubscription(t.Context(), sub))
		// Another node had listed it as over before the refresh.
		o.must(s.endSubscriptions(t.Context(), acme, o.now, []string{"s1"}, "expired", true))
		if len(o.subIDs(desk(1).MAC.String())) != 1 {
			t.Error("a refreshed subscription was ended")
		}
	})
}
