package e2e

import (
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"perch/internal/sim"
)

// TestRedisAway: while Redis does not answer, everybody is told to come back
// later and nothing is guessed; when it answers again everything goes on, and
// what was acknowledged is there.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	o := open(t)
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	d.hears(true, d.dial("*11*1001*4321"))
	d.is("1001")
	o.ready(yealinkDesk, "1001")
	account := o.yealinkFile(bareDesk)
	file := httpURL(o.Addresses().Provisioning) + "/" + bareDesk + ".cfg"
	page := httpURL(o.Addresses().Metrics) + "/readyz"

	redis := redisPID(t, filepath.Join(o.dir, "data"))
	signal(t, redis, syscall.SIGSTOP)
	stopped := true
	goOn := func() {
		if stopped {
			stopped = false
			signal(t, redis, syscall.SIGCONT)
		}
	}
	t.Cleanup(goOn)

	w := dialWire(t, o.sip("udp"))
	if m := w.register(account, 600); m.status() != "503" || m.header("Retry-After") == "" {
		t.Errorf("REGISTER: %s, Retry-After %q", m.line, m.header("Retry-After"))
	}
	headers, _ := try(t, "curl", "-sS", "-o", "/dev/null", "-D", "-", "--max-time", "15", "--user", bareDesk+":"+secretOf(bareDesk).Reveal(), file)
	if !strings.HasPrefix(headers, "HTTP/1.1 503") || !strings.Contains(headers, "Retry-After: ") {
		t.Errorf("configuration:\n%s", headers)
	}
	headers, _ = try(t, "curl", "-sS", "-o", "/dev/null", "-D", "-", "--max-time", "15", "-H", "Authorization: Bearer "+o.Token().Reveal(), httpURL(o.Addresses().Portal)+"/api/v1/mapping")
	if !strings.HasPrefix(headers, "HTTP/1.1 503") || !strings.Contains(headers, "Retry-After: ") {
		t.Errorf("REST:\n%s", headers)
	}
	if status := o.rest().login(t.Context(), "1002", bareDesk); status != http.StatusServiceUnavailable {
		t.Errorf("login by REST: %d", status)
	}
	eventually(t, "/readyz names redis", 15*time.Second, func() bool {
		status, body := get(page)
		return status == http.StatusServiceUnavailable && strings.Contains(body, `{"part":"redis","ready":false,`)
	})
	if status, _ := get(httpURL(o.Addresses().Metrics) + "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}
	if r := d.dial("*13"); r.Status != http.StatusServiceUnavailable {
		t.Errorf("a feature code: %d", r.Status)
	}

	goOn()
	eventually(t, "/readyz is 200 again", 15*time.Second, func() bool { status, _ := get(page); return status == http.StatusOK })
	if m := w.register(account, 600); m.status() != "200" {
		t.Errorf("REGISTER: %s", m.line)
	}
	if status, _ := curl(t, "--user", bareDesk+":"+secretOf(bareDesk).Reveal(), file); status != http.StatusOK {
		t.Errorf("configuration: %s", strconv.Itoa(status))
	}
	if status := o.rest().login(t.Context(), "1002", bareDesk); status != http.StatusOK {
		t.Errorf("login by REST: %d", status)
	}
	d.hears(true, d.dial("*13"))
	d.is("1001")
	var rows []struct{ Extension, MAC string }
	o.rest().list(t, "/mapping", &rows)
	if len(rows) != 2 {
		t.Errorf("mapping: %+v", rows)
	}
}
