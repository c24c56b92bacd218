package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestCallEarly: reliable provisional responses and what belongs to them pass
// before the call is answered (RFC 3262, RFC 3311).
func TestCallEarly(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002")
	call := a.calls("2002", "Supported: 100rel, timer", "Session-Expires: 1800")
	ring := b.asked("INVITE")
	if ring.get("Supported") == "" || ring.get("Session-Expires") != "1800" {
		t.Errorf("went on as\n%s", ring)
	}
	b.respondBody(ring, 183, "Session Progress", "b", "v=0\r\n", "Require: 100rel", "RSeq: 7")
	early := a.told(183, call.key("INVITE"))
	if early.get("RSeq") != "7" || early.body != "v=0\r\n" {
		t.Errorf("came as\n%s", early)
	}
	invite := call.cseq
	call.take(early)
	call.begins("PRACK", fmt.Sprintf("RAck: 7 %d INVITE", invite))
	prack := b.asked("PRACK")
	if prack.get("RAck") == "" {
		t.Error(prack)
	}
	b.respond(prack, 200, "OK", "")
	a.told(200, call.key("PRACK"))
	call.begins("UPDATE")
	b.respond(b.asked("UPDATE"), 200, "OK", "")
	a.told(200, call.key("UPDATE"))
	b.accepts(ring, "b")
	res := a.told(200, fmt.Sprintf("%d INVITE", invite))
	call.take(res)
	end := call.cseq
	call.cseq = invite
	call.ack()
	b.asked("ACK")
	call.cseq = end
	call.begins("BYE")
	b.respond(b.asked("BYE"), 200, "OK", "")
	a.told(200, call.key("BYE"))
}

// TestCallByGRUU: a GRUU rings one phone of several (RFC 5627).
func TestCallByGRUU(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a := o.phoneOf("udp", "2001")
	one := dialPeer(t, "udp", o.sip("udp"), "2002", "2002", "p2002")
	two := dialPeer(t, "tcp", o.sip("tcp"), "2002", "2002", "p2002")
	for i, p := range []*peer{one, two} {
		if res := p.registerAs(fmt.Sprint("gruu", i), fmt.Sprintf(`;+sip.instance="<urn:uuid:00000000-0000-1000-8000-00000000000%d>"`, i)); res.status() != 200 {
			t.Fatal(res)
		}
	}
	for gr, want := range map[string]int{"urn:uuid:00000000-0000-1000-8000-000000000001": 486, "urn:uuid:00000000-0000-1000-8000-000000000009": 480} {
		call := a.callsWith(ask{method: "INVITE", uri: "sip:2002@acme.test;gr=" + gr, callID: "gruu-" + branchOf()})
		if want == 486 {
			two.respond(two.asked("INVITE"), 486, "Busy Here", "b")
		}
		if res := a.final(call.key("INVITE")); res.status() != want {
			t.Errorf("%s: %s", gr, res)
		}
	}
	one.nothing("the other phone rings", func(m packet) bool { return m.method() == "INVITE" })
}

// TestCallByPath: a phone behind a proxy of its site is asked by the Path that
// it registered, and requests of its dialog keep the site's route.
func TestCallByPath(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a := o.phoneOf("udp", "2001")
	b := dialPeer(t, "udp", o.sip("udp"), "2002", "2002", "p2002")
	if res := b.register("Supported: path", "Path: <sip:edge.site.test;lr>", "Path: <sip:core.site.test;lr>"); res.status() != 200 {
		t.Fatal(res)
	}
	call := a.calls("2002")
	ring := b.asked("INVITE")
	if got := strings.Join(ring.all("Route"), " "); got != "<sip:edge.site.test;lr> <sip:core.site.test;lr>" || ring.uri() != b.contact() {
		t.Errorf("Route %q of\n%s", got, ring)
	}
	// the site's proxy puts its own route on top of ours
	site := "<sip:edge.site.test;lr>"
	ring.headers = append([][2]string{{"Record-Route", site}}, ring.headers...)
	b.accepts(ring, "b")
	call.answered()
	if ack := b.asked("ACK"); strings.Join(ack.all("Route"), " ") != site {
		t.Errorf("ACK by %q", ack.all("Route"))
	}
	call.begins("BYE")
	bye := b.asked("BYE")
	if strings.Join(bye.all("Route"), " ") != site {
		t.Errorf("BYE by %q", bye.all("Route"))
	}
	b.respond(bye, 200, "OK", "")
	a.told(200, call.key("BYE"))
}

// TestCallThroughStrictRouters: an old proxy before us put our route into the
// request line (RFC 3261 section 16.4).
func TestCallThroughStrictRouters(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002")
	call, _ := up(t, a, b)
	call.cseq++
	a.send(ask{
		method: "BYE", uri: strings.Trim(call.routes[0], "<>"), from: call.local, to: call.remote, callID: call.callID, cseq: call.cseq,
		routes: []string{call.routes[1], "<" + call.target + ">"},
	})
	bye := b.asked("BYE")
	if bye.uri() != call.target || len(bye.all("Route")) != 0 {
		t.Errorf("came as\n%s", bye)
	}
	b.respond(bye, 200, "OK", "")
	a.told(200, call.key("BYE"))
}
