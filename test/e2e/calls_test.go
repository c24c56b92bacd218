package e2e

import (
	"strings"
	"testing"
)

// callsFile has phones that were set up by hand, so that a test needs no login
// where it is not about one.
const callsFile = officeFile + `
  - code: other
    domains: [other.test]
    extensions: [{number: "2001", sip_password: p2001}]
`

// staff are the extensions with static passwords.
func staffed(file string, numbers ...string) string {
	var b strings.Builder
	for _, n := range numbers {
		b.WriteString("      - {number: \"" + n + "\", name: \"Person " + n + "\", sip_password: p" + n + "}\n")
	}
	return strings.Replace(file, "    devices:\n", b.String()+"    devices:\n", 1)
}

// phoneOf connects a phone with a static password and registers it.
func (o *office) phoneOf(tp, number string, headers ...string) *peer {
	o.t.Helper()
	p := dialPeer(o.t, tp, o.sip(tp), number, number, "p"+number)
	if res := p.register(headers...); res.status() != 200 {
		o.t.Fatalf("%s: %s", number, res)
	}
	return p
}

func callsOffice(t testing.TB) *office {
	t.Helper()
	return openWith(t, staffed(callsFile, "2001", "2002", "2003"))
}

// up sets up a call between two phones.
func up(t testing.TB, a, b *peer) (caller, called *talk) {
	t.Helper()
	caller = a.calls(b.user)
	ring := b.asked("INVITE")
	b.respond(ring, 180, "Ringing", "b")
	a.told(180, caller.key("INVITE"))
	called = b.accepts(ring, "b")
	caller.answered()
	if ack := b.asked("ACK"); ack.get("Call-ID") != caller.callID {
		t.Fatalf("ACK of another call:\n%s", ack)
	}
	return caller, called
}

// TestCallAnswered: a call rings, is answered, held, changed and ended, by UDP
// and TCP in every combination; each side sees the routes of its own.
func TestCallAnswered(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	for _, tp := range [][2]string{{"udp", "udp"}, {"udp", "tcp"}, {"tcp", "udp"}, {"tcp", "tcp"}} {
		t.Run(tp[0]+" to "+tp[1], func(t *testing.T) {
			a, b := o.phoneOf(tp[0], "2001"), o.phoneOf(tp[1], "2002")
			caller, called := up(t, a, b)
			if got := called.invite.get("P-Asserted-Identity"); got != `"Person 2001" <sip:2001@acme.test>` {
				t.Errorf("P-Asserted-Identity %q", got)
			}
			if called.invite.get("Authorization") != "" || len(called.invite.all("Via")) != 2 || len(called.routes) != 2 {
				t.Errorf("the called phone got\n%s", called.invite)
			}
			if called.invite.get("Max-Forwards") != "69" || strings.Contains(called.invite.get("To"), "tag=") {
				t.Errorf("the called phone got\n%s", called.invite)
			}
			if len(caller.answer.all("Via")) != 1 || caller.answer.get("P-Asserted-Identity") != `"Person 2002" <sip:2002@acme.test>` {
				t.Errorf("the caller got\n%s", caller.answer)
			}
			for _, side := range []*talk{caller, called} { // hold, from either side
				other := b
				if side == called {
					other = a
				}
				side.begins("INVITE")
				hold := other.asked("INVITE")
				if hold.uri() != other.contact() || !strings.Contains(hold.body, "sendonly") || len(hold.all("Route")) != 0 {
					t.Errorf("re-INVITE came as\n%s", hold)
				}
				other.respondBody(hold, 200, "OK", "", "v=0\r\na=recvonly\r\n")
				if res := side.p.final(side.key("INVITE")); res.status() != 200 {
					t.Fatal(res)
				}
				side.ack()
				other.asked("ACK")
			}
			for _, m := range []string{"INFO", "UPDATE", "MESSAGE", "REFER", "NOTIFY"} {
				called.begins(m, "Event: refer", "Subscription-State: active", "Refer-To: <sip:2003@acme.test>", "Require: timer")
				got := a.asked(m)
				a.respond(got, 200, "OK", "")
				if res := b.final(called.key(m)); res.status() != 200 {
					t.Errorf("%s: %s", m, res)
				}
			}
			called.begins("BYE")
			a.respond(a.asked("BYE"), 200, "OK", "")
			if res := b.final(called.key("BYE")); res.status() != 200 {
				t.Error(res)
			}
		})
	}
}

// TestCallRefused: what the called phone says comes back, and what would give
// something away does not.
func TestCallRefused(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002")
	for _, tc := range []struct {
		code int
		want int
	}{{486, 486}, {603, 603}, {404, 404}, {302, 480}, {401, 403}, {503, 500}, {488, 488}} {
		call := a.calls("2002")
		ring := b.asked("INVITE")
		b.respond(ring, tc.code, "No", "b", "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"", "X-Note: kept")
		b.asked("ACK")
		res := a.final(call.key("INVITE"))
		if res.status() != tc.want || res.status() != tc.code && res.get("WWW-Authenticate") != "" {
			t.Errorf("%d came as\n%s", tc.code, res)
		}
		if tc.code == tc.want && res.get("X-Note") != "kept" {
			t.Errorf("%d lost a header:\n%s", tc.code, res)
		}
		a.send(ask{method: "ACK", uri: "sip:2002@acme.test", to: res.get("To"), callID: call.callID, cseq: call.cseq, branch: between(res.get("Via"), "branch=", ";")})
	}
	for to, want := range map[string]int{"2003": 480, "7777": 404, "%2b493012345": 404} {
		call := a.calls(to)
		if res := a.final(call.key("INVITE")); res.status() != want {
			t.Errorf("%s: %s", to, res)
		}
	}
}

// TestCallCancelled: the caller gives up; the phone stops ringing. A 200 that
// crosses the CANCEL ends at once.
func TestCallCancelled(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002")
	for _, answers := range []bool{false, true} {
		call := a.callsWith(ask{method: "INVITE", uri: "sip:2002@acme.test", callID: "cancel-" + branchOf(), branch: "z9hG4bKcancel" + branchOf()})
		ring := b.asked("INVITE")
		b.respond(ring, 180, "Ringing", "b")
		rung := a.told(180, call.key("INVITE"))
		a.send(ask{method: "CANCEL", uri: "sip:2002@acme.test", callID: call.callID, cseq: call.cseq, branch: between(rung.get("Via"), "branch=", ";")})
		a.told(200, call.key("CANCEL"))
		if res := a.final(call.key("INVITE")); res.status() != 487 {
			t.Error(res)
		}
		cancel := b.asked("CANCEL")
		if cancel.get("Via") != ring.get("Via") {
			t.Errorf("another branch:\n%s", cancel)
		}
		b.respond(cancel, 200, "OK", "b")
		if !answers {
			b.respond(ring, 487, "Request Terminated", "b")
			b.asked("ACK")
			continue
		}
		b.respond(ring, 200, "OK", "b")
		if ack := b.asked("ACK"); ack.get("CSeq") != ring.get("CSeq")[:strings.IndexByte(ring.get("CSeq"), ' ')]+" ACK" {
			t.Errorf("ACK:\n%s", ack)
		}
		bye := b.asked("BYE")
		b.respond(bye, 200, "OK", "")
		if bye.uri() != b.contact() || tagOf(bye.get("To")) != "b" || tagOf(bye.get("From")) != "2001tag" {
			t.Errorf("BYE:\n%s", bye)
		}
	}
}
