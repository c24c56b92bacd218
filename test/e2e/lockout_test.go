package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"perch/internal/sim"
)

// form finds the login form of a phone's own screen.
func (o *office) form(t testing.TB) string {
	t.Helper()
	_, file := page(t, httpURL(o.Addresses().Provisioning)+"/"+yealinkDesk+".cfg", yealinkDesk, secretOf(yealinkDesk).Reveal())
	_, menu := page(t, found(t, `(?s)\.type = 27\n.*?\.value = (\S+)`, file), "", "")
	_, form := page(t, found(t, `<Prompt>Log in</Prompt><URI>([^<]*)`, menu), "", "")
	return found(t, `<URL>([^<]*)`, form)
}

type lockout struct {
	Kind                      string
	Tenant, Extension, Source *string
	Failures                  *int
	Locked                    bool
}

func (r rest) lockouts(t testing.TB) (out []string) {
	t.Helper()
	var all []lockout
	r.list(t, "/lockouts", &all)
	for _, l := range all {
		n := 0
		if l.Failures != nil {
			n = *l.Failures
		}
		out = append(out, fmt.Sprintf("%s %s %s %d %v", l.Kind, word(l.Extension), word(l.Source), n, l.Locked))
	}
	return out
}

// TestLockoutIsOneForAllDoors: wrong PINs on the screen and by feature code count
// together, and the right one is refused at both until an admin lifts it.
func TestLockoutIsOneForAllDoors(t *testing.T) {
	t.Parallel()
	o := open(t)
	r := o.rest()
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	for n := range 3 {
		d.hears(false, d.dial(fmt.Sprintf("*11*1001*000%d", n)))
	}
	for n := range 2 {
		_, text := page(t, o.form(t)+fmt.Sprintf("?ext=1001&pin=111%d", n), "", "")
		if !strings.Contains(text, "is not right") {
			t.Errorf("the screen says\n%s", text)
		}
	}
	d.hears(false, d.dial("*11*1001*4321"))
	if _, text := page(t, o.form(t)+"?ext=1001&pin=4321", "", ""); !strings.Contains(text, "Too many wrong PINs") {
		t.Errorf("the screen says\n%s", text)
	}
	if o.sits(yealinkDesk) != "" {
		t.Fatal("the right PIN opened a locked door")
	}
	// Others at this phone, and this person at another, are not concerned.
	d.hears(true, d.dial("*11*1002*8642"))
	other := o.phone(sim.Snom, snomDesk)
	other.is(snomDesk)
	other.hears(true, other.dial("*11*1001*4321"))

	want := "source 1001 device:" + yealinkDesk + " 5 true"
	if got := strings.Join(r.lockouts(t), "\n"); !strings.Contains(got, want) {
		t.Errorf("listed are\n%s\nwant %s", got, want)
	}
	r.audit(t, "refused bad_credentials - Desk 1 phone-app -")
	r.audit(t, "refused locked - Desk 1 feature-code -")
	r.audit(t, "lockout source 1001 Desk 1 - -")
	status, body := r.ask(t.Context(), http.MethodPost, "/lockouts/lift", map[string]string{"tenant": "acme", "extension": "1001", "source": yealinkDesk})
	if status != 200 || !strings.Contains(string(body), `"lockouts":1`) {
		t.Error(status, string(body))
	}
	r.audit(t, "lift - 1001 Desk 1 api admin")
	d.becomes("1002", time.Minute)
	d.hears(true, d.dial("*11*1001*4321"))
	if o.sits(yealinkDesk) != "1001" {
		t.Error("it was lifted, and is still locked")
	}
	for _, pin := range []string{"0000", "1110", "4321"} {
		if strings.Contains(o.log.String(), pin+"\n") || strings.Contains(o.log.String(), "*"+pin) {
			t.Errorf("the PIN %s is in the log", pin)
		}
	}
}

// TestGuessingFromManyPhones: too few wrong PINs at each phone to lock it, but
// together they delay the answers and raise the alarm; who logged in before at a
// phone is refused nothing there.
func TestGuessingFromManyPhones(t *testing.T) {
	t.Parallel()
	o := open(t)
	r := o.rest()
	known := o.phone(sim.Yealink, yealinkDesk2)
	known.is(yealinkDesk2)
	known.hears(true, known.dial("*11*1003*7531"))
	known.becomes("1003", time.Minute)
	phones := []*desk{o.phone(sim.Yealink, yealinkDesk), o.phone(sim.Snom, snomDesk), o.phone(sim.Snom, snomDesk2)}
	for i, d := range phones {
		d.is([]string{yealinkDesk, snomDesk, snomDesk2}[i])
	}
	for n := range 4 {
		for _, d := range phones {
			d.hears(false, d.dial(fmt.Sprintf("*11*1003*222%d", n)))
		}
	}
	r.audit(t, "lockout extension 1003 - - -")
	eventually(t, "the metric counts it", 30*time.Second, func() bool {
		_, text := get(httpURL(o.Addresses().Metrics) + "/metrics")
		return strings.Contains(text, `perch_lockouts_total{reason="extension"} 1`)
	})
	// Not locked out from a distance.
	known.hears(true, known.dial("*12"))
	known.becomes(yealinkDesk2, time.Minute)
	known.hears(true, known.dial("*11*1003*7531"))
	got := strings.Join(r.lockouts(t), "\n")
	for _, want := range []string{"extension 1003 - 12 false", "source 1003 device:" + snomDesk + " 4 false"} {
		if !strings.Contains(got, want) {
			t.Errorf("listed are\n%s\nwant %s", got, want)
		}
	}
}
