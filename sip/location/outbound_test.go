package location

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

// outbound marks an update as one for which reg-id counts.
func outbound(u Update) Update {
	u.Outbound = true
	return u
}

// flowContact is a contact of one flow of an instance.
func flowContact(host, instance string, regID int) string {
	return fmt.Sprintf(`<sip:a@%s>;+sip.instance="<urn:uuid:%s>";reg-id=%d`, host, instance, regID)
}

func TestOutbound(t *testing.T) {
	one, two := flowContact("192.0.2.1", "p", 1), flowContact("192.0.2.2", "p", 2)
	other := flowContact("192.0.2.3", "q", 1)
	plain := "<sip:a@192.0.2.9>"
	for _, tc := range []struct {
		name    string
		updates []Update
		want    []string
	}{
		{"RFC 5626 section 6: two flows of a device stay", []Update{outbound(device(1, "s", "x", 1, parse(t, one)...)), outbound(device(1, "s", "y", 1, parse(t, two)...))}, []string{"sip:a@192.0.2.1", "sip:a@192.0.2.2"}},
		{"RFC 5626 section 6: the same flow is replaced, whatever its URI", []Update{outbound(device(1, "s", "x", 1, parse(t, one)...)), outbound(device(1, "s", "y", 1, parse(t, flowContact("192.0.2.7", "p", 1))...))}, []string{"sip:a@192.0.2.7"}},
		{"another instance at the same device replaces", []Update{outbound(device(1, "s", "x", 1, parse(t, one)...)), outbound(device(1, "s", "y", 1, parse(t, other)...))}, []string{"sip:a@192.0.2.3"}},
		{"a contact without flow replaces the flows", []Update{outbound(device(1, "s", "x", 1, parse(t, one)...)), outbound(device(1, "s", "y", 1, parse(t, two)...)), device(1, "s", "z", 1, parse(t, plain)...)}, []string{"sip:a@192.0.2.9"}},
		{"another session replaces all flows", []Update{outbound(device(1, "s", "x", 1, parse(t, one)...)), outbound(device(1, "s2", "y", 1, parse(t, two)...))}, []string{"sip:a@192.0.2.2"}},
		{"RFC 5626 section 6: static, same instance and reg-id", []Update{outbound(static("x", 1, Absent, parse(t, one)...)), outbound(static("y", 1, Absent, parse(t, flowContact("192.0.2.8", "p", 1))...))}, []string{"sip:a@192.0.2.8"}},
		{"RFC 5626 section 6: without outbound reg-id is ignored", []Update{static("x", 1, Absent, parse(t, one)...), static("y", 1, Absent, parse(t, flowContact("192.0.2.8", "p", 1))...)}, []string{"sip:a@192.0.2.1", "sip:a@192.0.2.8"}},
		{"RFC 5626 section 6: without instance reg-id is ignored", []Update{outbound(static("x", 1, Absent, parse(t, "<sip:a@192.0.2.1>;reg-id=1")...)), outbound(static("y", 1, Absent, parse(t, "<sip:a@192.0.2.2>;reg-id=1")...))}, []string{"sip:a@192.0.2.1", "sip:a@192.0.2.2"}},
		{"one flow is removed by its reg-id", []Update{outbound(device(1, "s", "x", 1, parse(t, one)...)), outbound(device(1, "s", "y", 1, parse(t, two)...)), outbound(device(1, "s", "x", 2, parse(t, one+";expires=0")...))}, []string{"sip:a@192.0.2.2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, _ := run(t, tc.updates...)
			if got := uris(d.Contacts); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestRefusedContacts(t *testing.T) {
	for _, tc := range []struct {
		name string
		u    Update
		want error
	}{
		{"RFC 5626 section 6: two flows in one request", outbound(static("x", 1, Absent, parse(t, flowContact("192.0.2.1", "p", 1), flowContact("192.0.2.2", "p", 2))...)), ErrMalformed},
		{"one added and one removed", outbound(static("x", 1, Absent, parse(t, flowContact("192.0.2.1", "p", 1), flowContact("192.0.2.2", "p", 2)+";expires=0")...)), nil},
		{"RFC 5627 section 5.1: the AOR itself", static("x", 1, Absent, parse(t, "<sip:1001@ACME.test>")...), ErrLoop},
		{"RFC 5627 section 5.1: a GRUU of the AOR", static("x", 1, Absent, parse(t, "<sip:1001@acme.test;gr=urn:uuid:p>")...), ErrLoop},
		{"the AOR may be removed", static("x", 1, 0, parse(t, "<sip:1001@acme.test>")...), nil},
		{"the same user elsewhere", static("x", 1, Absent, parse(t, "<sip:1001@192.0.2.1>")...), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Register(Set{}, tc.u, DefaultRules(), start); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestFull(t *testing.T) {
	rules := DefaultRules()
	rules.MaxContacts = 2
	var set Set
	at := func(sec int) time.Time { return start.Add(time.Duration(sec) * time.Second) }
	do := func(rules Rules, sec int, u Update) error {
		d, err := Register(set, u, rules, at(sec))
		if err == nil {
			set = Set{Rev: set.Rev + 1, Contacts: d.Commit.Set.Contacts}
		}
		return err
	}
	for i, host := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"} { // the first is refreshed
		if err := do(rules, i, static("x", uint32(i+1), Absent, parse(t, "<sip:a@"+host+">")...)); err != nil {
			t.Fatal(err)
		}
	}
	third := static("y", 1, Absent, parse(t, "<sip:a@192.0.2.3>")...)
	if err := do(rules, 4, third); !errors.Is(err, ErrTooMany) {
		t.Errorf("refuse: %v", err)
	}
	if err := do(rules, 4, device(1, "s", "z", 1, parse(t, "<sip:d@192.0.2.4>")...)); err != nil {
		t.Errorf("a device is not kept out by softphones: %v", err)
	}
	rules.PushOut = true
	if err := do(rules, 5, third); err != nil {
		t.Fatal(err)
	}
	if got, want := uris(set.Contacts), []string{"sip:a@192.0.2.1", "sip:d@192.0.2.4", "sip:a@192.0.2.3"}; !slices.Equal(got, want) {
		t.Errorf("pushed out to %q, want %q", got, want)
	}
	// What a request adds does not push out what it has just added.
	if err := do(rules, 6, static("q", 1, Absent, parse(t, "<sip:a@192.0.2.5>", "<sip:a@192.0.2.6>", "<sip:a@192.0.2.7>")...)); !errors.Is(err, ErrTooMany) {
		t.Errorf("three where two may be: %v", err)
	}
}

func TestLoseAndRevive(t *testing.T) {
	stream := Flow{Node: "n", ID: "c1", Transport: "tcp", Remote: "192.0.2.1:4000", Local: "192.0.2.9:5060"}
	with := func(u Update, f Flow) Update { u.Flow = f; return u }
	_, set := run(
		t,
		with(outbound(static("x", 1, Absent, parse(t, flowContact("192.0.2.1", "p", 1))...)), stream),
		with(static("y", 1, Absent, parse(t, "<sip:b@192.0.2.1>")...), stream),
		with(static("z", 1, Absent, parse(t, "<sip:c@192.0.2.2>")...), Flow{Node: "n", Transport: "udp", Remote: "192.0.2.2:5060"}),
	)
	now := start.Add(time.Minute)
	c, ok := Lose(set, func(f Flow) bool { return f == stream }, now)
	if !ok || !slices.Equal(uris(c.Removed), []string{"sip:a@192.0.2.1"}) || !slices.Equal(uris(c.Lost), []string{"sip:b@192.0.2.1"}) ||
		!slices.Equal(uris(c.Set.Contacts), []string{"sip:b@192.0.2.1", "sip:c@192.0.2.2"}) || c.Gone != FlowLost || c.Set.Rev != set.Rev {
		t.Fatalf("%+v", c)
	}
	if l := c.Set.Contacts[0]; l.Lost != now.UnixMilli() || l.Expires != set.Contacts[1].Expires || l.Reachable(now) {
		t.Errorf("the lost one is %+v", l)
	}
	if _, again := Lose(c.Set, func(f Flow) bool { return f == stream }, now); again {
		t.Error("lost twice")
	}
	if got := uris(c.Set.Ranked(now)); !slices.Equal(got, []string{"sip:c@192.0.2.2"}) {
		t.Errorf("reachable are %q", got)
	}
	// It is still registered: a query lists it, a refresh brings it back.
	d, err := Register(c.Set, static("y", 2, Absent), DefaultRules(), now)
	if err != nil || len(d.Contacts) != 2 {
		t.Errorf("listed %+v, %v", d.Contacts, err)
	}
	next := stream
	next.ID = "c2"
	d, err = Register(c.Set, with(static("y", 3, Absent, parse(t, "<sip:b@192.0.2.1>")...), next), DefaultRules(), now)
	if err != nil || d.Commit.Set.Contacts[0].Lost != 0 || d.Commit.Set.Contacts[0].Flow != next {
		t.Errorf("refreshed to %+v, %v", d.Commit.Set, err)
	}
	back, ok := Revive(c.Set, func(c Contact) bool { return c.URI == "sip:b@192.0.2.1" }, next, now)
	if !ok || len(back.Revived) != 1 || !back.Set.Contacts[0].Reachable(now) || back.Set.Contacts[0].Flow != next || back.Set.Contacts[1].Flow == next {
		t.Errorf("revived %+v", back)
	}
	if _, ok := Revive(set, func(Contact) bool { return true }, next, now); ok {
		t.Error("what was not lost came back")
	}
}

func TestBehindNAT(t *testing.T) {
	for _, tc := range []struct {
		name, transport, remote, sentBy, contact string
		want                                     bool
	}{
		{"straight", "udp", "192.0.2.1:5060", "192.0.2.1", "sip:a@192.0.2.1", false},
		{"straight, other port", "udp", "192.0.2.1:5062", "192.0.2.1:5062", "sip:a@192.0.2.1:5062", false},
		{"RFC 3581 section 4: Via's host differs", "udp", "198.51.100.1:5060", "10.0.0.1:5060", "sip:a@198.51.100.1:5060", true},
		{"Via's port differs", "udp", "192.0.2.1:40000", "192.0.2.1:5060", "sip:a@192.0.2.1:40000", true},
		{"Contact differs", "udp", "198.51.100.1:5060", "198.51.100.1:5060", "sip:a@10.0.0.1", true},
		{"Contact's port differs", "udp", "192.0.2.1:40000", "192.0.2.1:40000", "sip:a@192.0.2.1", true},
		{"a stream's port is the phone's own", "tcp", "192.0.2.1:40000", "192.0.2.1:5060", "sip:a@192.0.2.1:5060", false},
		{"a stream's host differs", "tcp", "198.51.100.1:40000", "10.0.0.1", "sip:a@10.0.0.1", true},
		{"a name in the Via", "udp", "192.0.2.1:5060", "phone.lan", "sip:a@192.0.2.1", false},
		{"a browser", "wss", "192.0.2.1:40000", "x.invalid", "sip:a@x.invalid;transport=ws", true},
		{"IPv6", "udp", "[2001:db8::1]:5060", "[2001:DB8::1]:5060", "sip:a@[2001:db8:0::1]", false},
		{"IPv4 in IPv6", "udp", "[::ffff:192.0.2.1]:5060", "192.0.2.1", "sip:a@192.0.2.1", false},
		{"no source", "udp", "", "192.0.2.1", "sip:a@192.0.2.1", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u, err := ParseURI(tc.contact)
			if err != nil {
				t.Fatal(err)
			}
			if got := behindNAT(Flow{Transport: tc.transport, Remote: tc.remote}, tc.sentBy, u); got != tc.want {
				t.Errorf("behind NAT: %v", got)
			}
		})
	}
}

func TestGRUU(t *testing.T) {
	aor := directory.AOR{User: "1001", Domain: "acme.test"}
	for _, tc := range []struct {
		name     string
		aor      directory.AOR
		instance string
		want     string
	}{
		{"RFC 5627 section 3.1.1", aor, "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>", "sip:1001@acme.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		{"escaped", directory.AOR{User: "a%#", Domain: "acme.test"}, "<urn:x:a;b=c d>", "sip:a%25%23@acme.test;gr=urn:x:a%3Bb%3Dc%20d"},
		{"no URN", aor, "<something>", ""},
		{"none", aor, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := PublicGRUU(tc.aor, tc.instance)
			if got != tc.want {
				t.Fatalf("got %q, want %q", got, tc.want)
			}
			if got == "" {
				return
			}
			a, instance, ok := ParseGRUU(got)
			if !ok || a != tc.aor || instance != tc.instance {
				t.Errorf("read back %v %q %v", a, instance, ok)
			}
		})
	}
	for _, uri := range []string{"sip:1001@acme.test", "sip:1001@acme.test;gr", "sip:acme.test;gr=urn:uuid:x", "tel:1;gr=x", ""} {
		if _, _, ok := ParseGRUU(uri); ok {
			t.Errorf("%q is a GRUU", uri)
		}
	}
}

func TestGRUUResolves(t *testing.T) {
	_, set := run(
		t,
		outbound(static("x", 1, Absent, parse(t, flowContact("192.0.2.1", "p", 1))...)),
		outbound(static("y", 1, Absent, parse(t, flowContact("192.0.2.2", "p", 2))...)),
		outbound(static("z", 1, Absent, parse(t, flowContact("192.0.2.3", "q", 1))...)),
		static("w", 1, Absent, parse(t, "<sip:a@192.0.2.4>;q=0.5", "<sip:a@192.0.2.5>;q=0.7")...),
	)
	now := start.Add(time.Minute)
	if got := uris(set.OfInstance("<urn:uuid:P>", now)); !slices.Equal(got, []string{"sip:a@192.0.2.2", "sip:a@192.0.2.1"}) {
		t.Errorf("RFC 5626 section 7: the newest flow first, got %q", got)
	}
	if got := set.OfInstance("<urn:uuid:none>", now); got != nil {
		t.Errorf("nobody is %q", uris(got))
	}
	want := []string{"sip:a@192.0.2.3", "sip:a@192.0.2.2", "sip:a@192.0.2.1", "sip:a@192.0.2.5", "sip:a@192.0.2.4"}
	if got := uris(set.Ranked(now)); !slices.Equal(got, want) {
		t.Errorf("RFC 3261 section 16.6: by q, got %q", got)
	}
	if got := set.OfInstance("<urn:uuid:p>", start.Add(24*time.Hour)); got != nil {
		t.Errorf("after its time there is %q", uris(got))
	}
}

func TestParsePath(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fields []string
		want   []string
		ob     bool
	}{
		{"none", nil, nil, false},
		{"RFC 3327 section 4", []string{"<sip:p1.test;lr>"}, []string{"<sip:p1.test;lr>"}, false},
		{"several in one field", []string{"<sip:p2.test;lr>,<sip:p1.test;lr>", " <sip:p0.test;lr> "}, []string{"<sip:p2.test;lr>", "<sip:p1.test;lr>", "<sip:p0.test;lr>"}, false},
		{"a comma inside", []string{"<sip:a,b@p.test;lr>;x=\"1,2\""}, []string{"<sip:a,b@p.test;lr>;x=\"1,2\""}, false},
		{"a name", []string{"\"Edge, 1\" <sip:p.test;lr>"}, []string{"\"Edge, 1\" <sip:p.test;lr>"}, false},
		{"RFC 5626 section 5.1: ob", []string{"<sip:t@p.test;lr;ob>"}, []string{"<sip:t@p.test;lr;ob>"}, true},
		{"ob of the first hop", []string{"<sip:core.test;lr>", "<sip:t@p.test;lr;OB>"}, []string{"<sip:core.test;lr>", "<sip:t@p.test;lr;OB>"}, true},
		{"ob in the middle", []string{"<sip:a.test;lr>,<sip:b.test;lr;ob>,<sip:c.test;lr>"}, []string{"<sip:a.test;lr>", "<sip:b.test;lr;ob>", "<sip:c.test;lr>"}, false},
		{"ob of the header is not of the URI", []string{"<sip:p.test;lr>;ob"}, []string{"<sip:p.test;lr>;ob"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ob, err := ParsePath(tc.fields)
			if err != nil || !slices.Equal(got, tc.want) || ob != tc.ob {
				t.Errorf("got %q %v %v", got, ob, err)
			}
		})
	}
	for _, bad := range []string{"sip:p.test", "<sip:p.test", "<tel:1>", "<sip:p.test> x", "<>", "\"x", "<sip:a\x00b>", "<sip:" + string(make([]byte, 600)) + ">"} {
		if _, _, err := ParsePath([]string{bad}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, _, err := ParsePath(slices.Repeat([]string{"<sip:p>"}, 9)); !errors.Is(err, ErrMalformed) {
		t.Errorf("nine: %v", err)
	}
}

// FuzzParsePath: what is accepted can stand in a Route as it is.
func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"<sip:p1.test;lr>", "<sip:a>,<sip:b;ob>", "\"x\" <sip:p>;y=\"z\"", ",", "<sip:p?x=y>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		path, ob, err := ParsePath([]string{s})
		if err != nil {
			return
		}
		again, ob2, err := ParsePath(path)
		if err != nil || !slices.Equal(again, path) || ob != ob2 {
			t.Errorf("%q gave %q, then %q %v", s, path, again, err)
		}
		for _, p := range path {
			if hasControl(p) {
				t.Errorf("%q holds a control character", p)
			}
		}
	})
}

// FuzzParseGRUU: what is one names an AOR and an instance that make one again.
func FuzzParseGRUU(f *testing.F) {
	for _, s := range []string{"sip:1001@acme.test;gr=urn:uuid:p", "sip:a@b;gr=%20", "sip:a%zz@b;gr=urn:%", "sips:a@[::1];gr=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		aor, instance, ok := ParseGRUU(s)
		if !ok {
			return
		}
		made := PublicGRUU(aor, instance)
		if made == "" {
			return
		}
		again, same, ok := ParseGRUU(made)
		if !ok || again != aor || same != instance {
			t.Errorf("%q made %q, which is %v %q", s, made, again, same)
		}
	})
}
