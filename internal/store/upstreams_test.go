package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/sip/upstream/registration"
)

func account(number string) registration.Account {
	return registration.Account{Number: number, URI: "sip:pbx.test", Username: "u" + number, Password: directory.Kept{Value: "sealed:x"}}
}

// claimUpstreams takes what is due at a node; want is how many that must be.
func (o *office) claimUpstreams(s *Store, want int) []registration.Record {
	o.t.Helper()
	list, _, err := s.ClaimUpstreams(o.t.Context(), acme, o.now, time.Minute, 20*time.Second, 10)
	o.must(err)
	if len(list) != want {
		o.t.Fatalf("claimed %d, want %d: %+v", len(list), want, list)
	}
	return list
}

func (o *office) want(a registration.Account, changes bool) {
	o.t.Helper()
	changed, err := o.s.WantUpstream(o.t.Context(), acme, a, o.now)
	if o.must(err); changed != changes {
		o.t.Fatalf("changed is %t", changed)
	}
}

func TestUpstreamStory(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.want(account("1001"), true)
		o.want(account("1001"), false)
		r := o.claimUpstreams(s, 1)[0]
		if r.Number != "1001" || r.CSeq != 1 || r.CallID == "" || !r.Wanted || r.State != registration.Registering || r.Tenant != acme || r.Password.Value != "sealed:x" {
			t.Fatalf("%+v", r)
		}
		o.claimUpstreams(s, 0)
		// Node "test" holds it from now on.
		r.State, r.Node, r.Contacts = registration.Registered, "test", []registration.Contact{{URI: "sip:1001@192.0.2.1", Expires: 1_790_000_600_000}}
		o.news()
		o.must(s.SaveUpstream(t.Context(), r, o.now.Add(time.Minute), event.Event{Type: event.UpstreamRegistered, Tenant: acme, Number: "1001"}))
		if e := o.events(); len(e) != 1 || e[0].Type != event.UpstreamRegistered {
			t.Errorf("%+v", e)
		}
		if all, err := s.Upstreams(t.Context(), acme); err != nil || len(all) != 1 || all[0].State != registration.Registered || len(all[0].Contacts) != 1 {
			t.Errorf("%+v %v", all, err)
		}
		o.later(time.Minute)
		another := New(s.rdb, "other", s.log, nil)
		o.claimUpstreams(another, 0) // it is the first node's
		again := o.claimUpstreams(s, 1)[0]
		if again.CSeq <= r.CSeq+ClaimedCSeqs-1 {
			t.Errorf("CSeq %d after %d", again.CSeq, r.CSeq)
		}
		if err := s.SaveUpstream(t.Context(), r, o.now); !errors.Is(err, ErrSuperseded) {
			t.Error("an old claim writes:", err)
		}
		// The first node dies: another takes over, late.
		o.later(time.Minute + 21*time.Second)
		o.claimUpstreams(another, 1)
	})
}

// TestUpstreamChanges: what people do while a registration is under way stands.
func TestUpstreamChanges(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.want(account("1001"), true)
		r := o.claimUpstreams(s, 1)[0]
		id := directory.ExtensionID{Tenant: acme, Number: "1001"}
		if changed, err := s.UnwantUpstream(t.Context(), id, o.now); err != nil || !changed {
			t.Fatal(changed, err)
		}
		r.State, r.Contacts = registration.Registered, []registration.Contact{{URI: "sip:a", Expires: 9}}
		o.must(s.SaveUpstream(t.Context(), r, o.now.Add(time.Hour)))
		o.now = time.Now() // by which the save is dated
		r = o.claimUpstreams(s, 1)[0]
		if r.Wanted || r.State != registration.Unregistering || len(r.Contacts) != 1 {
			t.Fatalf("%+v", r)
		}
		r.Contacts = nil
		o.must(s.SaveUpstream(t.Context(), r, o.now))
		if all, _ := s.Upstreams(t.Context(), acme); len(all) != 0 {
			t.Errorf("%+v", all)
		}
		if changed, _ := s.UnwantUpstream(t.Context(), id, o.now); changed {
			t.Error("nothing to unwant")
		}
		// Another PBX: the old registration is undone first.
		o.want(account("1001"), true)
		b := account("1001")
		b.URI = "sip:other.test"
		o.want(b, true)
		if r = o.claimUpstreams(s, 1)[0]; r.Wanted || r.URI != "sip:pbx.test" {
			t.Errorf("%+v", r)
		}
		o.must(s.SaveUpstream(t.Context(), r, o.now))
		o.want(b, true)
		// Another password: at once, for the same record.
		b.Password.Value = "sealed:y"
		o.want(b, true)
		o.later(time.Minute)
		if r = o.claimUpstreams(s, 1)[0]; !r.Wanted || r.Password.Value != "sealed:y" || r.URI != "sip:other.test" {
			t.Errorf("%+v", r)
		}
	})
}

func TestLoggedIn(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		o.login("1001", desk(1))
		o.login("1002", desk(2))
		got, err := s.LoggedIn(t.Context(), acme)
		if slices.Sort(got); err != nil || !slices.Equal(got, []string{"1001", "1002"}) {
			t.Error(got, err)
		}
		for number, want := range map[string]bool{"1001": true, "1003": false} {
			if is, err := s.IsLoggedIn(t.Context(), directory.ExtensionID{Tenant: acme, Number: number}); err != nil || is != want {
				t.Error(number, is, err)
			}
		}
	})
}

func TestLease(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		another := New(s.rdb, "other", s.log, nil)
		for i, tc := range []struct {
			s    *Store
			want bool
		}{{s, true}, {another, false}, {s, true}, {another, false}} {
			if got, err := tc.s.Lease(t.Context(), "job", time.Minute); err != nil || got != tc.want {
				t.Errorf("%d: %t, %v", i, got, err)
			}
		}
	})
}
