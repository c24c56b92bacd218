package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDemo runs the demo as a newcomer does: a login ends within ten seconds,
// the lines it says to try work, Debian's Prometheus finds everything that the
// dashboard and the alerts ask for, and Ctrl-C leaves nothing behind.
func TestDemo(t *testing.T) {
	t.Parallel()
	d := demo(t)
	d.says(`\blit\b`, 10*time.Second)
	t.Logf("lit after %s", time.Since(d.began).Round(10*time.Millisecond))
	if !t.Failed() {
		d.tries()
		d.scraped()
	}
	d.ends()
}

type demoRun struct {
	t     testing.TB
	tmp   string
	began time.Time
	cmd   *exec.Cmd
	lines chan string
	ended chan error
	said  []string
}

// demo starts perch demo with a folder of its own for temporary files.
func demo(t testing.TB) *demoRun {
	t.Helper()
	path, tmp := perch(t), shortDir(t)
	d := &demoRun{t: t, tmp: tmp, cmd: exec.Command(path, "demo", "--every", "1s"), lines: make(chan string, 1<<16), ended: make(chan error, 1)}
	d.cmd.Env = append(os.Environ(), "TMPDIR="+d.tmp, "GORACE=halt_on_error=1")
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.cmd.Stderr = d.cmd.Stdout
	d.began = time.Now()
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			d.lines <- s.Text()
		}
		close(d.lines)
		d.ended <- d.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // it has ended, or the test failed
		if t.Failed() {
			t.Logf("the demo said:\n%s", strings.Join(d.said, "\n"))
		}
	})
	return d
}

// says waits for a line, counted from the start of the demo.
func (d *demoRun) says(pattern string, patience time.Duration) string {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	if i := slices.IndexFunc(d.said, re.MatchString); i >= 0 {
		return d.said[i]
	}
	end := time.NewTimer(time.Until(d.began.Add(patience)))
	defer end.Stop()
	for {
		select {
		case line, ok := <-d.lines:
			if !ok {
				d.t.Fatalf("the demo ended before it said %s", pattern)
			}
			d.said = append(d.said, line)
			if re.MatchString(line) {
				return line
			}
		case <-end.C:
			d.t.Errorf("the demo did not say %s within %s", pattern, patience)
			return ""
		}
	}
}

// tries runs the commands that the demo offers.
func (d *demoRun) tries() {
	d.t.Helper()
	n := 0
	for _, line := range d.said {
		args, ok := strings.CutPrefix(strings.TrimSpace(line), "bin/perch ")
		if !ok {
			continue
		}
		n++
		if out, code := try(d.t, perch(d.t), strings.Fields(args)...); code != 0 && !strings.HasPrefix(args, "login") {
			d.t.Errorf("bin/perch %s: exit %d\n%s", args, code, out)
		}
	}
	if n < 3 {
		d.t.Errorf("the demo offers %d commands", n)
	}
}

// moving are series that a login a second must move.
var moving = []string{
	"perch_register_total", "perch_register_seconds_count", "perch_logins_total", "perch_login_ready_seconds_count",
	"perch_notify_total", "perch_reload_seconds_count", "perch_provisioning_requests_total", "perch_redis_seconds_count",
}

// scraped lets Prometheus watch the demo and asks it what it has seen.
func (d *demoRun) scraped() {
	t := d.t
	t.Helper()
	line := d.says(`metrics +http://`, 10*time.Second)
	page := regexp.MustCompile(`http://(\S+)/metrics`).FindStringSubmatch(line)
	if page == nil {
		t.Fatalf("no address in %q", line)
	}
	_, text := get("http://" + page[1] + "/metrics")
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}

	p := prometheus(t, page[1])
	want := named(t)
	if len(want) < 10 {
		t.Errorf("dashboard and alerts name only %v", want)
	}
	eventually(t, "a scrape", 20*time.Second, func() bool { return p.value(t, `up{job="perch"}`) == "1" })
	missing := want // one scrape that came late makes every series stale until the next
	t.Cleanup(func() {
		if len(missing) > 0 {
			t.Logf("dashboard or alerts name series that the demo does not have: %v", missing)
		}
	})
	eventually(t, "every series that dashboard and alerts name", 20*time.Second, func() bool {
		missing = slices.DeleteFunc(slices.Clone(missing), func(name string) bool { return p.value(t, "count("+name+")") != "" })
		return len(missing) == 0
	})
	for _, name := range moving {
		eventually(t, name+" moves", 25*time.Second, func() bool {
			v := p.value(t, fmt.Sprintf("sum(max_over_time(%s[5m]) - min_over_time(%[1]s[5m])) > 0", name))
			return v != ""
		})
	}
	for _, name := range []string{"perch_registrations", "perch_bindings", "perch_subscriptions"} {
		eventually(t, name+" is not zero", 10*time.Second, func() bool { return p.value(t, "sum("+name+") > 0") != "" })
	}
}

// named lists the series in the dashboard's and the alerts' expressions.
func named(t testing.TB) []string {
	t.Helper()
	found := map[string]bool{}
	for _, file := range []string{"dashboards/perch.json", "alerts.yml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "metrics", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\bperch_[a-z_]+[a-z]`).FindAllString(string(text), -1) {
			found[name] = true
		}
	}
	var all []string
	for name := range found {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// promServer is a running Prometheus.
type promServer struct{ url string }

func prometheus(t testing.TB, target string) promServer {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 500ms}\nscrape_configs:\n  - job_name: perch\n    static_configs: [{targets: [%q]}]\n", target)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := fixedAddress(t)
	cmd := program(t.Context(), t, "prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+at, "--log.level=warn")
	out := &journal{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // its context has ended: it was killed
	eventually(t, "prometheus is ready", 20*time.Second, func() bool {
		status, _ := get("http://" + at + "/-/ready")
		return status == 200
	})
	return promServer{"http://" + at}
}

// value is that of an expression's first result, empty for none.
func (p promServer) value(t testing.TB, expr string) string {
	t.Helper()
	status, body := get(p.url + "/api/v1/query?query=" + url.QueryEscape(expr))
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); status != 200 || err != nil {
		t.Fatalf("prometheus: %s: %d %s", expr, status, body)
	}
	if len(answer.Data.Result) == 0 {
		return ""
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1])
}

// ends presses Ctrl-C and looks for what is left.
func (d *demoRun) ends() {
	t := d.t
	t.Helper()
	var redis int
	if found, _ := filepath.Glob(filepath.Join(d.tmp, "perch-demo-*")); len(found) == 1 {
		redis = redisPID(t, found[0])
	} else {
		t.Errorf("the demo's folder: %v", found)
	}
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var err error
	eventually(t, "the end of the demo", 15*time.Second, func() bool {
		select {
		case line, ok := <-d.lines:
			if ok {
				d.said = append(d.said, line)
				return false
			}
			err = <-d.ended
			return true
		default:
			return false
		}
	})
	if err != nil {
		t.Errorf("the demo exits with %v", err)
	}
	if left, _ := os.ReadDir(d.tmp); len(left) > 0 {
		t.Errorf("the demo leaves %v", left)
	}
	if redis > 0 && syscall.Kill(redis, 0) == nil {
		t.Errorf("its redis-server %d still runs", redis)
	}
	for _, m := range regexp.MustCompile(`http://(\S+?)/`).FindAllStringSubmatch(strings.Join(d.said, "\n"), -1) {
		if c, err := net.Dial("tcp", m[1]); err == nil {
			_ = c.Close()
			t.Errorf("somebody still listens on %s", m[1])
		}
	}
}
