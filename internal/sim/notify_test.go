package sim

import (
	"fmt"
	"strings"
	"testing"

	"perch/hotdesk/directory"

	"github.com/emiago/sipgo/sip"
)

func TestChallengedNotify(t *testing.T) {
	r := ready(t, func(_ *server, o *Options) { o.ChallengeNotify = "phone.example" })
	proof := func(res *sip.Response, password string) string {
		c, ok := pickChallenge(headerTexts(res, "WWW-Authenticate"))
		if !ok || c.realm != "phone.example" {
			t.Fatalf("no challenge in\n%s", res)
		}
		a := answer{challenge: c, user: testMAC.String(), password: directory.Secret(password), method: "NOTIFY", uri: r.contact("1001"), nc: 1, cnonce: "ab"}
		return "Authorization: " + a.header()
	}
	cases := []struct {
		name, password string
		cseq, status   int
	}{
		{"right", "pw", 2, 200},
		{"wrong password", "pv", 2, 401},
		{"same CSeq", "pw", 1, 401},
		{"CSeq too high", "pw", 3, 401},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id := strings.ReplaceAll(c.name, " ", "-")
			r.checkSync("1001", "check-sync;reboot=false", id, 1)
			first := r.answer(id)
			if first.StatusCode != 401 {
				t.Fatalf("first answer %d", first.StatusCode)
			}
			r.checkSync("1001", "check-sync;reboot=false", id, c.cseq, proof(first, c.password))
			if res := r.answer(id); res.StatusCode != c.status {
				t.Errorf("got %d", res.StatusCode)
			}
		})
	}
	if st := r.phone.State(); st.Syncs != 1 {
		t.Errorf("%d check-syncs accepted", st.Syncs)
	}
}

func TestNotifyRefusals(t *testing.T) {
	r := ready(t, nil)
	cases := []struct {
		name, event string
		status      int
		to          string
	}{
		{"other package", "message-summary", 489, ""},
		{"another phone's user", "check-sync;reboot=false", 404, "9999"},
		{"unknown dialog", "dialog", 481, ""},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id := fmt.Sprintf("n%d", i)
			uri, to := r.contact("1001"), "<sip:1001@acme.test>"
			if c.to != "" {
				uri = strings.Replace(uri, "1001", c.to, 1)
			}
			if c.status == 481 {
				to += ";tag=nobody"
			}
			r.set(func() {
				r.raw(r.sources["1001"], "NOTIFY", uri, "<sip:perch@acme.test>;tag=1", to, id, 1, "", "Event: "+c.event, "Subscription-State: terminated")
			})
			if res := r.answer(id); res.StatusCode != c.status {
				t.Errorf("got %d", res.StatusCode)
			}
		})
	}
}
