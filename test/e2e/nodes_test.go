package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/internal/event"
	"perch/internal/sim"
	"perch/internal/store"
)

// redis runs a redis-server on a port of its own; it ends with the test.
func redis(t testing.TB) (url string) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	cmd := exec.Command(path, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "redis-server listens", time.Minute, func() bool {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		return err == nil && c.Close() == nil
	})
	return fmt.Sprintf("redis://127.0.0.1:%d", port)
}

// twoNodes starts two Perches over one Redis and with one key.
func twoNodes(t testing.TB, file string) (one, two *office) {
	t.Helper()
	url, key := directory.Secret(redis(t)), filepath.Join(t.TempDir(), "server.key")
	shared := func(c *config.Config) { c.Redis.URL, c.KeyFile = url, key }
	return openWith(t, file, shared), openWith(t, file, shared)
}

// tally counts the events of a type since the beginning.
func (o *office) tally(kind event.Type) (n int) {
	o.t.Helper()
	ctx := within(o.t, 30*time.Second)
	seen := make(chan event.Event, 10_000)
	mark := fmt.Sprint("tally", time.Now().UnixNano())
	if err := o.Store().Append(ctx, event.Event{Type: event.DeviceArmed, Tenant: "acme", Trace: mark}); err != nil {
		o.t.Fatal(err)
	}
	go func() { _ = o.Store().Tail(ctx, store.Positions{"acme": "0"}, func(e event.Event) { seen <- e }) }()
	for {
		select {
		case e := <-seen:
			if e.Trace == mark {
				return n
			}
			if e.Type == kind {
				n++
			}
		case <-ctx.Done():
			o.t.Fatal("the events do not end")
		}
	}
}

// TestTwoNodesCountAndEndTogether: wrong PINs at one node count at the other, and
// what ends by itself ends once and is recorded once.
func TestTwoNodesCountAndEndTogether(t *testing.T) {
	t.Parallel()
	one, two := twoNodes(t, limited("max_session: 5s"))
	d := one.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	form := one.form(t)
	_, path, _ := strings.Cut(strings.TrimPrefix(form, "http://"), "/")
	atTwo := httpURL(two.Addresses().Provisioning) + "/" + path
	for n := range 3 {
		d.hears(false, d.dial(fmt.Sprintf("*11*1001*000%d", n)))
	}
	for n := range 2 {
		if _, text := page(t, atTwo+fmt.Sprintf("?ext=1001&pin=111%d", n), "", ""); !strings.Contains(text, "is not right") {
			t.Errorf("the screen says\n%s", text)
		}
	}
	if _, text := page(t, form+"?ext=1001&pin=4321", "", ""); !strings.Contains(text, "Too many wrong PINs") {
		t.Errorf("the screen of the first node says\n%s", text)
	}
	d.hears(false, d.dial("*11*1001*4321"))
	status, body := two.rest().ask(t.Context(), http.MethodPost, "/lockouts/lift", map[string]string{"tenant": "acme", "extension": "1001"})
	if status != 200 {
		t.Error(status, string(body))
	}
	d.hears(true, d.dial("*11*1001*4321"))
	eventually(t, "the session ends", time.Minute, func() bool { return one.sits(yealinkDesk) == "" })
	d.becomes(yealinkDesk, time.Minute)
	one.rest().audit(t, "logout max_session 1001 Desk 1 - -")
	if begun, ended := one.tally(event.BindingCreated), two.tally(event.BindingEnded); begun != 1 || ended != 1 {
		t.Errorf("%d logins and %d ends", begun, ended)
	}
	var records []audited
	two.rest().list(t, "/audit?act=login&act=logout", &records)
	if len(records) != 2 {
		t.Errorf("%d records of a login and a logout", len(records))
	}
}
