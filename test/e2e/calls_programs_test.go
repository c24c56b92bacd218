package e2e

import (
	"testing"
)

// account of a static extension.
func staticAccount(number string) account {
	return account{user: number, auth: number, password: "p" + number, host: "acme.test"}
}

// TestProgramsCall: SIPp and baresip call each other through Perch: answered,
// held by re-INVITE, hung up, busy, not there, given up.
func TestProgramsCall(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	caller := o.sippPhone()
	credits := credentials("2001", "p2001")
	soft := baresip(t, staticAccount("2002"), o.sip("udp"))
	soft.registers("2002")

	t.Run("SIPp calls baresip, holds and hangs up", func(t *testing.T) {
		run := caller.begin("call_out", "2001", credits, "2002")
		soft.reports("CALL_INCOMING")
		soft.does("accept", "")
		soft.reports("CALL_ESTABLISHED")
		run.end()
		soft.reports("CALL_CLOSED")
	})
	t.Run("SIPp gives up", func(t *testing.T) {
		run := caller.begin("call_cancel", "2001", credits, "2002")
		soft.reports("CALL_INCOMING")
		run.end()
		soft.reports("CALL_CLOSED")
	})
	t.Run("baresip is busy", func(t *testing.T) {
		run := caller.begin("call_busy", "2001", credits, "2002")
		soft.reports("CALL_INCOMING")
		soft.does("hangup", "")
		run.end()
	})
	t.Run("nobody is there", func(t *testing.T) {
		caller.plays("call_none", "2001", credits, "2003")
	})
	t.Run("SIPp is called by SIPp", func(t *testing.T) {
		called := o.sippPhone()
		called.plays("register", "2003", credentials("2003", "p2003"))
		in := called.begin("call_in", "2003")
		caller.plays("call_out", "2001", credits, "2003")
		in.end()
	})
	t.Run("baresip calls SIPp, which is busy", func(t *testing.T) {
		called := o.sippPhone()
		called.plays("register", "2001", credits)
		in := called.begin("call_in_busy", "2001")
		soft.does("dial", "2001")
		soft.reports("CALL_CLOSED")
		in.end()
	})
}

// TestBaresipTransfers: one baresip calls another and transfers it, blind, to a
// third: REFER and its NOTIFYs pass, and the third is called.
func TestBaresipTransfers(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	phones := map[string]*softphone{}
	for _, n := range []string{"2001", "2002", "2003"} {
		phones[n] = baresip(t, staticAccount(n), o.sip("udp"))
		phones[n].registers(n)
	}
	a, b, c := phones["2001"], phones["2002"], phones["2003"]
	a.does("dial", "2002")
	b.reports("CALL_INCOMING")
	b.does("accept", "")
	a.reports("CALL_ESTABLISHED")
	b.reports("CALL_ESTABLISHED")
	a.does("transfer", "sip:2003@acme.test")
	c.reports("CALL_INCOMING")
	c.does("accept", "")
	c.reports("CALL_ESTABLISHED")
	b.reports("CALL_ESTABLISHED")
	a.reports("CALL_CLOSED")
	c.does("hangup", "")
	b.reports("CALL_CLOSED")
}

// TestAttendedTransfer: a REFER with Replaces passes, and the INVITE that it
// asks for names the dialog to be replaced (RFC 3891).
func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b, c := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002"), o.phoneOf("udp", "2003")
	ab, ba := up(t, a, b)
	ac, ca := up(t, a, c)
	replaces := ac.callID + "%3Bto-tag%3D" + tagOf(ac.remote) + "%3Bfrom-tag%3D" + tagOf(ac.local)
	ab.begins("REFER", "Refer-To: <sip:2003@acme.test?Replaces="+replaces+">", "Referred-By: <sip:2001@acme.test>")
	refer := b.asked("REFER")
	if got := refer.get("Refer-To"); got != "<sip:2003@acme.test?Replaces="+replaces+">" {
		t.Fatalf("Refer-To came as %s", got)
	}
	b.respond(refer, 202, "Accepted", "")
	a.told(202, ab.key("REFER"))
	ba.begins("NOTIFY", "Event: refer", "Subscription-State: active;expires=60")
	a.respond(a.asked("NOTIFY"), 200, "OK", "")
	b.told(200, ba.key("NOTIFY"))

	bc := b.calls("2003", "Replaces: "+ac.callID+";to-tag="+tagOf(ac.remote)+";from-tag="+tagOf(ac.local), "Require: replaces", "Referred-By: <sip:2001@acme.test>")
	ring := c.asked("INVITE")
	if ring.get("Replaces") == "" || ring.get("Require") != "replaces" || ring.get("Referred-By") == "" {
		t.Errorf("came as\n%s", ring)
	}
	c.accepts(ring, "c2")
	bc.answered()
	c.asked("ACK")
	for _, d := range []*talk{ca, ba} { // the replaced ones end
		d.begins("BYE")
		a.respond(a.asked("BYE"), 200, "OK", "")
		d.p.told(200, d.key("BYE"))
	}
	bc.begins("BYE")
	c.respond(c.asked("BYE"), 200, "OK", "")
	b.told(200, bc.key("BYE"))
}
