package sip_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSIPp: a client that nobody here wrote registers, by both transports and
// with every kind of credential.
func TestSIPp(t *testing.T) {
	program, err := exec.LookPath("sipp")
	if err != nil {
		t.Fatal("sipp is needed (Debian: sip-tester):", err)
	}
	scenario, err := filepath.Abs("testdata/register.xml")
	if err != nil {
		t.Fatal(err)
	}
	o := open(t)
	mac := desk1.MAC.String()
	session := o.login("1002", desk1)
	users := filepath.Join(t.TempDir(), "users.csv")
	text := "SEQUENTIAL\n"
	for _, u := range [][3]string{{mac, mac, o.account(desk1).Reveal()}, {"1002", mac, session.Reveal()}, {"1001", "1001", "s3cret"}} {
		text += fmt.Sprintf("%s;[authentication username=%s password=%s];\n", u[0], u[1], u[2])
	}
	if err := os.WriteFile(users, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for tp, at := range map[string]string{"u1": o.udp, "t1": o.tcp} {
		cmd := exec.CommandContext(
			t.Context(), program, at, "-sf", scenario, "-inf", users, "-t", tp, "-i", "127.0.0.1",
			"-m", "9", "-l", "1", "-timeout", "30s", "-timeout_error", "-nostdin", "-trace_err", "-error_file", filepath.Join(t.TempDir(), "errors"),
		)
		cmd.Dir = t.TempDir()
		if out, err := cmd.CombinedOutput(); err != nil {
			errs, _ := os.ReadFile(cmd.Args[len(cmd.Args)-1])
			t.Errorf("sipp %s: %v\n%s\n%s", tp, err, out, errs)
		}
	}
	for _, user := range []string{mac, "1001", "1002"} {
		if set, err := o.store.Contacts(t.Context(), "acme", user); err != nil || len(set.Contacts) > 0 {
			t.Errorf("%s has %+v, %v", user, set.Contacts, err)
		}
	}
}
