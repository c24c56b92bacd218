package proxy

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
	"perch/sip/calls"
	"perch/sip/location"
)

// RFC 3261 section 16.7 step 6.
func TestBest(t *testing.T) {
	for _, tc := range []struct {
		name  string
		codes []int
		want  int
	}{
		{"one", []int{486}, 486},
		{"6xx before all", []int{486, 603, 404}, 603},
		{"lowest class", []int{500, 486}, 486},
		{"4xx before 5xx", []int{503, 500, 408}, 408},
		{"busy before silence", []int{408, 486}, 486},
		{"busy before not here", []int{480, 486, 487}, 486},
		{"what helps before what does not", []int{486, 484}, 484},
		{"503 last of 5xx", []int{503, 502}, 502},
		{"the first of equals", []int{404, 486}, 404},
		{"a redirection last", []int{302, 500}, 500},
	} {
		best := 0
		for _, c := range tc.codes {
			if better(c, best) {
				best = c
			}
		}
		if best != tc.want {
			t.Errorf("%s: %v is %d", tc.name, tc.codes, best)
		}
	}
	for code, want := range map[int]int{486: 486, 302: 480, 401: 403, 407: 403, 430: 480, 503: 500, 502: 502, 603: 603, 408: 408} {
		if got := outward(code); got != want {
			t.Errorf("%d goes out as %d", code, got)
		}
		if why(code) == "" {
			t.Errorf("no word for %d", code)
		}
	}
}

func TestPrivacy(t *testing.T) {
	for value, want := range map[string]privacy{
		"":                 {},
		"none":             {},
		"id":               {id: true},
		"user; header":     {user: true, header: true},
		"ID;Critical":      {id: true, critical: true},
		"session;critical": {session: true, critical: true},
		"id;none":          {},
		"unknown":          {},
	} {
		if got := privacyOf([]string{value}); got != want {
			t.Errorf("%q: %+v", value, got)
		}
	}
	if !privacyOf([]string{"session;critical"}).beyond() || privacyOf([]string{"id;critical"}).beyond() {
		t.Error("beyond")
	}
	if got := quoted("a\"b\\c\r\nX: y"); got != `"a\"b\\c  X: y"` {
		t.Error(got)
	}
}

func contact(uri string, q int, session, mac string) location.Contact {
	return location.Contact{URI: uri, Q: q, Session: directory.SessionID(session), MAC: mac, Line: 1, Expires: 1 << 60, Updated: int64(len(uri))}
}

// TestPhones: who rings for an extension.
func TestPhones(t *testing.T) {
	now := time.UnixMilli(1000)
	seat := func(mac, session string, contacts ...location.Contact) seated {
		m, err := directory.ParseMAC(mac)
		if err != nil {
			t.Fatal(err)
		}
		return seated{seat: directory.Seat{Device: directory.DeviceID{Tenant: "acme", MAC: m}, Line: 1}, session: directory.SessionID(session), contacts: contacts}
	}
	const desk = "001565aabb01"
	gone := contact("sip:gone@h", 1000, "", "")
	gone.Expires = 1
	lost := contact("sip:lost@h", 1000, "", "")
	lost.Lost = 5
	one, two := contact("sip:flow@h", 1000, "", ""), contact("sip:flow22@h", 1000, "", "")
	one.Instance, one.RegID, two.Instance, two.RegID = "<urn:x:1>", 1, "<urn:x:1>", 2
	for _, tc := range []struct {
		name string
		in   phones
		want []string // each: URIs of one target; "+" when it follows; "P" when it is told who was called
	}{
		{"nobody", phones{}, nil},
		{"a softphone", phones{set: location.Set{Contacts: []location.Contact{contact("sip:a@h", 1000, "", "")}}}, []string{"sip:a@h"}},
		{"over or lost", phones{set: location.Set{Contacts: []location.Contact{gone, lost}}}, nil},
		{"registered where it sits", phones{set: location.Set{Contacts: []location.Contact{contact("sip:s@h", 1000, "s1", desk)}}, seats: []seated{seat(desk, "s1")}}, []string{"sip:s@h"}},
		{"a session that is over", phones{set: location.Set{Contacts: []location.Contact{contact("sip:old@h", 1000, "s0", desk)}}}, nil},
		{
			"moved, and not registered there yet",
			phones{
				set:   location.Set{Contacts: []location.Contact{contact("sip:old@h", 1000, "s0", "001565aabb02")}},
				seats: []seated{seat(desk, "s1", contact("sip:001565aabb01@h", 1000, "", desk))},
			},
			[]string{"P sip:001565aabb01@h"},
		},
		{
			"the desk has only what its last person left",
			phones{seats: []seated{seat(desk, "s1", contact("sip:1009@h", 1000, "s8", desk))}},
			[]string{"P sip:1009@h"},
		},
		{
			"its own account before that",
			phones{seats: []seated{seat(desk, "s1", contact("sip:1009000000@h", 1000, "s8", desk), contact("sip:a@h", 1000, "", desk))}},
			[]string{"P sip:a@h"},
		},
		{
			"by q",
			phones{set: location.Set{Contacts: []location.Contact{contact("sip:low@h", 300, "", ""), contact("sip:high@h", 900, "", ""), contact("sip:high2@h", 900, "", "")}}},
			[]string{"sip:high2@h", "sip:high@h", "+sip:low@h"},
		},
		{"two flows of one phone", phones{set: location.Set{Contacts: []location.Contact{one, two}}}, []string{"sip:flow22@h sip:flow@h"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, target := range tc.in.targets(calls.Party{Number: "1001", URI: "sip:1001@acme.test"}, now) {
				text := ""
				if target.follows {
					text = "+"
				}
				if target.called != "" {
					text += "P "
				}
				for i, c := range target.contacts {
					if i > 0 {
						text += " "
					}
					text += c.URI
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	many := phones{}
	for range 100 {
		many.set.Contacts = append(many.set.Contacts, contact("sip:a@h", 1000, "", ""))
	}
	if n := len(many.targets(calls.Party{}, now)); n != maxTargets {
		t.Errorf("%d branches", n)
	}
}

func TestClaims(t *testing.T) {
	for _, name := range []string{"p-asserted-identity", "remote-party-id", "identity"} {
		if !claims(name) {
			t.Error(name)
		}
	}
	if claims("subject") || !personal("subject") || slices.ContainsFunc([]string{"via", "from", "contact", "call-id"}, personal) {
		t.Error("personal")
	}
}

// TestListensAt: a Contact moves the way to an upstream to another port of the
// signed address, never to another address.
func TestListensAt(t *testing.T) {
	at := netip.MustParseAddr("192.0.2.9")
	for _, tc := range []struct {
		target, transport string
		port              uint16
		ok                bool
	}{
		{"sip:x@192.0.2.9:5070;transport=tcp", "tcp", 5070, true},
		{"sip:x@192.0.2.9", "tcp", 5060, true},
		{"sip:x@192.0.2.9", "tls", 5061, true},
		{"sip:x@192.0.2.8:5070", "tcp", 0, false},
		{"sip:x@pbx.test", "tcp", 0, false},
		{"tel:1", "tcp", 0, false},
	} {
		if port, ok := listensAt(tc.target, at, tc.transport); port != tc.port || ok != tc.ok {
			t.Errorf("%s by %s: %d, %v", tc.target, tc.transport, port, ok)
		}
	}
}
