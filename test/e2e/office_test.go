package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/app"
	"perch/internal/config"
)

// The desks of officeFile.
const (
	yealinkDesk   = "001565aabb01"
	yealinkDesk2  = "001565aabb02"
	snomDesk      = "000413aabb03"
	snomDesk2     = "000413aabb04"
	panasonicDesk = "bcc342aabb05"
	bareDesk      = "001565aabb06" // baresip's and SIPp's
	bareDesk2     = "001565aabb07"
)

// secretOf is a desk's HTTP password in officeFile.
func secretOf(mac string) directory.Secret { return directory.Secret("dev-" + mac) }

// officeFile is the directory of every test here: two tenants, and desks of
// three brands, of which one has no templates yet.
const officeFile = `
tenants:
  - code: acme
    domains: [acme.test]
    extensions:
      - {number: "1001", name: Ada Lovelace, pin: "4321", keys: [{type: blf, value: "1002", label: Grace}, {type: blf, value: "1003", label: Alan}]}
      - {number: "1002", name: Grace Hopper, pin: "8642", keys: [{type: blf, value: "1001", label: Ada}]}
      - {number: "1003", name: Alan Turing, pin: "7531", keys: [{type: blf, value: "1001", label: Ada}]}
      - {number: "1004", name: Edith Clarke, pin: "9753", policy: {on_conflict: deny}}
      - {number: "1005", name: Hedy Lamarr, pin: "1597", sip_password: hedys-own-password}
    devices:
      - {mac: "001565aabb01", brand: yealink, model: T46U, desk: "Desk 1", secret: dev-001565aabb01}
      - {mac: "001565aabb02", brand: yealink, model: T46U, desk: "Desk 2", secret: dev-001565aabb02}
      - {mac: "000413aabb03", brand: snom, model: D785, desk: "Desk 3", secret: dev-000413aabb03}
      - {mac: "000413aabb04", brand: snom, model: D785, desk: "Desk 4", secret: dev-000413aabb04, policy: {on_occupied: deny}}
      - {mac: "bcc342aabb05", brand: panasonic, model: KX-HDV330, desk: "Desk 5", secret: dev-bcc342aabb05, sip_secret: panasonic-by-hand}
      - {mac: "001565aabb06", brand: yealink, model: T46U, desk: "Desk 6", secret: dev-001565aabb06}
      - {mac: "001565aabb07", brand: yealink, model: T46U, desk: "Desk 7", secret: dev-001565aabb07}
  - code: globex
    domains: [globex.test]
    extensions:
      - {number: "1001", name: Hank Scorpio, pin: "8080"}
    devices:
      - {mac: "001565cccc01", brand: yealink, model: T46U, desk: "Volcano", secret: dev-001565cccc01}
`

// office is a Perch that runs inside the test.
type office struct {
	*app.App
	t   testing.TB
	dir string
	log *journal
}

// open starts a Perch with officeFile loaded; it ends with the test.
func open(t testing.TB) *office {
	t.Helper()
	return openWith(t, officeFile)
}

func openWith(t testing.TB, file string, change ...func(*config.Config)) *office {
	t.Helper()
	dir := shortDir(t)
	cfg := settings(t, dir, file)
	for _, f := range change {
		f(&cfg)
	}
	o := &office{t: t, dir: dir, log: &journal{}}
	var err error
	o.App, err = app.Start(t.Context(), cfg, app.Build{Version: "e2e"}, slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatalf("perch does not start: %v\n%s", err, o.log)
	}
	t.Cleanup(func() {
		if err := o.Stop(); err != nil {
			t.Errorf("perch does not stop: %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", o.log)
		}
	})
	return o
}

// settings are those of a server on free ports of the loopback whose data is
// in dir.
func settings(t testing.TB, dir, file string) config.Config {
	t.Helper()
	name := filepath.Join(dir, "office.yaml")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.DataDir = filepath.Join(dir, "data")
	c.SIP.Listen = []config.Listener{{Transport: "udp", Host: "127.0.0.1"}, {Transport: "tcp", Host: "127.0.0.1"}}
	c.Provisioning.Listen, c.Portal.Listen, c.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Apply = []string{name}
	return c
}

// shortDir is a folder of the test whose path leaves room for the name of a
// unix socket, which may have 107 bytes.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// sip is the host:port of a SIP listener.
func (o *office) sip(transport string) string {
	o.t.Helper()
	for _, a := range o.Addresses().SIP {
		if at, ok := strings.CutPrefix(a, transport+"://"); ok {
			return at
		}
	}
	o.t.Fatalf("no %s listener in %v", transport, o.Addresses().SIP)
	return ""
}

func httpURL(a netip.AddrPort) string { return "http://" + a.String() }

func device(t testing.TB, mac string) directory.DeviceID {
	t.Helper()
	m, err := directory.ParseMAC(mac)
	if err != nil {
		t.Fatal(err)
	}
	return directory.DeviceID{Tenant: "acme", MAC: m}
}

// within is a context that ends before the test's patience does.
func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually looks again and again until ok holds, and fails the test when it
// never does.
func eventually(t testing.TB, what string, patience time.Duration, ok func() bool) {
	t.Helper()
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// journal keeps a log, from any goroutine.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

// String is all that was written.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func extension(number string) directory.ExtensionID {
	return directory.ExtensionID{Tenant: "acme", Number: number}
}
