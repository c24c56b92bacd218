package sip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

func want(t *testing.T, r response, code int) {
	t.Helper()
	if r.code != code {
		t.Fatalf("want %d, got\n%s", code, r.text)
	}
}

func TestRegister(t *testing.T) {
	o := open(t)
	for _, tp := range []string{"udp", "tcp"} {
		t.Run(tp, func(t *testing.T) {
			mac := desk1.MAC.String()
			p := o.phone(tp, mac, mac, o.account(desk1))
			r := p.register("Expires: 300\r\n")
			want(t, r, 200)
			if got, local := r.get("Contact"), p.conn.LocalAddr().String(); got != fmt.Sprintf("<sip:%s@%s;transport=%s>;expires=300", mac, local, tp) {
				t.Errorf("Contact %q", got)
			}
			set, err := o.store.Contacts(t.Context(), "acme", mac)
			if err != nil || len(set.Contacts) != 1 {
				t.Fatal(set, err)
			}
			c := set.Contacts[0]
			if c.Flow.Remote != p.conn.LocalAddr().String() || c.Flow.Local != p.conn.RemoteAddr().String() || c.Flow.Transport != tp || c.MAC != mac || c.Flow.Node != "test" || (c.Flow.ID == "") != (tp == "udp") {
				t.Errorf("stored %+v", c)
			}
			want(t, p.register("Expires: 300\r\n"), 200) // the next count of the nonce
			want(t, p.register("Expires: 0\r\n"), 200)
			if set, _ := o.store.Contacts(t.Context(), "acme", mac); len(set.Contacts) != 0 {
				t.Errorf("still %+v", set)
			}
		})
	}
}

func TestSessionCredential(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	idle := o.phone("udp", mac, mac, o.account(desk1))
	want(t, idle.register(""), 200)
	password := o.login("1001", desk1)

	// The device account still works, also at a desk that is taken.
	want(t, idle.register(""), 200)

	p := o.phone("udp", "1001", mac, password)
	want(t, p.register(""), 200)
	if set, _ := o.store.Contacts(t.Context(), "acme", mac); len(set.Contacts) != 0 {
		t.Errorf("the device account's contact outlived the session's first REGISTER: %+v", set)
	}
	// A session may not register for another number, nor a device for a person.
	p.user = "1002"
	want(t, p.register(""), 403)
	idle.user = "1001"
	want(t, idle.register(""), 403)

	// After logout the password is refused with a challenge, never 403.
	_, err := o.store.Unbind(t.Context(), hotdesk.UnbindRequest{ID: "u", Now: time.Now(), Device: desk1, Line: 1, Trace: "t", Door: hotdesk.CLI})
	o.must(err)
	p.user = "1001"
	r := p.register("")
	want(t, r, 401)
	if strings.Contains(r.text, "stale") {
		t.Errorf("a wrong credential is not a stale nonce:\n%s", r.text)
	}
}

func TestStaticPassword(t *testing.T) {
	o := open(t)
	p := o.phone("tcp", "1001", "1001", "s3cret")
	p.contact = "Contact: <sip:1001@192.0.2.1>, \"A, \\\"B\\\"\" <sip:1001@192.0.2.2>;q=0.5,\r\n"
	r := p.register("Expires: 600\r\n")
	want(t, r, 200)
	if len(r.headers["contact"]) != 2 || !strings.HasPrefix(r.headers["contact"][1], "<sip:1001@192.0.2.2>;expires=600;q=0.5") {
		t.Errorf("contacts %q", r.headers["contact"])
	}
	p.contact = "X-None: 1\r\n"
	if r := p.register(""); len(r.headers["contact"]) != 2 { // a query
		t.Errorf("query gave\n%s", r.text)
	}
	p.contact = "m: *\r\n"
	want(t, p.register("Expires: 60\r\n"), 400)
	r = p.register("Expires: 0\r\n")
	want(t, r, 200)
	if len(r.headers["contact"]) != 0 {
		t.Errorf("after * there are %q", r.headers["contact"])
	}
	p.contact = "Contact: <sip:1001@192.0.2.1>;expires=5\r\n"
	r = p.register("")
	want(t, r, 423)
	if r.get("Min-Expires") != "60" {
		t.Errorf("no Min-Expires in\n%s", r.text)
	}
	want(t, p.register("Require: 100rel, path\r\n"), 420)
}

func TestNobodyIsToldApart(t *testing.T) {
	o := open(t)
	mac, foreign := desk1.MAC.String(), other.MAC.String()
	o.login("1001", desk2)
	var first string
	for _, tc := range []struct{ user, username, password string }{
		{mac, mac, "wrong"},
		{"001565aabbff", "001565aabbff", "wrong"},
		{foreign, foreign, o.account(other).Reveal()},
		{"1001", "1001", "wrong"},
		{"1002", "1002", "wrong"},
		{"7777", "7777", "wrong"},
		{"1001", strings.Repeat("x", 300), "wrong"},
	} {
		p := o.phone("udp", tc.user, tc.username, directory.Secret(tc.password))
		r := p.register("")
		want(t, r, 401)
		got := r.get("WWW-Authenticate")
		_, rest, _ := strings.Cut(got, "nonce=\"")
		_, rest, _ = strings.Cut(rest, "\"")
		if first == "" {
			first = rest
		}
		if rest != first || len(r.headers) != 8 {
			t.Errorf("%s answered differently:\n%s", tc.user, r.text)
		}
	}
}

func TestRealms(t *testing.T) {
	o := open(t)
	for _, tc := range []struct {
		user, domain string
		want         []string
	}{
		{"1001", "acme.test", []string{`Digest realm="acme.test",MD5`}},
		{"1001", "ACME.example", []string{`Digest realm="acme.test",MD5`}},
		{"1001", "globex.test", []string{`Digest realm="globex.test",SHA-256`, `Digest realm="globex.test",MD5`}},
		{desk2.MAC.String(), "acme.test", []string{`Digest realm="acme.test",SHA-256`}}, // the device's own
		{desk1.MAC.String(), "127.0.0.1", []string{`Digest realm="acme.test",MD5`}},
		{other.MAC.String(), "192.0.2.55", []string{`Digest realm="globex.test",SHA-256`, `Digest realm="globex.test",MD5`}},
		{"1001", "127.0.0.1", []string{`Digest realm="127.0.0.1",MD5`}}, // two tenants: opens nothing
		{"1001", "nowhere.test", []string{`Digest realm="nowhere.test",MD5`}},
	} {
		p := o.phone("udp", tc.user, tc.user, "x")
		p.domain = tc.domain
		r := p.send(p.message("REGISTER", ""))
		want(t, r, 401)
		var got []string
		for _, v := range r.headers["www-authenticate"] {
			realm, _, _ := strings.Cut(v, ", ")
			realm, _, _ = strings.Cut(realm, ",")
			_, alg, _ := strings.Cut(v, "algorithm=")
			alg, _, _ = strings.Cut(alg, ",")
			got = append(got, realm+","+alg)
		}
		if strings.Join(got, " ") != strings.Join(tc.want, " ") {
			t.Errorf("%s@%s: %q, want %q", tc.user, tc.domain, got, tc.want)
		}
	}
}

func TestReplay(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	p := o.phone("udp", mac, mac, o.account(desk1))
	p.challenged(p.send(p.message("REGISTER", "")))
	text := p.message("REGISTER", p.authorization("REGISTER"))
	first := p.send(text)
	want(t, first, 200)
	set, _ := o.store.Contacts(t.Context(), "acme", mac)

	// The same datagram again is a retransmission: the first answer, nothing written.
	again := p.send(text)
	if again.text != first.text {
		t.Errorf("got\n%s\nwant\n%s", again.text, first.text)
	}
	if now, _ := o.store.Contacts(t.Context(), "acme", mac); now.Rev != set.Rev {
		t.Error("a retransmission wrote")
	}
	// From elsewhere, with another branch, it is a replay.
	thief := o.phone("udp", mac, mac, "")
	r := thief.send(strings.Replace(text, "branch=z9hG4bK", "branch=z9hG4bKx", 1))
	want(t, r, 401)
	if !strings.Contains(r.get("WWW-Authenticate"), "stale=true") {
		t.Errorf("no stale in\n%s", r.text)
	}
}

func TestCountsInAnyOrder(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	p := o.phone("udp", mac, mac, o.account(desk1))
	p.challenged(p.send(p.message("REGISTER", "")))
	p.contact = "X-None: 1\r\n" // queries: their order does not matter
	p.nc = 60
	for range 60 {
		p.nc -= 2 // authorization counts up
		want(t, p.send(p.message("REGISTER", p.authorization("REGISTER"))), 200)
		if p.nc == 1 {
			break
		}
	}
}

func TestLockout(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	p := o.phone("udp", mac, mac, "wrong")
	for range 20 {
		p.challenged(p.register(""))
	}
	p.password = o.account(desk1)
	want(t, p.register(""), 401) // right, and not looked at
	// Another name from the same address is another matter.
	want(t, o.phone("udp", "1001", "1001", "s3cret").register(""), 200)
}

func TestDigestURI(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	for uri, code := range map[string]int{
		"sip:acme.test": 200, "sip:acme.test:5060;transport=udp": 200, "sip:127.0.0.1:5060": 200, "sip:ACME.example": 200,
		"sip:elsewhere.test": 400, "sip:someone@acme.test": 400, "nonsense": 400,
	} {
		p := o.phone("udp", mac, mac, o.account(desk1))
		p.challenged(p.send(p.message("REGISTER", "")))
		want(t, p.send(p.message("REGISTER", p.answerFor(uri))), code)
	}
}
