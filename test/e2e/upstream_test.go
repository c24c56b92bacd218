package e2e

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"perch/internal/config"
)

// names is a name server that knows one PBX, pbx.test, with next hops in this
// order.
func names(t testing.TB, hops ...string) func(*config.Config) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var srv []dns.RR
	hosts := map[string]dns.RR{}
	for i, hop := range hops {
		at := netip.MustParseAddrPort(hop)
		rr, err := dns.NewRR(fmt.Sprintf("_sip._udp.pbx.test. 60 IN SRV %d 0 %d h%d.test.", 10*i, at.Port(), i))
		if err != nil {
			t.Fatal(err)
		}
		a, err := dns.NewRR(fmt.Sprintf("h%d.test. 60 IN A %s", i, at.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		srv, hosts[fmt.Sprintf("h%d.test.", i)] = append(srv, rr), a
	}
	s := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		a := hosts[q.Question[0].Name]
		switch {
		case q.Question[0].Qtype == dns.TypeSRV && q.Question[0].Name == "_sip._udp.pbx.test.":
			m.Answer = srv
		case q.Question[0].Qtype == dns.TypeA && a != nil:
			m.Answer = []dns.RR{a}
		}
		_ = w.WriteMsg(m)
	})}
	up := make(chan struct{})
	s.NotifyStartedFunc = func() { close(up) }
	go func() { _ = s.ActivateAndServe() }()
	<-up
	t.Cleanup(func() { _ = s.Shutdown() })
	return func(c *config.Config) {
		c.DNS.Servers = []config.NameServer{{AddrPort: conn.LocalAddr().(*net.UDPAddr).AddrPort()}}
	}
}

// behind is officeFile with staff behind an upstream.
func behind(upstream string) string {
	return strings.Replace(staffed(officeFile, "2000", "2001"), "    domains: [acme.test]\n", "    domains: [acme.test]\n    upstream: "+upstream+"\n", 1)
}

// TestUpstreamFailover: a next hop that is silent, one that sends rubbish, and
// one that says 503: calls go to the next, and hops come back.
func TestUpstreamFailover(t *testing.T) {
	t.Parallel()
	first, second := trunkAddress(t, "127.0.0.5"), trunkAddress(t, "127.0.0.6")
	o := openWith(t, behind(`{uri: "sip:pbx.test", trusted: [127.0.0.6]}`), names(t, first, second))
	two := o.trunk(second)
	ada := o.phoneOf("udp", "2001")
	reaches := func(p *peer, what string) {
		t.Helper()
		call := ada.calls("030123")
		invite := p.asked("INVITE")
		p.respond(invite, 486, "Busy Here", "x")
		if res := ada.final(call.key("INVITE")); res.status() != 486 {
			t.Errorf("%s: %s", what, res.line)
		}
		p.asked("ACK")
	}
	o.hopsAre("down", 1) // silent
	reaches(two.peer, "the first hop is silent")

	// Rubbish is no answer.
	var rude atomic.Bool
	rude.Store(true)
	one := dialPeerFrom(t, first, o.sip("udp"))
	all, rest := one.in, make(chan packet, 256)
	one.in = rest
	go func() {
		defer close(rest)
		for m := range all {
			switch {
			case rude.Load():
				_, _ = io.WriteString(one.conn, "SIP/2.0 999999 \x00\xff what?\r\nVia: x\r\n\r\n")
			case m.method() == "OPTIONS":
				_, _ = io.WriteString(one.conn, answerTo(m, "405 Method Not Allowed"))
			default:
				rest <- m
			}
		}
	}()
	o.hopsAre("down", 1)
	reaches(two.peer, "the first hop sends rubbish")

	// It answers again: 405 is an answer too. But it takes no calls.
	rude.Store(false)
	o.hopsAre("up", 2)
	call := ada.calls("030123")
	one.respond(one.asked("INVITE"), 503, "Service Unavailable", "y", "Retry-After: 600")
	invite := two.asked("INVITE")
	two.respond(invite, 603, "Decline", "x")
	if res := ada.final(call.key("INVITE")); res.status() != 603 {
		t.Errorf("after 503: %s", res.line)
	}
	two.asked("ACK")
	reaches(two.peer, "the first hop asked to be left alone")
	news := o.redis("XRANGE", "{acme}:events", "-", "+")
	if !strings.Contains(news, "upstream.down") || !strings.Contains(news, "upstream.up") {
		t.Error("no events of hops that came and went")
	}
}

// TestUpstreamGone: no next hop can be reached, or none answers, or there is no
// such name: the caller hears so, and nobody else is disturbed.
func TestUpstreamGone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		upstream string
		want     int
	}{
		"refused": {`{uri: "sip:` + trunkAddress(t, "127.0.0.7") + `;transport=tcp"}`, 503},
		"silent":  {`{uri: "sip:` + trunkAddress(t, "127.0.0.7") + `"}`, 504},
		"no name": {`{uri: "sip:nowhere.test"}`, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openWith(t, behind(tc.upstream), names(t))
			ada, bob := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2000")
			call := ada.calls("030123")
			up(t, bob, o.phoneOf("udp", "2001"))
			end := time.NewTimer(time.Minute)
			defer end.Stop()
			for {
				select {
				case m := <-ada.in:
					if m.status() >= 200 && m.get("CSeq") == call.key("INVITE") {
						if m.status() != tc.want {
							t.Errorf("%s, want %d", m.line, tc.want)
						}
						return
					}
				case <-end.C:
					t.Fatal("no answer")
				}
			}
		})
	}
}

// TestUpstreamManners: who is believed to be the PBX, what it may ask for, and
// what becomes of it when it asks for what there is not.
func TestUpstreamManners(t *testing.T) {
	t.Parallel()
	at := trunkAddress(t, "127.0.0.8")
	o := openWith(t, behind(`{uri: "sip:`+at+`", trusted: [127.0.0.8]}`))
	pbx, bob := o.trunk(at), o.phoneOf("udp", "2000")
	asks := func(p *peer, uri, id string, headers ...string) packet {
		t.Helper()
		p.send(ask{method: "INVITE", uri: uri, from: `"Out" <sip:0309@pbx.test>;tag=` + id, callID: id, cseq: 1, body: "v=0\r\n", headers: headers})
		res := p.final("1 INVITE")
		p.send(ask{method: "ACK", uri: uri, from: `"Out" <sip:0309@pbx.test>;tag=` + id, to: res.get("To"), callID: id, cseq: 1})
		return res
	}
	if res := asks(pbx.peer, "sip:0301@acme.test", "circle"); res.status() != 404 {
		t.Errorf("a number that is the PBX's own: %s", res.line)
	}
	if res := asks(pbx.peer, "sip:1001@globex.test", "foreign"); res.status() != 401 {
		t.Errorf("another tenant's: %s", res.line)
	}
	if res := asks(pbx.peer, "sip:2000@"+o.sip("udp")+";perch-tenant=globex", "wrong-tenant"); res.status() == 486 || res.status() < 400 {
		t.Errorf("another tenant's by contact: %s", res.line)
	}
	stranger := dialPeerFrom(t, trunkAddress(t, "127.0.0.9"), o.sip("udp"))
	if res := asks(stranger, "sip:2000@acme.test", "stranger"); res.status() != 401 {
		t.Errorf("a stranger: %s", res.line)
	}
	for _, uri := range []string{"sip:2000@acme.test", "sip:2000@" + o.sip("udp"), "sip:2000@" + o.sip("udp") + ";perch-tenant=acme"} {
		id := "in" + uri[8:12] + fmt.Sprint(len(uri))
		pbx.send(ask{
			method: "INVITE", uri: uri, from: `"Out" <sip:0309@pbx.test>;tag=` + id, callID: id, cseq: 1, body: "v=0\r\n",
			headers: []string{`P-Asserted-Identity: <sip:0309@pbx.test>`},
		})
		ring := bob.asked("INVITE")
		if ring.get("P-Asserted-Identity") != "<sip:0309@pbx.test>" {
			t.Errorf("%s: the phone is told %q", uri, ring.get("P-Asserted-Identity"))
		}
		bob.respond(ring, 486, "Busy Here", id)
		if res := pbx.final("1 INVITE"); res.status() != 486 {
			t.Errorf("%s: %s", uri, res.line)
		}
	}

	// It wants a password that there is none of.
	call := bob.calls("030123")
	pbx.respond(pbx.asked("INVITE"), 407, "Proxy Authentication Required", "x", `Proxy-Authenticate: Digest realm="pbx", nonce="n", algorithm=MD5, qop="auth"`)
	if res := bob.final(call.key("INVITE")); res.status() != 403 || res.get("Proxy-Authenticate") != "" {
		t.Errorf("no password: %s", res.line)
	}
	eventually(t, "the event", 10*time.Second, func() bool {
		return strings.Contains(o.redis("XRANGE", "{acme}:events", "-", "+"), "upstream.challenged")
	})

	// Who hides is hidden from the called, not from the PBX.
	hidden := bob.callsWith(ask{
		method: "INVITE", uri: "sip:030123@acme.test", from: `"Anonymous" <sip:anonymous@anonymous.invalid>;tag=h`, callID: "hidden",
		headers: []string{"Privacy: id"}, body: "v=0\r\n",
	})
	invite := pbx.expect("a hidden call", func(m packet) bool { return m.method() == "INVITE" && m.get("Call-ID") == "hidden" })
	if !strings.Contains(invite.get("From"), "anonymous.invalid") || !strings.Contains(invite.get("P-Asserted-Identity"), "sip:2000@") || invite.get("Privacy") != "id" {
		t.Errorf("hidden:\n%s", invite)
	}
	pbx.respond(invite, 486, "Busy Here", "z")
	bob.final(hidden.key("INVITE"))
}

// TestLoggedOut: what callers get while nobody is logged in.
func TestLoggedOut(t *testing.T) {
	t.Parallel()
	at := trunkAddress(t, "127.0.0.8")
	f := behind(`{uri: "sip:` + at + `", trusted: [127.0.0.8]}`)
	for number, what := range map[string]string{
		"1001": "{status: 603}", "1002": `{forward: "2000"}`, "1003": "{voicemail: true}", "1004": `{forward: "1002"}`, "1005": `{forward: "+4930777"}`,
	} {
		f = strings.Replace(f, `{number: "`+number+`", name:`, `{number: "`+number+`", logged_out: `+what+`, name:`, 1)
	}
	for i, next := range []string{"3001", "3002", "3003", "3000"} { // a circle
		f = strings.Replace(f, "    devices:\n", fmt.Sprintf("      - {number: \"300%d\", logged_out: {forward: %q}}\n    devices:\n", i, next), 1)
	}
	o := openWith(t, f)
	pbx, ada, bob := o.trunk(at), o.phoneOf("udp", "2001"), o.phoneOf("udp", "2000")
	for number, want := range map[string]int{"1001": 603, "3000": 480} {
		call := ada.calls(number)
		if res := ada.final(call.key("INVITE")); res.status() != want {
			t.Errorf("%s: %s", number, res.line)
		}
	}
	for _, number := range []string{"1002", "1004"} {
		call := ada.calls(number)
		bob.respond(bob.asked("INVITE"), 486, "Busy Here", number)
		if res := ada.final(call.key("INVITE")); res.status() != 486 {
			t.Errorf("%s: %s", number, res.line)
		}
	}
	for number, dialled := range map[string]string{"1003": "1003", "1005": "+4930777"} {
		call := ada.calls(number)
		invite := pbx.asked("INVITE")
		if invite.uri() != "sip:"+dialled+"@"+at {
			t.Errorf("%s asks for %s", number, invite.uri())
		}
		pbx.respond(invite, 486, "Busy Here", number)
		if res := ada.final(call.key("INVITE")); res.status() != 486 {
			t.Errorf("%s: %s", number, res.line)
		}
	}
	// The PBX's own call for somebody whose voicemail it has does not come back.
	pbx.send(ask{method: "INVITE", uri: "sip:1003@acme.test", from: "<sip:0309@pbx.test>;tag=v", callID: "vm", cseq: 1, body: "v=0\r\n"})
	if res := pbx.final("1 INVITE"); res.status() != 480 {
		t.Errorf("voicemail from the PBX: %s", res.line)
	}
	// Somebody logs in, and is called.
	o.admin("login", "--tenant", "acme", "--ext", "1001", "--mac", bareDesk)
	desk := o.desk(bareDesk)
	call := ada.calls("1001")
	desk.respond(desk.asked("INVITE"), 486, "Busy Here", "d")
	if res := ada.final(call.key("INVITE")); res.status() != 486 {
		t.Errorf("1001 at a desk: %s", res.line)
	}
}
