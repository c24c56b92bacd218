package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"perch/internal/config"
	"perch/portal/api"
)

// helpFile is officeFile with a site, a route for emergency calls and somebody
// at the front desk.
func helpFile(at string) string {
	f := strings.Replace(staffed(officeFile, "2000"), "    domains: [acme.test]\n", `    domains: [acme.test]
    upstream: {uri: "sip:`+at+`", trusted: [127.0.0.2], emergency: true}
    sites:
      - {code: hq, address: {country: DE, state: BE, city: Berlin, postal_code: "10115", street: Example 1, building: A}, emergency_caller_id: "+493012345", front_desk: "2000"}
`, 1)
	f = strings.ReplaceAll(f, `desk: "Desk`, `site: hq, desk: "Desk`)
	return strings.Replace(f, `desk: "Desk 6", `, `desk: "Desk <6>", address: {floor: "3", room: "14"}, `, 1)
}

// TestEmergencyCall: a call for help from a desk where nobody sits reaches the
// upstream with the place and the number of the desk; a call back to that number
// rings the desk, whoever sits there by then; the front desk is told.
func TestEmergencyCall(t *testing.T) {
	t.Parallel()
	at := trunkAddress(t, "127.0.0.2")
	o := openWith(t, helpFile(at))
	pbx := o.trunk(at)
	front := o.phoneOf("udp", "2000")
	idle := o.desk(bareDesk)

	call := idle.calls("112", "Geolocation: <sip:liar@acme.test>")
	invite := pbx.asked("INVITE")
	if got := invite.uri(); got != "sip:112@"+at {
		t.Errorf("asked for %s", got)
	}
	from := invite.get("From")
	if !strings.Contains(from, "<sip:+493012345@"+at+">") || !strings.Contains(invite.get("P-Asserted-Identity"), "<sip:+493012345@"+at+">") {
		t.Errorf("From %s, P-Asserted-Identity %s", from, invite.get("P-Asserted-Identity"))
	}
	got := parts(t, invite)
	place := got["application/pidf+xml"]
	validXML(t, place)
	for _, want := range []string{"<ca:country>DE<", "<ca:A3>Berlin<", "<ca:RD>Example 1<", "<ca:FLR>3<", "<ca:ROOM>14<", "<ca:LOC>Desk &lt;6&gt;<"} {
		if !strings.Contains(place, want) {
			t.Errorf("no %s in\n%s", want, place)
		}
	}
	if geo := invite.all("Geolocation"); len(geo) != 1 || geo[0] != "<cid:"+got["id"]+">" || invite.get("Geolocation-Routing") != "yes" {
		t.Errorf("Geolocation %v of %s, routing %s", geo, got["id"], invite.get("Geolocation-Routing"))
	}
	if got["application/sdp"] != "v=0\r\n" {
		t.Errorf("the offer became %q", got["application/sdp"])
	}
	there := pbx.accepts(invite, "psap")
	call.answered()
	pbx.asked("ACK")
	there.begins("BYE")
	idle.respond(idle.asked("BYE"), 200, "OK", "")
	if res := pbx.final(there.key("BYE")); res.status() != 200 {
		t.Errorf("BYE: %s", res.line)
	}

	told := front.asked("MESSAGE")
	front.respond(told, 200, "OK", "f")
	if want := "EMERGENCY CALL (112) from desk Desk <6>, room 14, floor 3, building A, Example 1, 10115 Berlin, BE, DE"; told.body != want {
		t.Errorf("the front desk reads %q", told.body)
	}

	// Somebody sits down; the call back rings the desk all the same.
	o.admin("login", "--tenant", "acme", "--ext", "1002", "--mac", bareDesk)
	for _, number := range []string{"+493012345", "00493012345"} {
		pbx.send(ask{
			method: "INVITE", uri: "sip:" + number + "@acme.test", from: "<sip:112@psap.test>;tag=" + number[1:], callID: "back" + number, cseq: 1,
			headers: []string{`P-Asserted-Identity: "Help" <sip:112@psap.test>`}, body: "v=0\r\n",
		})
		ring := idle.asked("INVITE")
		if !strings.Contains(ring.get("P-Asserted-Identity"), "112@psap.test") {
			t.Errorf("the desk is shown %q", ring.get("P-Asserted-Identity"))
		}
		idle.respond(ring, 486, "Busy Here", "d")
		if res := pbx.final("1 INVITE"); res.status() != 486 {
			t.Errorf("call back: %s", res.line)
		}
	}
	eventually(t, "the event", 10*time.Second, func() bool {
		return strings.Contains(o.redis("XRANGE", "{acme}:events", "-", "+"), `"emergency.called"`)
	})
}

// TestEmergencyAlways: by the name of the service, from a session that has ended,
// and from a phone whose account is locked.
func TestEmergencyAlways(t *testing.T) {
	t.Parallel()
	at := trunkAddress(t, "127.0.0.2")
	o := openWith(t, helpFile(at), func(c *config.Config) { c.Limits.Trusted = nil })
	pbx := o.trunk(at)
	reaches := func(p *peer, d *talk, number string) {
		t.Helper()
		invite := pbx.expect("INVITE for "+number, func(m packet) bool { return m.method() == "INVITE" && m.uri() == "sip:"+number+"@"+at })
		pbx.respond(invite, 603, "Decline", "x")
		if res := p.final(d.key("INVITE")); res.status() != 603 {
			t.Errorf("%s: %s", number, res.line)
		}
	}
	idle := o.desk(bareDesk)
	for _, urn := range []string{"urn:service:sos", "urn:service:sos.police"} {
		reaches(idle, idle.callsWith(ask{method: "INVITE", uri: urn, callID: urn, body: "v=0\r\n"}), "112")
	}
	other := idle.callsWith(ask{method: "INVITE", uri: "urn:service:counseling", callID: "counsel", body: "v=0\r\n"})
	if res := idle.final(other.key("INVITE")); res.status() != 416 {
		t.Errorf("another service: %s", res.line)
	}

	o.admin("login", "--tenant", "acme", "--ext", "1001", "--mac", bareDesk2)
	ada := o.desk(bareDesk2)
	o.admin("logout", "--tenant", "acme", "--ext", "1001")
	reaches(ada, ada.calls("110"), "110")
	late := ada.calls("1002")
	if res := ada.final(late.key("INVITE")); res.status() != 401 {
		t.Errorf("an ended session calls somebody: %s", res.line)
	}

	guesser := dialPeer(t, "udp", o.sip("udp"), idle.user, idle.auth, "a guess")
	for range 6 {
		guesser.seq++
		a := ask{method: "REGISTER", uri: "sip:acme.test", to: "<sip:" + guesser.user + "@acme.test>", callID: "guess", cseq: guesser.seq}
		if guesser.ch.line != "" {
			a.headers = append(a.headers, guesser.authorization("REGISTER", a.uri))
		}
		guesser.send(a)
		guesser.ch, guesser.nc = guesser.final(fmt.Sprintf("%d REGISTER", guesser.seq)), 0
	}
	reaches(idle, idle.calls("112"), "112")
}

// TestEmergencyWithoutRoute: 503 at once, and the event.
func TestEmergencyWithoutRoute(t *testing.T) {
	t.Parallel()
	o := openWith(t, officeFile)
	idle := o.desk(bareDesk)
	call := idle.calls("112")
	if res := idle.final(call.key("INVITE")); res.status() != 503 {
		t.Errorf("no route: %s", res.line)
	}
	eventually(t, "the event", 10*time.Second, func() bool {
		return strings.Contains(o.redis("XRANGE", "{acme}:events", "-", "+"), `"emergency.failed"`)
	})
	out, code := try(t, perch(t), "emergency-test", "--config", o.configFile(), "--tenant", "acme")
	if code != 1 || !strings.Contains(out, "no route") {
		t.Errorf("emergency-test ends with %d:\n%s", code, out)
	}
}

// TestEmergencyTest: every desk of a site that has all it needs passes, without
// a call.
func TestEmergencyTest(t *testing.T) {
	t.Parallel()
	at := trunkAddress(t, "127.0.0.2")
	o := openWith(t, helpFile(at))
	pbx := o.trunk(at)
	var rows []api.EmergencyDesk
	if err := json.Unmarshal([]byte(o.admin("emergency-test", "--json", "--tenant", "acme", "--site", "hq")), &rows); err != nil || len(rows) != 7 {
		t.Fatalf("%d desks, %v", len(rows), err)
	}
	for _, r := range rows {
		if len(r.Faults) > 0 || r.Route == nil || *r.Route != "udp:"+at || r.Location == nil || r.CallerID == nil {
			t.Errorf("%+v", r)
		}
	}
	pbx.nothing("an emergency test calls nobody", func(m packet) bool { return m.method() == "INVITE" })
	_ = pbx.conn.Close()
	if out, code := try(t, perch(t), "emergency-test", "--config", o.configFile(), "--tenant", "acme"); code != 1 || !strings.Contains(out, "no next hop answers") {
		t.Errorf("with the PBX gone it ends with %d:\n%s", code, out)
	}
}
