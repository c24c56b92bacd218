package store

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/location"
)

func TestCommitContactsRoundTrip(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		c := o.contact("sip:1001@192.0.2.9;x=\"a/b\\é\"", directory.DeviceID{}, "")
		c.MAC, c.Path, c.CSeq = "", []string{"<sip:edge;lr>"}, 4294967295
		want := location.Set{Contacts: []location.Contact{c}}
		commit := location.Commit{Tenant: acme, User: "1001", Set: want, Now: o.now, Added: want.Contacts}
		o.must(s.CommitContacts(t.Context(), commit))
		got, err := s.Contacts(t.Context(), acme, "1001")
		o.must(err)
		want.Rev = got.Rev
		if diff := cmp.Diff(want, got); diff != "" || got.Rev == 0 {
			t.Error(got.Rev, diff)
		}
		if diff := cmp.Diff([]string{"contact.added 1001"}, o.news()); diff != "" {
			t.Error(diff)
		}
		// Sent again after a lost answer, it finds its own work.
		o.must(s.CommitContacts(t.Context(), commit))
		if n := o.news(); len(n) > 0 {
			t.Error(n)
		}
		got.Contacts = nil
		o.must(s.CommitContacts(t.Context(), location.Commit{Tenant: acme, User: "1001", Set: got, Now: o.now, Removed: want.Contacts}))
		if n, err := s.rdb.ZCard(t.Context(), key(acme, kContactExpiry)).Result(); n != 0 || err != nil {
			t.Error("expiry index", n, err)
		}
		if diff := cmp.Diff([]string{"contact.removed 1001 unregistered"}, o.news()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCommitContactsConflict(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		old, err := s.Contacts(t.Context(), acme, "1001")
		o.must(err)
		o.must(o.register("1001", o.contact("sip:a", directory.DeviceID{}, ""), directory.DeviceID{}))
		old.Contacts = []location.Contact{o.contact("sip:b", directory.DeviceID{}, "")}
		err = s.CommitContacts(t.Context(), location.Commit{Tenant: acme, User: "1001", Set: old, Now: o.now})
		if !errors.Is(err, location.ErrConflict) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCommitContactsOfEndedSession(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		b := o.login("1001", desk(1)).Binding
		o.login("1002", desk(1))
		for _, session := range []directory.SessionID{b.Session, "ffffffffffffffffffffffffffffffff"} {
			if err := o.register("1001", o.contact("sip:a", desk(1), session), desk(1)); !errors.Is(err, location.ErrSessionOver) {
				t.Errorf("got %v", err)
			}
		}
		// The session is bound, but elsewhere.
		b = o.login("1001", desk(2)).Binding
		if err := o.register("1001", o.contact("sip:a", desk(1), b.Session), desk(1)); !errors.Is(err, location.ErrSessionOver) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSupersede(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		mac := desk(1).MAC.String()
		o.must(o.register(mac, o.contact("sip:idle", desk(1), ""), desk(1)))
		o.must(o.register("1001", o.contact("sip:soft", directory.DeviceID{}, ""), directory.DeviceID{}))
		first := o.login("1001", desk(1)).Binding
		o.news()
		// The session's first REGISTER: the device account goes, the softphone stays.
		o.must(o.register("1001", o.contact("sip:a", desk(1), first.Session), desk(1)))
		if o.uris(mac) != "" || o.uris("1001") != "sip:soft sip:a" {
			t.Errorf("%q %q", o.uris(mac), o.uris("1001"))
		}
		if diff := cmp.Diff([]string{"contact.added 1001 " + mac, "contact.removed " + mac + " superseded"}, o.news()); diff != "" {
			t.Error(diff)
		}
		// The same number again after a logout: a new session, its old contact goes.
		_, err := o.logout(desk(1))
		o.must(err)
		second := o.login("1001", desk(1)).Binding
		o.must(o.register("1001", o.contact("sip:b", desk(1), second.Session), desk(1)))
		if o.uris("1001") != "sip:soft sip:b" || len(o.seats(desk(1)).Ending) != 0 {
			t.Errorf("%q %+v", o.uris("1001"), o.seats(desk(1)))
		}
		// Somebody else.
		third := o.login("1002", desk(1)).Binding
		o.must(o.register("1002", o.contact("sip:c", desk(1), third.Session), desk(1)))
		if o.uris("1001") != "sip:soft" || o.uris("1002") != "sip:c" {
			t.Errorf("%q %q", o.uris("1001"), o.uris("1002"))
		}
		// Back to the device account, the session still bound or not.
		o.must(o.register(mac, o.contact("sip:idle", desk(1), ""), desk(1)))
		if o.uris("1002") != "" || o.uris(mac) != "sip:idle" {
			t.Errorf("%q %q", o.uris("1002"), o.uris(mac))
		}
	})
}

func TestSupersedeLeavesOtherLines(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		one := o.login("1001", desk(1)).Binding
		r := o.request("1002", desk(1))
		r.Binding.Line = 2
		two, err := s.Bind(t.Context(), r)
		o.must(err)
		c := o.contact("sip:two", desk(1), two.Binding.Session)
		c.Line = 2
		o.must(o.register("1002", c, desk(1)))
		o.must(o.register("1001", o.contact("sip:one", desk(1), one.Session), desk(1)))
		o.must(o.register(desk(1).MAC.String(), o.contact("sip:idle", desk(1), ""), desk(1)))
		if o.uris("1001") != "" || o.uris("1002") != "sip:two" {
			t.Errorf("%q %q", o.uris("1001"), o.uris("1002"))
		}
	})
}

func TestContactRefreshIsNewsOnlyDuringAReload(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		mac := desk(1).MAC.String()
		c := o.contact("sip:idle", desk(1), "")
		o.must(o.register(mac, c, desk(1)))
		refresh := func() {
			t.Helper()
			set, err := s.Contacts(t.Context(), acme, mac)
			o.must(err)
			set.Contacts[0].CSeq++
			o.must(s.CommitContacts(t.Context(), location.Commit{
				Tenant: acme, User: mac, Set: set, Now: o.now, Device: desk(1), Refreshed: set.Contacts,
			}))
		}
		o.news()
		refresh()
		if n := o.news(); len(n) > 0 {
			t.Error(n)
		}
		o.login("1001", desk(1))
		o.news()
		refresh()
		if e := o.events(); len(e) != 1 || e[0].Type != "contact.refreshed" || e[0].Trace != "t1" || e[0].Target != mac {
			t.Errorf("%+v", e)
		}
	})
}

func TestDeviceContacts(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		b := o.login("1001", desk(1)).Binding
		o.must(o.register("1001", o.contact("sip:a", desk(1), b.Session), desk(1)))
		o.must(o.register("1001", o.contact("sip:soft", directory.DeviceID{}, ""), directory.DeviceID{}))
		o.login("1002", desk(1))
		list, err := s.DeviceContacts(t.Context(), desk(1), o.seats(desk(1)))
		o.must(err)
		if len(list) != 1 || list[0].URI != "sip:a" {
			t.Errorf("%+v", list)
		}
		n := 0
		o.must(s.EachContact(t.Context(), acme, func(user string, _ location.Contact) error {
			n++
			if user != "1001" {
				t.Error(user)
			}
			return nil
		}))
		if n != 2 {
			t.Error(n)
		}
		if list, err := s.DeviceContacts(t.Context(), desk(2), hotdesk.Seats{}); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
	})
}

// TestLostFlow: a flow that goes frees the outbound contacts and marks the
// others, which come back with the flow by which their device is heard.
func TestLostFlow(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		gone := location.Flow{Node: "n1", ID: "c1", Transport: "tcp", Remote: "192.0.2.1:4000", Local: "192.0.2.9:5060"}
		mac := desk(1).MAC.String()
		b := o.login("1001", desk(1)).Binding
		kept := o.contact("sip:desk", desk(1), b.Session)
		kept.Flow, kept.NAT = gone, true
		o.must(o.register("1001", kept, desk(1)))
		freed := o.contact("sip:soft", directory.DeviceID{}, "")
		freed.MAC, freed.Flow, freed.Instance, freed.RegID = "", gone, "<urn:uuid:p>", 1
		o.must(o.register("1001", freed, directory.DeviceID{}))
		o.news()
		set, err := s.Contacts(t.Context(), acme, "1001")
		o.must(err)
		c, ok := location.Lose(set, func(f location.Flow) bool { return f == gone }, o.now)
		if !ok {
			t.Fatal("nothing was lost")
		}
		c.Tenant, c.User = acme, "1001"
		o.must(s.CommitContacts(t.Context(), c))
		if diff := cmp.Diff([]string{"contact.removed 1001 flow-lost", "contact.lost 1001 " + mac + " flow-lost"}, o.news()); diff != "" {
			t.Error(diff)
		}
		list, err := s.DeviceContacts(t.Context(), desk(1), o.seats(desk(1)))
		if err != nil || len(list) != 1 || list[0].Lost != o.now.UnixMilli() || list[0].Reachable(o.now) || o.uris("1001") != "sip:desk" {
			t.Errorf("kept %+v, %v", list, err)
		}
		set, err = s.Contacts(t.Context(), acme, "1001")
		o.must(err)
		next := gone
		next.ID = "c2"
		if c, ok = location.Revive(set, func(location.Contact) bool { return true }, next, o.now); !ok {
			t.Fatal("nothing came back")
		}
		c.Tenant, c.User = acme, "1001"
		o.must(s.CommitContacts(t.Context(), c))
		if diff := cmp.Diff([]string{"contact.revived 1001 " + mac}, o.news()); diff != "" {
			t.Error(diff)
		}
		set, err = s.Contacts(t.Context(), acme, "1001")
		kept.Flow = next
		if diff := cmp.Diff([]location.Contact{kept}, set.Contacts); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}
