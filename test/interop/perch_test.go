package interop

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"perch/internal/app"
	"perch/internal/certs"
	"perch/internal/config"
	"perch/sip/location"
)

const directoryFile = `
tenants:
  - code: acme
    domains: [acme.test]
    extensions:
      - {number: "1005", name: Hedy Lamarr, pin: "1597", sip_password: hedys-own-password}
`

// password is the extension's own, for softphones.
const password = "hedys-own-password"

// perch is a running server with a listener for each transport of programs.
type perch struct {
	*app.App
	t  *testing.T
	ca string // the certificate to trust
}

func start(t *testing.T) *perch {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "office.yaml")
	if err := os.WriteFile(file, []byte(directoryFile), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.DataDir, c.Redis.URL, c.Apply = filepath.Join(dir, "data"), "memory:", []string{file}
	c.SIP.Listen = []config.Listener{
		{Transport: "udp", Host: "127.0.0.1"}, {Transport: "tcp", Host: "127.0.0.1"}, {Transport: "tls", Host: "127.0.0.1"},
	}
	c.TLS.Names = []string{"acme.test"}
	c.Provisioning.Listen, c.Portal.Listen, c.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	a, err := app.Start(t.Context(), c, app.Build{Version: "interop"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &perch{App: a, t: t, ca: certs.CAFile(c.TLSDir())}
}

// at is the port of a transport's listener.
func (p *perch) at(transport string) (hostPort, port string) {
	p.t.Helper()
	for _, a := range p.Addresses().SIP {
		if at, ok := strings.CutPrefix(a, transport+"://"); ok {
			_, port, err := net.SplitHostPort(at)
			if err != nil {
				p.t.Fatal(err)
			}
			return at, port
		}
	}
	p.t.Fatal("no listener for", transport)
	return "", ""
}

// contacts are those stored for the extension.
func (p *perch) contacts() []location.Contact {
	p.t.Helper()
	set, err := p.Store().Contacts(p.t.Context(), "acme", "1005")
	if err != nil {
		p.t.Fatal(err)
	}
	return set.Contacts
}

// registered waits for one contact by a transport, or by none for none at all.
func (p *perch) registered(transport string, out *output) {
	p.t.Helper()
	ok := wait(p.t, func() bool {
		c := p.contacts()
		return transport == "" && len(c) == 0 || transport != "" && len(c) == 1 && c[0].Flow.Transport == transport
	})
	if !ok {
		p.t.Fatalf("wanted a contact by %q, have %+v; the program says\n%s", transport, p.contacts(), out)
	}
}

func wait(t *testing.T, ok func() bool) bool {
	t.Helper()
	end, tick := time.NewTimer(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer end.Stop()
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end.C:
			return false
		}
	}
	return true
}

// output keeps what a program says.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// program prepares one that ends with ctx; it has to be installed.
func program(ctx context.Context, t *testing.T, name string, args ...string) (*exec.Cmd, *output) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed (scripts/install-deps.sh test): %v", name, err)
	}
	out := &output{}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir, cmd.WaitDelay = out, out, t.TempDir(), time.Second
	return cmd, out
}
