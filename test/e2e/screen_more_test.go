package e2e

import (
	"fmt"
	"strings"
	"testing"

	"perch/internal/config"
	"perch/internal/sim"
)

// menuOf opens the menu that a Yealink's file leads to, and gives the page of one
// of its lines.
func (o *office) menuOf(mac, line string) string {
	o.t.Helper()
	_, file := page(o.t, httpURL(o.Addresses().Provisioning)+"/"+mac+".cfg", mac, secretOf(mac).Reveal())
	_, menu := page(o.t, found(o.t, `(?s)\.type = 27\n.*?\.value = (\S+)`, file), "", "")
	_, text := page(o.t, found(o.t, `<Prompt>`+line+`</Prompt><URI>([^<]*)`, menu), "", "")
	return text
}

// TestPersonChangesThePIN at the phone; the new one logs in, the old one does not.
func TestPersonChangesThePIN(t *testing.T) {
	t.Parallel()
	o := openWith(t, strings.Replace(officeFile, `{type: blf, value: "1003", label: Alan}`, `{type: logout}`, 1))
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	o.rest().login(t.Context(), "1001", yealinkDesk)
	d.is("1001")
	form := found(t, `<URL>([^<]*)`, o.menuOf(yealinkDesk, "Change PIN"))
	_, text := page(t, form+"?old=4321&new=1111&again=1111", "", "")
	if !strings.Contains(text, "Not done") {
		t.Errorf("a PIN that anybody guesses: %s", text)
	}
	form = found(t, `<URL>([^<]*)`, o.menuOf(yealinkDesk, "Change PIN"))
	if _, text = page(t, form+"?old=4321&new=739182&again=739182", "", ""); !strings.Contains(text, "Your PIN is changed") {
		t.Fatal(text)
	}
	code := func(text string) string { return found(t, `Code ([0-9a-f]{8})\.`, text) }
	form = found(t, `<URL>([^<]*)`, o.menuOf(yealinkDesk, "Log in"))
	_, text = page(t, form+"?ext=1001&pin=4321", "", "")
	if !strings.Contains(text, "Extension or PIN is not right") {
		t.Fatalf("the old PIN: %s", text)
	}
	if out := o.admin("trace", "--code", code(text)); !strings.Contains(out, "bad_credentials") || !strings.Contains(out, yealinkDesk) {
		t.Errorf("perch trace --code says\n%s", out)
	}
	form = found(t, `<URL>([^<]*)`, o.menuOf(yealinkDesk, "Log in"))
	if _, text = page(t, form+"?ext=1001&pin=739182", "", ""); strings.Contains(text, "Not done") {
		t.Errorf("the new PIN: %s", text)
	}
	for _, pin := range []string{"739182", "1111"} {
		if strings.Contains(o.log.String(), pin) {
			t.Errorf("%s is in the log", pin)
		}
	}
}

// TestTwoLoginButtons: a login by the external one moves the phone to the second
// address, the internal one brings it back.
func TestTwoLoginButtons(t *testing.T) {
	t.Parallel()
	web, sip := freePort(t), freePort(t)
	o := openWith(t, officeFile, func(c *config.Config) {
		c.Provisioning.Listen = fmt.Sprintf("127.0.0.1:%d", web)
		c.Provisioning.BaseURL = fmt.Sprintf("http://127.0.0.1:%d", web)
		c.Provisioning.ExternalURL = fmt.Sprintf("http://localhost:%d", web)
		c.SIP.Listen = []config.Listener{{Transport: "udp", Host: "127.0.0.1", Port: sip}}
	})
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	for _, c := range []struct{ button, host, number, pin string }{
		{"external", "localhost", "1004", "9753"}, {"internal", "127.0.0.1", "1005", "1597"},
	} {
		form := found(t, `<URL>([^<]*)`, o.menuOf(yealinkDesk, `Log in \(`+c.button+`\)`))
		page(t, form+"?ext="+c.number+"&pin="+c.pin, "", "")
		d.is(c.number)
		o.ready(yealinkDesk, c.number)
		_, file := page(t, httpURL(o.Addresses().Provisioning)+"/"+yealinkDesk+".cfg", yealinkDesk, secretOf(yealinkDesk).Reveal())
		for _, want := range []string{
			fmt.Sprintf("static.auto_provision.server.url = http://%s:%d/", c.host, web), "account.1.outbound_proxy.1.address = " + c.host + "\n",
			fmt.Sprintf(".value = http://%s:%d/app/", c.host, web),
		} {
			if !strings.Contains(file, want) {
				t.Errorf("%s: no %q in\n%s", c.button, want, file)
			}
		}
	}
}
