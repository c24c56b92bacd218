package notify_test

import (
	"strings"
	"testing"
)

const (
	event = "Event: dialog"
	grace = "sip:1002@acme.test" // Grace Hopper, whom they watch
)

// A subscription from its first SUBSCRIBE to its last NOTIFY, over both
// transports, as the device account, a session and a static password.
func TestSubscription(t *testing.T) {
	for _, tp := range []string{"udp", "tcp"} {
		t.Run(tp, func(t *testing.T) {
			o := open(t)
			session, password := o.login("1001", desk1)
			p := o.phone(tp, "1001", desk1.MAC.String(), password)

			res := p.subscribe(grace, event, "Expires: 600")
			want(t, res, 200)
			if got := res.get("expires"); got != "600" {
				t.Errorf("Expires %q", got)
			}
			if got := res.get("contact"); !strings.HasPrefix(got, "<sip:perch@"+o.at[tp]) {
				t.Errorf("Contact %q", got)
			}
			first := p.request()
			checkNotify(t, first, "0", grace, "active;expires=600")
			if !strings.HasPrefix(first.first, "NOTIFY sip:1001@"+p.conn.LocalAddr().String()) {
				t.Errorf("Request-URI: %s", first.first)
			}
			if got := first.get("to"); got != "<sip:1001@acme.test>;tag=f"+p.callID {
				t.Errorf("To %q", got)
			}
			if got := first.get("from"); got != "<sip:1002@acme.test>;tag="+p.toTag {
				t.Errorf("From %q", got)
			}
			if first.get("call-id") != p.callID || first.get("cseq") != "1 NOTIFY" {
				t.Errorf("Call-ID or CSeq:\n%s", first.text)
			}
			list := o.of(desk1.MAC.String())
			if len(list) != 1 || list[0].Target != "1002" || list[0].Session != session || list[0].Lit {
				t.Fatalf("stored %+v", list)
			}
			p.reply(first, "200 OK")
			eventually(t, "lit", func() bool { l := o.of(desk1.MAC.String()); return len(l) == 1 && l[0].Lit })

			res = p.once("sip:perch@"+o.at[tp], event, "Expires: 900")
			want(t, res, 200)
			second := p.request()
			checkNotify(t, second, "1", grace, "active;expires=900")
			if second.get("cseq") != "2 NOTIFY" {
				t.Errorf("CSeq %q", second.get("cseq"))
			}
			p.reply(second, "200 OK")

			o.talk(1)
			third := p.request()
			if d := documentOf(t, third); d.Version != "2" || d.Dialogs[0].State != "confirmed" {
				t.Errorf("%+v", d)
			}
			p.reply(third, "200 OK")
			o.notifier.Changed("acme", "1002") // nothing new: nothing is sent
			o.hangUp(2)
			fourth := p.request()
			checkNotify(t, fourth, "3", grace, "active;expires=")
			p.reply(fourth, "200 OK")

			want(t, p.once("sip:perch@"+o.at[tp], event, "Expires: 0"), 200)
			last := p.request()
			checkNotify(t, last, "4", grace, "terminated;reason=timeout")
			p.reply(last, "200 OK")
			if l := o.of(desk1.MAC.String()); len(l) != 0 {
				t.Errorf("still stored: %+v", l)
			}
			want(t, p.once("sip:perch@"+o.at[tp], event), 481)
			o.notifier.Changed("acme", "1002")
			p.silent()
		})
	}
}
