package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// deskPhone connects a desk's phone with the account that its own file gives it
// now, and registers.
func (o *office) deskPhone(tp, mac string) *peer {
	o.t.Helper()
	a := o.yealinkFile(mac)
	p := dialPeer(o.t, tp, o.sip(tp), a.user, a.auth, a.password)
	if res := p.register(); res.status() != 200 {
		o.t.Fatalf("%s: %s", a.user, res)
	}
	return p
}

// becomes gives the phone the account of its file, on the same socket: what its
// reload does.
func (o *office) becomes(p *peer, mac string) {
	o.t.Helper()
	a := o.yealinkFile(mac)
	p.user, p.auth, p.password, p.ch = a.user, a.auth, a.password, packet{}
	if res := p.register(); res.status() != 200 {
		o.t.Fatalf("%s: %s", a.user, res)
	}
}

// checkSync answers the NOTIFY of a reload.
func (p *peer) checkSync() packet {
	p.t.Helper()
	n := p.asked("NOTIFY")
	p.respond(n, 200, "OK", "n")
	return n
}

// TestCallDuringLogin: from the commit of a login its desk is called and calls
// as the extension, though its phone still has its own account.
func TestCallDuringLogin(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	desk, other := o.deskPhone("udp", bareDesk), o.phoneOf("udp", "2001")
	idle := desk.calls("2001")
	if res := desk.final(idle.key("INVITE")); res.status() != 403 {
		t.Errorf("an idle desk calls: %s", res)
	}
	if call := other.calls("1002"); other.final(call.key("INVITE")).status() != 480 {
		t.Error("nobody is logged in as 1002 yet")
	}
	o.admin("login", "--tenant", "acme", "--ext", "1002", "--mac", bareDesk)
	begun := time.Now()
	call := other.calls("1002")
	ring := desk.asked("INVITE")
	if took := time.Since(begun); took > time.Second {
		t.Errorf("unreachable for %s", took)
	}
	if ring.uri() != desk.contact() || ring.get("P-Called-Party-ID") != "<sip:1002@acme.test>" || !strings.Contains(ring.get("To"), "<sip:1002@acme.test>") {
		t.Errorf("the desk is called by\n%s", ring)
	}
	called := desk.accepts(ring, "d")
	if res := call.answered(); res.get("P-Asserted-Identity") != `"Grace Hopper" <sip:1002@acme.test>` {
		t.Errorf("answered by %q", res.get("P-Asserted-Identity"))
	}
	desk.asked("ACK")
	called.begins("BYE")
	other.respond(other.asked("BYE"), 200, "OK", "")
	desk.told(200, called.key("BYE"))

	out := desk.calls("2001")
	got := other.asked("INVITE")
	if got.get("P-Asserted-Identity") != `"Grace Hopper" <sip:1002@acme.test>` || !strings.Contains(got.get("From"), "<sip:1002@acme.test>;tag="+bareDesk+"tag") {
		t.Errorf("the desk calls as\n%s", got)
	}
	talk := other.accepts(got, "o")
	if res := out.answered(); !strings.Contains(res.get("From"), "sip:"+bareDesk+"@acme.test") {
		t.Errorf("its own From came back as %q", res.get("From"))
	}
	other.asked("ACK")
	talk.begins("BYE") // to a From that it never had: tags are what counts
	desk.respond(desk.asked("BYE"), 200, "OK", "")
	other.told(200, talk.key("BYE"))
}

// TestCallKeptThroughLogoutAndMove: a call lives on when its desk is logged
// out, moved, and registers as somebody else; the reload waits for its end, and
// new calls follow the person at once.
func TestCallKeptThroughLogoutAndMove(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	one, two, other := o.deskPhone("udp", bareDesk), o.deskPhone("tcp", bareDesk2), o.phoneOf("udp", "2001")
	o.admin("login", "--tenant", "acme", "--ext", "1003", "--mac", bareDesk)
	one.checkSync()
	o.becomes(one, bareDesk)
	caller, called := up(t, other, one)
	eventually(t, "the desk is busy", patience, func() bool {
		list, err := o.Store().CallsOf(t.Context(), device(t, bareDesk), time.Now())
		return err == nil && len(list) == 1
	})

	o.admin("login", "--tenant", "acme", "--ext", "1003", "--mac", bareDesk2) // the person moves
	two.checkSync()
	call := dialPeer(t, "udp", o.sip("udp"), "2002", "2002", "p2002")
	if res := call.register(); res.status() != 200 {
		t.Fatal(res)
	}
	next := call.calls("1003")
	ring := two.asked("INVITE")
	two.respond(ring, 486, "Busy Here", "x")
	if res := call.final(next.key("INVITE")); res.status() != 486 {
		t.Error(res)
	}
	one.nothing("the old desk rings, or is reloaded in its call", func(m packet) bool {
		return m.method() == "INVITE" || m.method() == "NOTIFY" && strings.Contains(m.uri(), "1003@")
	})

	for _, side := range []*talk{called, caller} { // hold, both ways, of an ended session
		far := other
		if side == caller {
			far = one
		}
		side.begins("INVITE")
		far.respondBody(far.asked("INVITE"), 200, "OK", "", "v=0\r\n")
		if res := side.p.final(side.key("INVITE")); res.status() != 200 {
			t.Fatalf("hold: %s", res)
		}
		side.ack()
		far.asked("ACK")
	}
	// what the ended session may not: a new call
	ended := one.calls("2001")
	if res := one.final(ended.key("INVITE")); res.status() != 401 && res.status() != 403 {
		t.Errorf("an ended session calls: %s", res)
	}
	called.begins("BYE")
	other.respond(other.asked("BYE"), 200, "OK", "")
	one.told(200, called.key("BYE"))
	one.checkSync() // now
	o.becomes(one, bareDesk)
}

// TestCallDuringReload: between the NOTIFY and the registration as somebody
// else the phone is reachable all the time.
func TestCallDuringReload(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	desk, other := o.deskPhone("udp", bareDesk), o.phoneOf("tcp", "2001")
	o.admin("login", "--tenant", "acme", "--ext", "1002", "--mac", bareDesk)
	for i, step := range []func(){
		func() {}, func() { desk.checkSync() }, func() { o.yealinkFile(bareDesk) }, func() { o.becomes(desk, bareDesk) },
	} {
		step()
		begun := time.Now()
		call := other.calls("1002")
		ring := desk.asked("INVITE")
		if took := time.Since(begun); took > time.Second {
			t.Errorf("step %d: unreachable for %s", i, took)
		}
		desk.respond(ring, 486, "Busy Here", fmt.Sprint("t", i))
		if res := other.final(call.key("INVITE")); res.status() != 486 {
			t.Errorf("step %d: %s", i, res)
		}
	}
}

// TestCallSurvivesRestart: perch is killed in the middle of calls. When it is
// back, either side can hold, transfer and end them, over UDP by the flow there
// was, over TCP by the one by which the phone has registered since.
func TestCallSurvivesRestart(t *testing.T) {
	t.Parallel()
	s := serve(t, staffed(callsFile, "2001", "2002", "2003"))
	phone := func(tp, number string) *peer {
		p := dialPeer(t, tp, s.sip, number, number, "p"+number)
		if res := p.register(); res.status() != 200 {
			t.Fatal(res)
		}
		return p
	}
	a, b, c := phone("udp", "2001"), phone("tcp", "2002"), phone("udp", "2003")
	ab, ba := up(t, a, b)
	ca, ac := up(t, c, a)

	s.kill()
	s.start()
	b.connect(s.sip)
	if res := b.registerAs("again", ""); res.status() != 200 {
		t.Fatal(res)
	}
	ba.begins("INVITE") // by a connection that the dialog has never seen: who it is must be proved
	asked := b.final(ba.key("INVITE"))
	if asked.status() != 401 {
		t.Fatalf("from another connection:\n%s", asked)
	}
	b.ch, b.nc = asked, 0
	ba.begins("INVITE", b.authorization("INVITE", ba.target))
	a.respondBody(a.asked("INVITE"), 200, "OK", "", "v=0\r\n")
	if res := b.final(ba.key("INVITE")); res.status() != 200 {
		t.Fatal(res)
	}
	ba.ack()
	a.asked("ACK")
	ab.begins("BYE") // the flow of its own that it had
	b.respond(b.asked("BYE"), 200, "OK", "")
	a.told(200, ab.key("BYE"))

	ca.begins("INVITE")
	a.respondBody(a.asked("INVITE"), 200, "OK", "", "v=0\r\n")
	if res := c.final(ca.key("INVITE")); res.status() != 200 {
		t.Fatal(res)
	}
	ca.ack()
	a.asked("ACK")
	ac.begins("BYE")
	c.respond(c.asked("BYE"), 200, "OK", "")
	a.told(200, ac.key("BYE"))
}
