package proxy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/sip/location"
)

var (
	seal  = sealer{[]byte("0123456789abcdef")}
	legA  = leg{Flow: location.Flow{Node: "n", Transport: "udp", Remote: "192.0.2.1:5060", Local: "198.51.100.1:5060"}, Tenant: "acme", MAC: "001565aabb01"}
	legB  = leg{Flow: location.Flow{Node: "n", ID: "ABCDEFGHIJKLMNOP", Transport: "wss", Remote: "[2001:db8::1]:40000", Local: "[2001:db8::2]:443"}, Tenant: "acme", Number: "1005"}
	legUp = leg{Flow: location.Flow{Node: "n", ID: "Q", Transport: "tls", Remote: "203.0.113.9:5061", Local: "198.51.100.1:0"}, Tenant: "acme", Hop: true, Host: "pbx.test"}
)

func routeOf(t testing.TB, l leg, callID string) string {
	t.Helper()
	r, err := seal.route(l, callID, "edge.test:5060")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLegTokens(t *testing.T) {
	for _, l := range []leg{legA, legB, legUp, {}} {
		token, err := seal.seal(l, "call")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := seal.open(token, "call"); err != nil || got != l {
			t.Errorf("%+v came back as %+v, %v", l, got, err)
		}
		if _, err := seal.open(token, "call2"); err == nil {
			t.Error("good in another dialog")
		}
		if _, err := (sealer{[]byte("another")}).open(token, "call"); err == nil {
			t.Error("good under another key")
		}
		for i := range token {
			c := byte('A')
			if token[i] == c {
				c = 'B'
			}
			if _, err := seal.open(token[:i]+string(c)+token[i+1:], "call"); err == nil {
				t.Errorf("changed at %d, still good", i)
			}
		}
	}
	if _, err := seal.seal(leg{Number: "a\x00b"}, "c"); err == nil {
		t.Error("a NUL came through")
	}
	if _, err := seal.seal(leg{Host: strings.Repeat("x", 400)}, "c"); err == nil {
		t.Error("too long a leg came through")
	}
	if _, err := seal.route(legA, "c", ""); err == nil {
		t.Error("a route without an address")
	}
}

// RFC 3261 section 16.4 and 16.12.
func TestPath(t *testing.T) {
	a, b := routeOf(t, legA, "call"), routeOf(t, legB, "call")
	own := func(host string) bool { return isAddress(host) || host == "acme.test" }
	const target = "sip:1002@192.0.2.9:5062;ob"
	for _, tc := range []struct {
		name     string
		uri      string
		fields   []string
		from, to *leg
		target   string
		rest     []string
	}{
		{"no route", target, nil, nil, nil, target, nil},
		{"both of a dialog", target, []string{a, b}, &legA, &legB, target, nil},
		{"in one field", target, []string{a + ", " + b}, &legA, &legB, target, nil},
		{"the other way", target, []string{b, a}, &legB, &legA, target, nil},
		{"proxies further on", target, []string{a, b, "<sip:far.test;lr>", "<sip:farther.test>"}, &legA, &legB, target, []string{"<sip:far.test;lr>", "<sip:farther.test>"}},
		{"through a strict router", strings.Trim(a, "<>"), []string{b, "<" + target + ">"}, &legA, &legB, target, nil},
		{"an outbound proxy before them", target, []string{"<sip:acme.test;lr>", a, b}, &legA, &legB, target, nil},
		{"only an outbound proxy", target, []string{"<sip:acme.test;lr>", "<sip:198.51.100.1:5060;lr>"}, nil, nil, target, nil},
		{"elsewhere", target, []string{"<sip:198.51.100.1;lr>", "<sip:evil.test;lr>"}, nil, nil, target, []string{"<sip:evil.test;lr>"}},
		{"one of them", target, []string{a}, &legA, nil, target, nil},
		{"of another dialog", target, []string{routeOf(t, legA, "x"), routeOf(t, legB, "x")}, nil, nil, target, []string{routeOf(t, legA, "x"), routeOf(t, legB, "x")}},
		{"a third one", target, []string{a, b, a}, &legA, &legB, target, []string{a}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := seal.parsePath(tc.uri, tc.fields, "call", own)
			want := path{from: tc.from, to: tc.to, target: tc.target, rest: tc.rest}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(path{})); !ok || diff != "" {
				t.Errorf("%v\n%s", ok, diff)
			}
			if got.inside() != (tc.from != nil && tc.to != nil) {
				t.Error("inside", got.inside())
			}
		})
	}
	for _, bad := range [][]string{{"sip:no.brackets"}, {"<sip:a"}, {strings.Repeat("<sip:a;lr>,", 20)}, {"<tel:1>"}, {`"x <sip:a;lr>`}} {
		if _, ok := seal.parsePath(target, bad, "call", own); ok {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestNext(t *testing.T) {
	for _, tc := range []struct {
		name   string
		routes []string
		uri    string
		want   []string
	}{
		{"none", nil, "sip:t@h", nil},
		{"loose", []string{"<sip:a;lr>", "<sip:b>"}, "sip:t@h", []string{"<sip:a;lr>", "<sip:b>"}},
		{"strict", []string{"<sip:a>", "<sip:b;lr>"}, "sip:a", []string{"<sip:b;lr>", "<sip:t@h>"}},
	} {
		uri, got := next("sip:t@h", tc.routes)
		if diff := cmp.Diff(tc.want, got); uri != tc.uri || diff != "" {
			t.Errorf("%s: %s\n%s", tc.name, uri, diff)
		}
	}
}

func TestLoops(t *testing.T) {
	b := branch("0123456789abcdef")
	if !strings.HasPrefix(b, "z9hG4bKp0123456789abcdef-") || len(b) < 35 || b == branch("0123456789abcdef") {
		t.Error(b)
	}
	vias := []string{"SIP/2.0/UDP a;branch=z9hG4bKx", "SIP/2.0/TCP b;branch=" + b + ";rport"}
	if !loops(vias, "0123456789abcdef") || loops(vias, "0123456789abcdee") || loops(nil, "0123456789abcdef") {
		t.Error("loops")
	}
}

func FuzzPath(f *testing.F) {
	a, b := routeOf(f, legA, "call"), routeOf(f, legB, "call")
	f.Add("sip:1002@192.0.2.9", a, b, "call")
	f.Add(strings.Trim(a, "<>"), b, "<sip:t@h>", "call")
	f.Add("sip:x", a+","+b, `"q,<" <sip:h;lr>;p="<`, "call2")
	f.Fuzz(func(t *testing.T, uri, one, two, callID string) {
		got, ok := seal.parsePath(uri, []string{one, two}, callID, func(host string) bool { return host == "h" })
		if !ok {
			return
		}
		for _, l := range []*leg{got.from, got.to} {
			if l != nil && *l != legA && *l != legB {
				t.Fatalf("a leg that was never sealed: %+v", *l)
			}
		}
		if callID != "call" && got.from != nil {
			t.Fatalf("a leg of another dialog in %q", callID)
		}
		uri, values := next(got.target, got.rest)
		for _, v := range append(values, uri) {
			if strings.ContainsAny(v, "\r\n") && !strings.ContainsAny(uri, "\r\n") {
				t.Fatalf("%q", v)
			}
		}
	})
}

func FuzzBranch(f *testing.F) {
	f.Add("SIP/2.0/UDP a;branch=" + branch("0123456789abcdef"))
	f.Add("z9hG4bKp")
	f.Fuzz(func(t *testing.T, via string) {
		if loops([]string{via}, "fedcba9876543210") && !strings.Contains(via, "fedcba9876543210") {
			t.Fatal(via)
		}
	})
}

func BenchmarkPath(b *testing.B) {
	fields := []string{routeOf(b, legA, "call"), routeOf(b, legB, "call")}
	own := func(string) bool { return false }
	b.ReportAllocs()
	for b.Loop() {
		if p, ok := seal.parsePath("sip:1002@192.0.2.9", fields, "call", own); !ok || !p.inside() {
			b.Fatal(p)
		}
	}
}
