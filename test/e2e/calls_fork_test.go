package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// second connects another phone of the same extension.
func (o *office) second(tp, number string, headers ...string) *peer {
	o.t.Helper()
	p := dialPeer(o.t, tp, o.sip(tp), number, number, "p"+number)
	p.seq = 100
	for {
		p.seq++
		a := ask{method: "REGISTER", uri: "sip:acme.test", to: "<sip:" + number + "@acme.test>", callID: "reg2-" + branchOf(), cseq: p.seq, headers: headers}
		if p.ch.line != "" {
			a.headers = append([]string{p.authorization("REGISTER", a.uri)}, headers...)
		}
		p.send(a)
		res := p.final(fmt.Sprintf("%d REGISTER", p.seq))
		switch res.status() {
		case 401:
			p.ch, p.nc = res, 0
		case 200:
			return p
		default:
			o.t.Fatal(res)
		}
	}
}

// TestForkOneAnswers: all phones of an extension ring; one answers, and the
// others are told to stop and why.
func TestForkOneAnswers(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b1, b2 := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002"), o.second("tcp", "2002")
	call := a.calls("2002")
	ring1, ring2 := b1.asked("INVITE"), b2.asked("INVITE")
	if ring1.get("Via") == ring2.get("Via") {
		t.Error("two branches have one Via")
	}
	b1.respond(ring1, 180, "Ringing", "one")
	b2.respond(ring2, 180, "Ringing", "two")
	for range 2 {
		a.told(180, call.key("INVITE"))
	}
	b2.accepts(ring2, "two")
	if res := call.answered(); tagOf(res.get("To")) != "two" {
		t.Errorf("answered by\n%s", res)
	}
	b2.asked("ACK")
	cancel := b1.asked("CANCEL")
	if !strings.Contains(cancel.get("Reason"), "cause=200") {
		t.Errorf("Reason %q", cancel.get("Reason"))
	}
	b1.respond(cancel, 200, "OK", "one")
	b1.respond(ring1, 487, "Request Terminated", "one")
	b1.asked("ACK")
	call.begins("BYE")
	b2.respond(b2.asked("BYE"), 200, "OK", "")
	a.told(200, call.key("BYE"))
}

// TestForkAllAnswer: two phones answer at once. One has the call; the other is
// acknowledged and hung up, and the caller sees one answer only.
func TestForkAllAnswer(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b1, b2 := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002"), o.second("udp", "2002")
	call := a.calls("2002")
	ring1, ring2 := b1.asked("INVITE"), b2.asked("INVITE")
	b1.respond(ring1, 180, "Ringing", "one")
	b2.respond(ring2, 180, "Ringing", "two")
	b1.accepts(ring1, "one")
	b2.accepts(ring2, "two")
	res := call.answered()
	winner, loser, tag := b1, b2, "two"
	if tagOf(res.get("To")) == "two" {
		winner, loser, tag = b2, b1, "one"
	}
	if ack := winner.asked("ACK"); tagOf(ack.get("From")) != "2001tag" {
		t.Error(ack)
	}
	if ack := loser.asked("ACK"); tagOf(ack.get("To")) != tag {
		t.Error(ack)
	}
	bye := loser.asked("BYE")
	loser.respond(bye, 200, "OK", "")
	if tagOf(bye.get("To")) != tag {
		t.Error(bye)
	}
	// the winner's 200 again, as after a lost ACK: it reaches the caller, and the
	// caller's ACK the phone
	winner.accepts(map[*peer]packet{b1: ring1, b2: ring2}[winner], tagOf(res.get("To")))
	if again := a.final(call.key("INVITE")); tagOf(again.get("To")) != tagOf(res.get("To")) {
		t.Error(again)
	}
	call.ack()
	winner.asked("ACK")
	a.nothing("an answer of the other phone", func(m packet) bool { return m.status() == 200 && tagOf(m.get("To")) == tag })
}

// TestForkByQ: a phone of lower q is asked when those before it have refused.
func TestForkByQ(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a := o.phoneOf("udp", "2001")
	low := dialPeer(t, "udp", o.sip("udp"), "2002", "2002", "p2002")
	if res := low.registerAs("low", ";q=0.3"); res.status() != 200 {
		t.Fatal(res)
	}
	high := dialPeer(t, "udp", o.sip("udp"), "2002", "2002", "p2002")
	if res := high.registerAs("high", ";q=0.9"); res.status() != 200 {
		t.Fatal(res)
	}
	call := a.calls("2002")
	ring := high.asked("INVITE")
	high.respond(ring, 180, "Ringing", "high")
	a.told(180, call.key("INVITE"))
	low.nothing("it rings already", func(m packet) bool { return m.method() == "INVITE" })
	high.respond(ring, 486, "Busy Here", "high")
	ring = low.asked("INVITE")
	low.respond(ring, 480, "Temporarily Unavailable", "low")
	if res := a.final(call.key("INVITE")); res.status() != 486 {
		t.Errorf("the best of 486 and 480 is\n%s", res)
	}
	// a 6xx ends the search
	call = a.calls("2002")
	ring = high.asked("INVITE")
	high.respond(ring, 603, "Decline", "high")
	if res := a.final(call.key("INVITE")); res.status() != 603 {
		t.Error(res)
	}
	low.nothing("it rings after a 603", func(m packet) bool { return m.method() == "INVITE" && m.get("Call-ID") == call.callID })
}

// registerAs registers with a Call-ID of its own and parameters for its Contact.
func (p *peer) registerAs(id, params string) packet {
	p.t.Helper()
	for {
		p.seq++
		lines := []string{
			"REGISTER sip:acme.test SIP/2.0", "Via: SIP/2.0/" + strings.ToUpper(p.tp) + " " + p.conn.LocalAddr().String() + ";branch=" + branchOf() + ";rport",
			"Max-Forwards: 70", "From: <sip:" + p.user + "@acme.test>;tag=r", "To: <sip:" + p.user + "@acme.test>", "Call-ID: " + id + p.user,
			fmt.Sprintf("CSeq: %d REGISTER", p.seq), "Contact: <" + p.contact() + ">" + params,
		}
		if p.ch.line != "" {
			lines = append(lines, p.authorization("REGISTER", "sip:acme.test"))
		}
		p.write(strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n"))
		res := p.final(fmt.Sprintf("%d REGISTER", p.seq))
		if res.status() != 401 {
			return res
		}
		p.ch, p.nc = res, 0
	}
}

// TestForkByInstance: two flows of one phone are two ways to it, not two
// phones; when one is gone the other is used (RFC 5626).
func TestForkByInstance(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a := o.phoneOf("udp", "2001")
	var flows []*peer
	for i := range 2 {
		b := dialPeer(t, "tcp", o.sip("tcp"), "2002", "2002", "p2002")
		if res := b.registerAs(fmt.Sprintf("flow%d", i), fmt.Sprintf(`;+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>";reg-id=%d`, i+1)); res.status() != 200 {
			t.Fatal(res)
		}
		flows = append(flows, b)
	}
	call := a.calls("2002")
	ring := flows[1].asked("INVITE") // the newest
	flows[1].respond(ring, 430, "Flow Failed", "x")
	ring = flows[0].asked("INVITE")
	flows[0].accepts(ring, "b")
	call.answered()
	flows[0].asked("ACK")
}
