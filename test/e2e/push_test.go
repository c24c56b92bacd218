package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/trace"
	"perch/internal/sim"
)

// pushing is officeFile where phones take settings by NOTIFY. Over UDP a NOTIFY
// has to stay small: 1004 has no sidecar.
func pushing() string {
	return strings.Replace(officeFile, "domains: [acme.test]", "domains: [acme.test]\n    policy: {screen: {push: settings}}", 1)
}

// TestLoginIsPushed: the phone takes its new account by NOTIFY and fetches
// nothing, at the login and at the logout; nothing is different from what it
// would have fetched.
func TestLoginIsPushed(t *testing.T) {
	t.Parallel()
	o := openWith(t, pushing())
	for mac, brand := range map[string]sim.Brand{yealinkDesk: sim.Yealink, snomDesk: sim.Snom} {
		t.Run(string(brand), func(t *testing.T) {
			d := o.phone(brand, mac)
			d.is(mac)
			before := d.State().Fetches
			for n, who := range []string{"1004", "", "1005"} {
				if who == "" {
					o.rest().ask(t.Context(), http.MethodPost, "/logout", map[string]string{"mac": mac})
					d.is(mac)
				} else {
					o.rest().login(t.Context(), who, mac)
					d.is(who)
				}
				tr := o.ready(mac, who)
				if s, _ := tr.Step(trace.Fetched); !s.Skipped || !strings.Contains(s.Detail, "instant push") {
					t.Errorf("%q: step fetched is %+v", who, s)
				}
				if st := d.State(); st.Pushes != n+1 || st.Fetches != before || st.Syncs != 0 {
					t.Errorf("%q: %d pushes, %d fetches, %d check-syncs", who, st.Pushes, st.Fetches-before, st.Syncs)
				}
			}
			// What it has counts as fetched, and is in the history.
			var past []struct{ File, Extension string }
			o.rest().list(t, "/devices/"+mac+"/history", &past)
			pushed := 0
			for _, p := range past {
				if p.File == "pushed" {
					pushed++
				}
			}
			if pushed != 3 {
				t.Errorf("history %+v", past)
			}
			var devices []struct {
				MAC   string `json:"mac"`
				Drift *bool  `json:"drift"`
			}
			o.rest().list(t, "/devices", &devices)
			for _, dev := range devices {
				if dev.MAC == mac && (dev.Drift == nil || *dev.Drift) {
					t.Error("what was pushed is not what the phone would get")
				}
			}
			for _, secret := range []string{"account.1.password", "user_pass"} {
				if strings.Contains(o.log.String(), secret) {
					t.Errorf("%s is in the log", secret)
				}
			}
		})
	}
}

// A sidecar does not fit a datagram: the phone fetches its file, as ever.
func TestAWholeSidecarIsFetched(t *testing.T) {
	t.Parallel()
	var keys string
	for n := range 12 {
		keys += fmt.Sprintf(`{type: blf, value: "20%02d", label: A long name for a key}, `, n)
	}
	o := openWith(t, strings.Replace(pushing(), `- {number: "1004", name: Edith Clarke,`, `- {number: "1004", name: Edith Clarke, keys: [`+keys+`],`, 1))
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	o.rest().login(t.Context(), "1004", yealinkDesk)
	d.is("1004")
	whole(t, o.ready(yealinkDesk, "1004"))
	if st := d.State(); st.Pushes != 0 || st.Syncs == 0 {
		t.Errorf("%d pushes, %d check-syncs", st.Pushes, st.Syncs)
	}
}

// TestAMessageIsShown: POST /message puts a text on the screen.
func TestAMessageIsShown(t *testing.T) {
	t.Parallel()
	o := openWith(t, pushing())
	d := o.phone(sim.Snom, snomDesk)
	d.is(snomDesk)
	status, body := o.rest().ask(t.Context(), http.MethodPost, "/message", map[string]string{"mac": snomDesk, "text": "You will be logged out in 5 minutes <&>"})
	if status != http.StatusNoContent {
		t.Fatalf("%d %s", status, body)
	}
	eventually(t, "the text is on the screen", 20*time.Second, func() bool {
		return d.State().Shown == "You will be logged out in 5 minutes <&>"
	})
	if status, body = o.rest().ask(t.Context(), http.MethodPost, "/message", map[string]string{"mac": panasonicDesk, "text": "hello"}); status != http.StatusConflict {
		t.Errorf("a phone that shows nothing: %d %s", status, body)
	}
}
