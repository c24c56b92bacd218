package e2e

import (
	"encoding/json"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/trace"
	"perch/internal/config"
	"perch/internal/sim"
)

// confirms signs in as a person and confirms a code.
func (o *office) confirms(code, user, password, body string) (status int, answer string) {
	o.t.Helper()
	return curl(o.t, "-s", "-u", user+":"+password, "-H", "Content-Type: application/json", "-d", body,
		httpURL(o.Addresses().Portal)+"/api/v1/qr/"+code)
}

// TestPersonLogsInByCode: the phone shows a code, the person confirms it where they
// are signed in, and the screen follows until the desk is ready.
func TestPersonLogsInByCode(t *testing.T) {
	t.Parallel()
	file := strings.Replace(officeFile, `name: Ada Lovelace, pin: "4321"`, `name: Ada Lovelace, password: correct-horse-battery, pin: "4321"`, 1)
	o := openWith(t, file)
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	_, text := page(t, httpURL(o.Addresses().Provisioning)+"/"+yealinkDesk+".cfg", yealinkDesk, secretOf(yealinkDesk).Reveal())
	menu := found(t, `(?s)\.type = 27\n.*?\.value = (\S+)`, text)
	_, text = page(t, menu, "", "")
	show := found(t, `<Prompt>Log in by code</Prompt><URI>([^<]*)`, text)
	header, text := page(t, show, "", "")
	code := found(t, `confirm code ([0-9A-Z]{4}-[0-9A-Z]{4}) where`, text)
	follow := func() {
		_, next, ok := strings.Cut(header.Get("Refresh"), ";url=")
		if !ok {
			t.Fatalf("the page leads nowhere: %s", text)
		}
		header, text = page(t, next, "", "")
	}
	follow()
	if !strings.Contains(text, code) {
		t.Errorf("the code is gone: %s", text)
	}

	for _, c := range []struct {
		name, code, user, password, body string
		status                           int
	}{
		{"a wrong password", code, "1001@acme", "correct-mule", `{}`, http.StatusUnauthorized},
		{"nobody", code, "1999@acme", "correct-horse-battery", `{}`, http.StatusUnauthorized},
		{"another tenant", code, "1001@globex", "correct-horse-battery", `{}`, http.StatusUnauthorized},
		{"no tenant", code, "1001", "correct-horse-battery", `{}`, http.StatusUnauthorized},
		{"for somebody else", code, "1001@acme", "correct-horse-battery", `{"extension":"1002"}`, http.StatusBadRequest},
		{"another code", "AAAA-AAAA", "1001@acme", "correct-horse-battery", `{}`, http.StatusNotFound},
		{"right", strings.ToLower(code), "1001@acme", "correct-horse-battery", `{}`, http.StatusOK},
		{"again", code, "1001@acme", "correct-horse-battery", `{}`, http.StatusNotFound},
	} {
		if status, answer := o.confirms(c.code, c.user, c.password, c.body); status != c.status {
			t.Fatalf("%s: %d %s", c.name, status, answer)
		}
	}
	d.is("1001")
	tr := o.ready(yealinkDesk, "1001")
	whole(t, tr)
	if tr.Door != "portal" {
		t.Errorf("door %q", tr.Door)
	}
	eventually(t, "the screen says ready", 30*time.Second, func() bool {
		if header.Get("Refresh") != "" {
			follow()
		}
		return strings.Contains(text, "The desk is yours, Ada Lovelace.")
	})
	if strings.Contains(o.log.String(), "horse") {
		t.Error("the password is in the log")
	}

	// The admin acts for somebody; the person's credentials open nothing else.
	_, text = page(t, menu, "", "")
	_, text = page(t, found(t, `<Prompt>Log in by code</Prompt><URI>([^<]*)`, text), "", "")
	code = found(t, `confirm code ([0-9A-Z]{4}-[0-9A-Z]{4}) where`, text)
	if status, answer := o.rest().ask(t.Context(), http.MethodPost, "/qr/"+code, map[string]string{"tenant": "acme", "extension": "1002"}); status != http.StatusOK {
		t.Fatalf("the admin's token: %d %s", status, answer)
	}
	d.is("1002")
	if tr := o.trace(yealinkDesk, "of 1002", func(tr trace.Trace) bool { return tr.Number == "1002" }); tr.Door != "api" {
		t.Errorf("door %q", tr.Door)
	}
	if status, _ := curl(t, "-s", "-u", "1001@acme:correct-horse-battery", httpURL(o.Addresses().Portal)+"/api/v1/mapping"); status != http.StatusUnauthorized {
		t.Errorf("a person reads the mapping: %d", status)
	}
}

// A desk that wants to be asked, a code that is put back, and a picture of where
// it is confirmed.
func TestACodeAsks(t *testing.T) {
	t.Parallel()
	file := strings.NewReplacer(
		"domains: [acme.test]", "domains: [acme.test]\n    language: de\n    policy: {on_occupied: ask}",
		`name: Ada Lovelace, pin: "4321"`, `name: Ada Lovelace, password: correct-horse-battery, pin: "4321"`,
	).Replace(officeFile)
	o := openWith(t, file)
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	o.rest().login(t.Context(), "1002", yealinkDesk)
	d.is("1002")
	_, text := page(t, httpURL(o.Addresses().Provisioning)+"/"+yealinkDesk+".cfg", yealinkDesk, secretOf(yealinkDesk).Reveal())
	_, text = page(t, found(t, `(?s)\.type = 27\n.*?\.value = (\S+)`, text), "", "")
	_, text = page(t, found(t, `<Prompt>Anmelden mit Code</Prompt><URI>([^<]*)`, text), "", "")
	code := found(t, `Code ([0-9A-Z]{4}-[0-9A-Z]{4}) best`, text)
	status, answer := o.confirms(code, "1001@acme", "correct-horse-battery", `{}`)
	var problem struct{ Reason string }
	if err := json.Unmarshal([]byte(answer), &problem); err != nil || status != http.StatusConflict || problem.Reason != "ask" {
		t.Fatalf("%d %s", status, answer)
	}
	if status, answer = o.confirms(code, "1001@acme", "correct-horse-battery", `{"confirm":true}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	d.is("1001")
}

// The picture is a PNG; where people reach the portal is not known, there is none.
func TestPictureOfACode(t *testing.T) {
	t.Parallel()
	o := openWith(t, officeFile, func(c *config.Config) { c.Portal.BaseURL = "https://perch.example.test/" })
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	_, text := page(t, httpURL(o.Addresses().Provisioning)+"/"+yealinkDesk+".cfg", yealinkDesk, secretOf(yealinkDesk).Reveal())
	_, text = page(t, found(t, `(?s)\.type = 27\n.*?\.value = (\S+)`, text), "", "")
	_, text = page(t, found(t, `<Prompt>Log in by code</Prompt><URI>([^<]*)`, text), "", "")
	picture := found(t, `<Image [^>]*>([^<]*)</Image>`, text)
	res, err := http.Get(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	shown, err := png.Decode(res.Body)
	if err != nil || res.Header.Get("Content-Type") != "image/png" || shown.Bounds().Dx() < 100 || shown.Bounds().Dx() > 200 {
		t.Errorf("%v %s %v", err, res.Header, shown)
	}
	_, text = page(t, found(t, `<Label>As text</Label><URI>([^<]*)`, text), "", "")
	found(t, `confirm code ([0-9A-Z]{4}-[0-9A-Z]{4}) where`, text)
}
