package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCallForged: nobody calls in another's name, past the server, or into
// another tenant.
func TestCallForged(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002")

	// what a phone says about itself goes; what is not for the server stays
	call := a.callsWith(ask{
		method: "INVITE", uri: "sip:2002@acme.test", callID: "forged-1", from: `"The Boss" <sip:2001@acme.test>;tag=x`, body: "v=0\r\n",
		headers: []string{
			"P-Asserted-Identity: <sip:2003@acme.test>", "p-asserted-identity: <tel:+49110>", "Remote-Party-ID: <sip:2003@acme.test>;party=calling",
			"P-Preferred-Identity: <sip:2003@acme.test>", "P-Called-Party-ID: <sip:2003@acme.test>", "Identity: x", "Diversion: <sip:2003@acme.test>",
			"proxy-authorization: Digest username=\"u\", realm=\"acme.test\", nonce=\"n\", uri=\"sip:x\", response=\"r\"", "X-Other: kept",
			"Record-Route: <sip:evil.test;lr>",
		},
	})
	ring := b.asked("INVITE")
	for _, name := range []string{"Remote-Party-ID", "P-Preferred-Identity", "P-Called-Party-ID", "Identity", "Diversion", "Proxy-Authorization", "Authorization"} {
		if ring.get(name) != "" {
			t.Errorf("%s went on: %s", name, ring.get(name))
		}
	}
	if got := ring.all("P-Asserted-Identity"); len(got) != 1 || got[0] != `"Person 2001" <sip:2001@acme.test>` || ring.get("X-Other") != "kept" {
		t.Errorf("went on as\n%s", ring)
	}
	b.respond(ring, 486, "Busy Here", "b", "P-Asserted-Identity: <sip:2003@acme.test>")
	if res := a.final(call.key("INVITE")); res.status() != 486 || res.get("P-Asserted-Identity") != "" {
		t.Error(res)
	}

	for name, tc := range map[string]struct {
		ask  ask
		want int
	}{
		"another's From":       {ask{uri: "sip:2002@acme.test", from: "<sip:2003@acme.test>;tag=x"}, 403},
		"a desk's From":        {ask{uri: "sip:2002@acme.test", from: "<sip:" + bareDesk + "@acme.test>;tag=x"}, 403},
		"another's domain":     {ask{uri: "sip:2001@other.test"}, 404},
		"nobody's domain":      {ask{uri: "sip:2002@example.com"}, 404},
		"a route elsewhere":    {ask{uri: "sip:2002@acme.test", routes: []string{"<sip:evil.test;lr>"}}, 403},
		"no hops left":         {ask{uri: "sip:2002@acme.test", hops: "0"}, 483},
		"a needed extension":   {ask{uri: "sip:2002@acme.test", headers: []string{"Proxy-Require: magic"}}, 420},
		"no breadth":           {ask{uri: "sip:2002@acme.test", headers: []string{"Max-Breadth: 0"}}, 440},
		"privacy beyond reach": {ask{uri: "sip:2002@acme.test", headers: []string{"Privacy: session;critical"}}, 500},
		"help without a way":   {ask{uri: "sip:112@acme.test"}, 503},
		"a desk that is off":   {ask{uri: "sip:" + bareDesk + "@acme.test"}, 480},
		"a desk of others":     {ask{uri: "sip:001565cccc01@acme.test"}, 404},
	} {
		t.Run(name, func(t *testing.T) {
			tc.ask.method, tc.ask.callID = "INVITE", "forged-"+branchOf()
			call := a.callsWith(tc.ask)
			if res := a.final(call.key("INVITE")); res.status() != tc.want {
				t.Errorf("want %d:\n%s", tc.want, res)
			}
		})
	}
	b.nothing("one of them rings", func(m packet) bool { return m.method() == "INVITE" })
}

// TestCallHides: who asks for it is not shown (RFC 3323, RFC 3325).
func TestCallHides(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002")
	for _, tc := range []struct{ from, privacy string }{
		{`"Anonymous" <sip:anonymous@anonymous.invalid>;tag=h`, "id"},
		{`"Me" <sip:2001@acme.test>;tag=h`, "user;header"},
	} {
		call := a.callsWith(ask{method: "INVITE", uri: "sip:2002@acme.test", callID: "hides-" + branchOf(), from: tc.from, headers: []string{"Privacy: " + tc.privacy, "Subject: mine"}})
		ring := b.asked("INVITE")
		if got := ring.get("From"); ring.get("P-Asserted-Identity") != "" || !strings.Contains(got, "anonymous@anonymous.invalid") || tagOf(got) != "h" {
			t.Errorf("%s went on as\n%s", tc.privacy, ring)
		}
		b.respond(ring, 486, "Busy Here", "b")
		if res := a.final(call.key("INVITE")); res.get("From") != tc.from {
			t.Errorf("From came back as %s", res.get("From"))
		}
	}
}

// TestCallOfStrangers: requests in dialogs of others, and routes that nobody
// here has signed.
func TestCallOfStrangers(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b, c := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002"), o.phoneOf("udp", "2003")
	ab, _ := up(t, a, b)

	stolen := *ab // all that a listener on the wire would know
	stolen.p = c
	stolen.begins("BYE")
	asked := c.final(stolen.key("BYE"))
	if asked.status() != 401 {
		t.Fatalf("a BYE from elsewhere: %s", asked)
	}
	c.ch, c.nc = asked, 0
	stolen.local = strings.Replace(stolen.local, "2001@", "2003@", 1)
	stolen.begins("BYE", c.authorization("BYE", stolen.target))
	if res := c.final(stolen.key("BYE")); res.status() != 403 {
		t.Errorf("with credentials of its own: %s", res)
	}
	for name, change := range map[string]func(d *talk){
		"changed tokens":  func(d *talk) { d.routes = []string{flip(d.routes[0]), flip(d.routes[1])} },
		"one token":       func(d *talk) { d.routes = d.routes[:1] },
		"another call":    func(d *talk) { d.callID += "x" },
		"tokens reversed": func(d *talk) { d.routes = []string{d.routes[1], d.routes[0]} },
		"no routes":       func(d *talk) { d.routes = nil },
	} {
		d := *ab
		d.routes = append([]string(nil), ab.routes...)
		change(&d)
		d.cseq += 1000
		for _, m := range []string{"BYE", "INFO", "INVITE"} {
			if res := d.asks(m); res.status() != 481 && res.status() != 401 && res.status() != 403 && res.status() != 405 {
				t.Errorf("%s %s: %s", name, m, res)
			}
		}
	}
	b.nothing("a stranger's request", func(m packet) bool { return m.method() != "ACK" })
	if res := ab.p; res != nil {
		ab.begins("BYE")
		b.respond(b.asked("BYE"), 200, "OK", "")
		a.told(200, ab.key("BYE"))
	}
}

// flip changes one character of a route's token.
func flip(route string) string {
	i := strings.Index(route, "sip:") + 20
	c := byte('A')
	if route[i] == c {
		c = 'B'
	}
	return route[:i] + string(c) + route[i+1:]
}

// TestCallLoops: a request that comes back unchanged is in a loop; one that
// comes back for somebody else is a spiral, and goes on.
func TestCallLoops(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b, c := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002"), o.phoneOf("udp", "2003")
	call := a.calls("2002")
	ring := b.asked("INVITE")
	// b sends it back as a proxy would
	back := func(uri string, n int) string {
		lines := []string{"INVITE " + uri + " SIP/2.0", fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bKback%d;rport", b.conn.LocalAddr(), n)}
		for _, v := range ring.all("Via") {
			lines = append(lines, "Via: "+v)
		}
		lines = append(lines, "From: <sip:2002@acme.test>;tag="+tagOf(ring.get("From")))
		for _, name := range []string{"To", "Call-ID", "CSeq", "Contact", "Max-Forwards"} {
			lines = append(lines, name+": "+ring.get(name))
		}
		return strings.Join(append(lines, b.authorization("INVITE", uri), "Content-Length: 0", "", ""), "\r\n")
	}
	b.write(back("sip:2002@acme.test", 1))
	if res := b.expect("an answer to the loop", func(m packet) bool { return m.status() >= 200 }); res.status() != 482 {
		t.Errorf("loop: %s", res)
	}
	b.write(back("sip:2003@acme.test", 2))
	got := c.asked("INVITE")
	c.respond(got, 486, "Busy Here", "c")
	if res := b.expect("an answer to the spiral", func(m packet) bool { return m.status() >= 200 }); res.status() != 486 {
		t.Errorf("spiral: %s", res)
	}
	b.respond(ring, 486, "Busy Here", "b")
	a.final(call.key("INVITE"))
}

// TestCallHuge: a session description of 100 KB gets an answer over TCP or the
// end of the connection, none over UDP, and harms nobody; one of 20 KB goes
// through.
func TestCallHuge(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("tcp", "2001"), o.phoneOf("udp", "2002")
	body := "v=0\r\n" + strings.Repeat("a=x:0123456789\r\n", 1250) // 20 KB
	call := a.callsWith(ask{method: "INVITE", uri: "sip:2002@acme.test", callID: "large", body: body})
	ring := b.asked("INVITE")
	if ring.body != body {
		t.Errorf("of %d bytes %d came", len(body), len(ring.body))
	}
	b.respond(ring, 488, "Not Acceptable Here", "b")
	if res := a.final(call.key("INVITE")); res.status() != 488 {
		t.Error(res)
	}
	huge := ask{method: "INVITE", uri: "sip:2002@acme.test", callID: "huge", body: strings.Repeat(body, 5)}
	a.callsWith(huge)
	select {
	case m, open := <-a.in:
		if open && m.status() != 413 && m.status() != 513 && m.status() != 400 {
			t.Errorf("100 KB over TCP: %s", m)
		}
	case <-time.After(patience):
		t.Error("100 KB over TCP: neither an answer nor an end")
	}
	u := o.phoneOf("udp", "2003")
	u.conn.Write([]byte(strings.Repeat("x", 60_000))) //nolint:errcheck // the kernel may refuse it
	call = u.calls("2002")
	ring = b.asked("INVITE")
	b.respond(ring, 486, "Busy Here", "b")
	if res := u.final(call.key("INVITE")); res.status() != 486 {
		t.Error(res)
	}
}

// TestCallOfPhoneThatReboots: a phone restarts in a call. The other side's
// request reaches it, and its 481 comes back; new calls reach it.
func TestCallOfPhoneThatReboots(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002")
	ab, _ := up(t, a, b)
	_ = b.conn.Close()
	b.connect(o.sip("tcp"))
	if res := b.registerAs("reboot", ""); res.status() != 200 {
		t.Fatal(res)
	}
	ab.begins("BYE")
	b.respond(b.asked("BYE"), 481, "Call/Transaction Does Not Exist", "")
	a.told(481, ab.key("BYE"))
	call := a.calls("2002")
	ring := b.asked("INVITE")
	b.respond(ring, 486, "Busy Here", "b")
	a.told(486, call.key("INVITE"))
}

// TestMessages: MESSAGE reaches a phone outside of calls too, and nobody else's.
func TestMessages(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002")
	for to, want := range map[string]int{"2002@acme.test": 200, "2003@acme.test": 480, "2001@other.test": 404} {
		a.seq++
		m := ask{method: "MESSAGE", uri: "sip:" + to, callID: "m-" + branchOf(), cseq: a.seq, body: "hello"}
		m.headers = []string{a.authorization("MESSAGE", m.uri)}
		a.send(m)
		if want == 200 {
			got := b.asked("MESSAGE")
			if got.body != "hello" || got.get("P-Asserted-Identity") == "" {
				t.Errorf("came as\n%s", got)
			}
			b.respond(got, 200, "OK", "b")
		}
		if res := a.final(fmt.Sprintf("%d MESSAGE", a.seq)); res.status() != want {
			t.Errorf("%s: %s", to, res)
		}
	}
	for _, method := range []string{"INFO", "UPDATE", "PRACK", "NOTIFY"} {
		a.seq++
		a.send(ask{method: method, uri: "sip:2002@acme.test", callID: "m-" + branchOf(), cseq: a.seq})
		if res := a.final(fmt.Sprintf("%d %s", a.seq, method)); res.status() != 481 && res.status() != 401 {
			t.Errorf("%s outside of a dialog: %s", method, res)
		}
	}
}
