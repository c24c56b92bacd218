package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a perch that runs as a process of its own, so that it can be
// killed. Its addresses and its data outlive it.
type server struct {
	t                               testing.TB
	dir                             string
	sip, provisioning, portal, page string // host:port; page: metrics
	log                             *journal
	cmd                             *exec.Cmd
	ended                           chan struct{}
}

// serve starts perch serve with a directory file, and waits until it is ready.
func serve(t testing.TB, file string) *server {
	t.Helper()
	dir := shortDir(t)
	s := &server{t: t, dir: dir, log: &journal{}}
	for _, at := range []*string{&s.sip, &s.provisioning, &s.portal, &s.page} {
		*at = fixedAddress(t)
	}
	office := filepath.Join(dir, "office.yaml")
	for name, text := range map[string]string{
		office: file,
		filepath.Join(dir, "perch.yaml"): fmt.Sprintf(
			"data_dir: %s\napply: [%s]\nsip: {listen: [\"udp://%s\", \"tcp://%s\"]}\nprovisioning: {listen: %q}\nportal: {listen: %q}\nmetrics: {listen: %q}\n",
			s.data(), office, s.sip, s.sip, s.provisioning, s.portal, s.page),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		s.kill()
		if strings.Contains(s.log.String(), "DATA RACE") {
			t.Error("the race detector has found something")
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log)
		}
	})
	s.start()
	return s
}

// fixedAddress is a free port outside of the range from which the system gives
// ports to others: it can be opened again after a crash.
func fixedAddress(t testing.TB) string {
	t.Helper()
	for range 200 {
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(22000+rand.IntN(10000)))
		l, err := net.Listen("tcp", at)
		if err != nil {
			continue
		}
		c, err := net.ListenPacket("udp", at)
		_ = l.Close()
		if err == nil {
			_ = c.Close()
			return at
		}
	}
	t.Fatal("no free port")
	return ""
}

// freePort is the port of a fixedAddress.
func freePort(t testing.TB) int {
	t.Helper()
	_, port, err := net.SplitHostPort(fixedAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

// start runs the process and waits until it says that it is ready.
func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(perch(s.t), "serve", "--config", filepath.Join(s.dir, "perch.yaml"))
	s.cmd.Stderr = s.log
	s.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(s.cmd, s.ended)
	s.ready()
}

// ready waits for /readyz to say 200.
func (s *server) ready() {
	s.t.Helper()
	eventually(s.t, "perch serve is ready", 20*time.Second, func() bool {
		select {
		case <-s.ended:
			s.t.Fatal("perch serve has ended")
		default:
		}
		status, _ := get("http://" + s.page + "/readyz")
		return status == 200
	})
}

// kill ends the process as a power cut would, and waits until it is gone.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// redisPID is the process of the own redis-server.
func redisPID(t testing.TB, dataDir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dataDir, "redis", "redis.pid"))
	pid, aerr := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || aerr != nil {
		t.Fatal(err, aerr)
	}
	return pid
}

func signal(t testing.TB, pid int, what syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, what); err != nil {
		t.Errorf("kill -%d %d: %v", what, pid, err)
	}
}

// rest is the API of the process.
func (s *server) rest() rest {
	s.t.Helper()
	token, err := os.ReadFile(filepath.Join(s.data(), "api.token"))
	if err != nil {
		s.t.Fatal(err)
	}
	return rest{"http://" + s.portal + "/api/v1", strings.TrimSpace(string(token)), client()}
}

// get fetches a page; status 0: no answer.
func get(url string) (status int, body string) {
	res, err := client().Get(url)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, string(text)
}
