package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// run starts a program that nobody here wrote and gives back what it said. A
// program that takes too long, or whose exit is not zero, fails the test.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, code := try(t, name, args...)
	if code != 0 {
		t.Fatalf("%s %s: exit %d\n%s", name, strings.Join(args, " "), code, out)
	}
	return out
}

// try is run for a program that may fail.
func try(t testing.TB, name string, args ...string) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	cmd := program(ctx, t, name, args...)
	text, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		return string(text), exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return string(text), 0
}

// program builds a command that dies with ctx.
func program(ctx context.Context, t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed; make test installs it: %v", name, err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = t.TempDir()
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// redis asks Perch's own redis-server, as an administrator would.
func (o *office) redis(args ...string) string {
	o.t.Helper()
	return redisAt(o.t, filepath.Join(o.dir, "data"), args...)
}

func redisAt(t testing.TB, dataDir string, args ...string) string {
	t.Helper()
	socket := filepath.Join(dataDir, "redis.sock")
	return strings.TrimSpace(run(t, "redis-cli", append([]string{"-s", socket, "--raw"}, args...)...))
}

// curl fetches a URL and gives back the status and the body.
func curl(t testing.TB, args ...string) (status int, body string) {
	t.Helper()
	out, code := try(t, "curl", append([]string{"-sS", "--max-time", "20", "-w", "\n%{http_code}"}, args...)...)
	// 56: the server has answered and closed before all was sent.
	if code != 0 && (code != 56 || strings.HasSuffix(out, "000")) {
		t.Fatalf("curl %v: exit %d\n%s", args, code, out)
	}
	body, last, _ := cutLast(out, "\n")
	if _, err := fmt.Sscanf(last, "%d", &status); err != nil {
		t.Fatalf("curl says %q", out)
	}
	return status, body
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// account is what a Yealink file tells the phone of its first line.
type account struct{ user, auth, password, host, proxy string }

// yealinkFile fetches a phone's own file with its secret, as the phone would.
func (o *office) yealinkFile(mac string) account {
	o.t.Helper()
	status, body := curl(o.t, "--user", mac+":"+secretOf(mac).Reveal(), httpURL(o.Addresses().Provisioning)+"/"+mac+".cfg")
	if status != 200 {
		o.t.Fatalf("%s.cfg: %d\n%s", mac, status, body)
	}
	s := settingsOf(body)
	a := account{
		user: s["account.1.user_name"], auth: s["account.1.auth_name"], password: s["account.1.password"],
		host: s["account.1.sip_server.1.address"], proxy: s["account.1.outbound_proxy.1.address"],
	}
	if a.user == "" || a.auth != mac || len(a.password) < 20 {
		o.t.Fatalf("%s.cfg holds no account:\n%s", mac, body)
	}
	return a
}

// settingsOf reads lines of the form "key = value".
func settingsOf(body string) map[string]string {
	s := map[string]string{}
	for line := range strings.Lines(body) {
		if k, v, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			s[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return s
}
