package conformance

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perch/internal/app"
	"perch/internal/config"
)

const password = "s3cret"

// office is a Perch that runs inside the test.
type office struct {
	*app.App
	t testing.TB
}

// open starts a Perch on free ports of the loopback, in memory. Each of the users
// is an extension with the static password.
func open(t testing.TB, users []string, change ...func(*config.Config)) *office {
	t.Helper()
	var b strings.Builder
	b.WriteString("tenants:\n  - code: acme\n    domains: [acme.test]\n    extensions:\n")
	for _, u := range users {
		fmt.Fprintf(&b, "      - {number: %q, name: Test, sip_password: %s}\n", u, password)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "office.yaml")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.DataDir, c.Redis.URL, c.Apply = filepath.Join(dir, "data"), "memory:", []string{name}
	c.SIP.Listen = []config.Listener{{Transport: "udp", Host: "127.0.0.1"}, {Transport: "tcp", Host: "127.0.0.1"}}
	c.Provisioning.Listen, c.Portal.Listen, c.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	for _, f := range change {
		f(&c)
	}
	a, err := app.Start(t.Context(), c, app.Build{Version: "conformance"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("perch does not start: %v", err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Errorf("perch does not stop: %v", err)
		}
	})
	return &office{a, t}
}

// at is the host:port of a SIP listener.
func (o *office) at(transport string) string {
	o.t.Helper()
	for _, a := range o.Addresses().SIP {
		if at, ok := strings.CutPrefix(a, transport+"://"); ok {
			return at
		}
	}
	o.t.Fatalf("no %s listener in %v", transport, o.Addresses().SIP)
	return ""
}
