package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"perch/internal/sim"
)

// limited is officeFile with a policy for one extension.
func limited(policy string) string {
	return strings.Replace(officeFile, `pin: "4321",`, `pin: "4321", policy: {`+policy+`},`, 1)
}

// audited is a line of the audit, as REST gives it.
type audited struct {
	Act, Tenant                                                                     string
	Extension, Desk, MAC, Door, By, Rule, Result, Source, Site, Trace, Detail, Text *string
	At                                                                              time.Time
}

func word(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

// audit waits until the audit has a line: "act result extension desk door by".
func (r rest) audit(t testing.TB, want string) {
	t.Helper()
	var lines []string
	defer func() {
		if t.Failed() {
			t.Logf("the audit:\n%s", strings.Join(lines, "\n"))
		}
	}()
	eventually(t, "the audit says "+want, 30*time.Second, func() bool {
		var all []audited
		status, body := r.ask(t.Context(), http.MethodGet, "/audit?tenant=acme&limit=1000", nil)
		if status != 200 || json.Unmarshal(body, &all) != nil {
			return false
		}
		lines = lines[:0]
		for _, a := range all {
			lines = append(lines, fmt.Sprintf("%s %s %s %s %s %s", a.Act, word(a.Result), word(a.Extension), word(a.Desk), word(a.Door), word(a.By)))
		}
		return slices.Contains(lines, want)
	})
}

// seated asks the audit who sat at a desk at a moment; "": nobody, or unknown.
func (r rest) seated(t testing.TB, desk string, at time.Time) string {
	t.Helper()
	var seats []struct{ Extension *string }
	r.list(t, "/audit/seated?desk="+url.QueryEscape(desk)+"&at="+url.QueryEscape(at.UTC().Format(time.RFC3339Nano)), &seats)
	if len(seats) != 1 {
		return ""
	}
	if seats[0].Extension == nil {
		return ""
	}
	return *seats[0].Extension
}

// when is the time of the first record of an act.
func (r rest) when(t testing.TB, act string) time.Time {
	t.Helper()
	var all []audited
	r.list(t, "/audit?act="+act, &all)
	if len(all) == 0 {
		t.Fatal("no record of a", act)
	}
	return all[0].At
}

// TestSessionEndsByItself: nobody does anything, and the phone is nobody's again.
func TestSessionEndsByItself(t *testing.T) {
	t.Parallel()
	o := openWith(t, limited("max_session: 4s"))
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	began := time.Now()
	d.dial("*11*1001*4321")
	eventually(t, "the session ends", time.Minute, func() bool { return o.sits(yealinkDesk) == "" })
	if lasted := time.Since(began); lasted < 4*time.Second {
		t.Errorf("it ended after %s", lasted)
	}
	d.becomes(yealinkDesk, time.Minute)
	r := o.rest()
	r.audit(t, "login ok 1001 Desk 1 feature-code -")
	r.audit(t, "logout max_session 1001 Desk 1 - -")
	// The call may have taken longer than the session on a busy machine: look at
	// the moment of the login itself.
	if who := r.seated(t, "Desk 1", r.when(t, "login").Add(time.Second)); who != "1001" {
		t.Errorf("the audit says that %q sat there", who)
	}
	if who := r.seated(t, "desk 1", time.Now()); who != "" {
		t.Errorf("the audit says that %q sits there", who)
	}
}

// TestIdleLogout: a phone that nobody touches is left, one that is used is not.
func TestIdleLogout(t *testing.T) {
	t.Parallel()
	o := openWith(t, limited("idle_logout: 10s, warn_before: 1s"))
	d := o.phone(sim.Snom, snomDesk)
	d.is(snomDesk)
	d.hears(true, d.dial("*11*1001*4321"))
	used := time.Now()
	for range 3 { // each call begins the time anew
		began := time.Now()
		d.dial("*13")
		if o.sits(snomDesk) == "1001" { // else this machine was slower than that
			used = began
		}
	}
	eventually(t, "the session ends", time.Minute, func() bool { return o.sits(snomDesk) == "" })
	if idle := time.Since(used); idle < 10*time.Second {
		t.Errorf("it ended %s after a call", idle)
	}
	d.becomes(snomDesk, time.Minute)
	o.rest().audit(t, "logout idle 1001 Desk 3 - -")
}

// TestWarningOnTheScreen: the phone shows that the session is about to end.
func TestWarningOnTheScreen(t *testing.T) {
	t.Parallel()
	o := openWith(t, strings.Replace(limited("max_session: 25s, warn_before: 10s"), "domains: [acme.test]", "domains: [acme.test]\n    policy: {screen: {push: messages}}", 1))
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	d.hears(true, d.dial("*11*1001*4321"))
	eventually(t, "the warning is shown", time.Minute, func() bool {
		return strings.Contains(d.State().Shown, "logged out here in")
	})
}

// sits tells who sits at a desk.
func (o *office) sits(mac string) string {
	o.t.Helper()
	seats, err := o.Store().Seats(o.t.Context(), device(o.t, mac))
	if err != nil {
		o.t.Fatal(err)
	}
	b, _ := seats.At(1)
	return b.Number
}

// TestEndsAndAuditSurviveACrash: a session whose time is over while nothing runs
// ends when something does, and the audit knows what was before.
func TestEndsAndAuditSurviveACrash(t *testing.T) {
	t.Parallel()
	s := serve(t, limited("max_session: 3s"))
	status, body := s.rest().ask(t.Context(), http.MethodPost, "/login", map[string]string{"tenant": "acme", "extension": "1001", "mac": yealinkDesk})
	if status != 200 {
		t.Fatal(status, string(body))
	}
	sat := time.Now()
	s.kill()
	<-time.After(time.Until(sat.Add(3500 * time.Millisecond))) // the session's own time
	s.start()
	r := s.rest()
	r.audit(t, "login ok 1001 Desk 1 api admin")
	r.audit(t, "logout max_session 1001 Desk 1 - -")
	if who := r.seated(t, "Desk 1", sat); who != "1001" {
		t.Errorf("the audit says that %q sat there", who)
	}
	out, err := exec.Command(perch(t), "audit", "--config", filepath.Join(s.dir, "perch.yaml"),
		"--desk", "Desk 1", "--at", sat.Format(time.RFC3339Nano)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1001") {
		t.Errorf("perch audit: %v\n%s", err, out)
	}
	t.Logf("perch audit --desk \"Desk 1\" --at ...\n%s", out)
}
