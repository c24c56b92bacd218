package e2e

import (
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/trace"
	"perch/internal/sim"
)

// page fetches as a phone's browser does: a GET, with nothing but the URL.
func page(t testing.TB, url, user, password string) (header http.Header, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %s", resp.StatusCode, err, text)
	}
	return resp.Header, string(text)
}

// found is what a pattern's group matches in a page.
func found(t testing.TB, pattern, text string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in\n%s", pattern, text)
	}
	return html.UnescapeString(strings.TrimSpace(m[1]))
}

// TestPersonLogsInOnTheScreen goes the way that the phone's file shows: the key,
// the menu, the form, and the page that follows until the sidecar is lit.
func TestPersonLogsInOnTheScreen(t *testing.T) {
	t.Parallel()
	o := open(t)
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	_, file := page(t, httpURL(o.Addresses().Provisioning)+"/"+yealinkDesk+".cfg", yealinkDesk, secretOf(yealinkDesk).Reveal())
	_, menu := page(t, found(t, `(?s)\.type = 27\n.*?\.value = (\S+)`, file), "", "")
	_, form := page(t, found(t, `<Prompt>Log in</Prompt><URI>([^<]*)`, menu), "", "")
	header, text := page(t, found(t, `<URL>([^<]*)`, form)+"?ext=1001&pin=4321", "", "")
	d.is("1001")
	tr := o.ready(yealinkDesk, "1001")
	whole(t, tr)
	if tr.Door != "phone-app" {
		t.Errorf("door %q", tr.Door)
	}
	eventually(t, "the screen says ready", 10*time.Second, func() bool {
		_, next, ok := strings.Cut(header.Get("Refresh"), ";url=")
		if ok {
			header, text = page(t, next, "", "")
		}
		return strings.Contains(text, "The desk is yours, Ada Lovelace.")
	})

	var devices []struct {
		MAC   string `json:"mac"`
		Drift *bool  `json:"drift"`
	}
	o.rest().list(t, "/devices", &devices)
	for _, dev := range devices {
		if dev.MAC == yealinkDesk && (dev.Drift == nil || *dev.Drift) {
			t.Error("the file that the phone fetched is not the one it would get")
		}
	}
	_, menu = page(t, found(t, `(?s)\.type = 27\n.*?\.value = (\S+)`, file), "", "")
	page(t, found(t, `<Prompt>Log out</Prompt><URI>([^<]*)`, menu), "", "")
	d.is(yealinkDesk)
	if tr := o.ready(yealinkDesk, ""); tr.Kind != trace.Logout {
		t.Errorf("the newest trace is a %s", tr.Kind)
	}
	for _, secret := range []string{"pin=", "ext=", found(t, `/app/([^/]+)/`, file)} {
		if strings.Contains(o.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
