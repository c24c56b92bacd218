package child

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const patience = 20 * time.Second

// helperDir, when set, makes this test binary a parent to be killed: it starts
// a server in that directory, says its process id, and waits.
const helperDir = "PERCH_CHILD_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		s, err := Start(context.Background(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler), outlive: os.Getenv("PERCH_CHILD_TEST_OUTLIVE") != ""})
		if err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		fmt.Println(s.PID())
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(2)
	}
	goleak.VerifyTestMain(m)
}

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func start(t testing.TB, dir string) *Server {
	t.Helper()
	s, err := Start(t.Context(), Options{Dir: dir, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// ask sends one inline command and gives the first line of the answer that is
// no length.
func ask(t testing.TB, socket, command string) string {
	t.Helper()
	c, err := net.DialTimeout("unix", socket, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = c.Write([]byte(command + "\r\n"))
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		if l := lines.Text(); l != "" && l[0] != '$' {
			return l
		}
	}
	t.Fatal(lines.Err())
	return ""
}

// eventually waits until f says true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !f() {
		select {
		case <-end:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	// A zombie that nobody has waited for yet has ended all the same.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestServerKeepsWhatItIsTold(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	if got := ask(t, s.Socket(), "SET k v1"); got != "+OK" {
		t.Fatalf("got %q", got)
	}
	if got := ask(t, s.Socket(), "CONFIG GET appendfsync"); !strings.HasPrefix(got, "*") {
		t.Errorf("got %q", got)
	}
	pid := s.PID()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if alive(pid) {
		t.Error("still runs after Close")
	}
	again := start(t, dir)
	if got := ask(t, again.Socket(), "GET k"); got != "v1" {
		t.Errorf("got %q", got)
	}
}

func TestServerIsStartedAgain(t *testing.T) {
	s := start(t, t.TempDir())
	for n := 1; n <= 2; n++ {
		ask(t, s.Socket(), fmt.Sprintf("SET k v%d", n))
		pid := s.PID()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "an answer of the next one", func() bool { return s.PID() != pid && ping(t.Context(), s.Socket()) })
		if got := ask(t, s.Socket(), "GET k"); got != fmt.Sprintf("v%d", n) || s.Restarts() != n {
			t.Errorf("got %q after %d restarts", got, s.Restarts())
		}
	}
}

func TestServerRefusesADirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	_, err := Start(t.Context(), Options{Dir: dir, Log: testLog(t)})
	if err == nil || !strings.Contains(err.Error(), "in use by another perch") {
		t.Errorf("got %v", err)
	}
	if got := ask(t, s.Socket(), "PING"); got != "+PONG" {
		t.Errorf("the first one: %q", got)
	}
}

func TestServerInADeepDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep dir/", 15))
	s := start(t, dir)
	if len(s.Socket()) > 107 {
		t.Errorf("socket path has %d bytes", len(s.Socket()))
	}
	ask(t, s.Socket(), "SET k v")
	temp := filepath.Dir(s.Socket())
	_ = s.Close()
	if _, err := os.Stat(temp); !os.IsNotExist(err) {
		t.Errorf("left: %v", err)
	}
}

func TestServerThatCannotStart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	ask(t, s.Socket(), "SET k v")
	_ = s.Close()
	manifest := filepath.Join(dir, "redis", "appendonlydir", "appendonly.aof.manifest")
	if err := os.WriteFile(manifest, []byte("no manifest\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "last words") {
		t.Errorf("got %v", err)
	}
}

// killParent runs this test binary as a parent, kills it, and gives its
// server's process id.
func killParent(t *testing.T, dir string, outlive bool) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	if outlive {
		cmd.Env = append(cmd.Env, "PERCH_CHILD_TEST_OUTLIVE=1")
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent said %q", line)
	}
	ask(t, filepath.Join(dir, "redis.sock"), "SET k v")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return pid
}

func TestServerThatOutlivedItsParentIsEnded(t *testing.T) {
	dir := shortDir(t)
	pid := killParent(t, dir, true)
	if !alive(pid) {
		t.Fatal("it did not outlive its parent")
	}
	s := start(t, dir)
	if alive(pid) {
		t.Error("two servers on one file")
	}
	if got := ask(t, s.Socket(), "GET k"); got != "v" {
		t.Errorf("got %q", got)
	}
}

// shortDir is a directory whose path leaves room for the socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "perch-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestStartWithoutAServerProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Start(t.Context(), Options{Dir: t.TempDir(), Log: testLog(t)}); err == nil || !strings.Contains(err.Error(), "apt-get install") {
		t.Errorf("got %v", err)
	}
}
