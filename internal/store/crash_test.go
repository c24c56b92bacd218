package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
)

// crashDir, when set, makes this test binary a Perch that logs people in until
// it is killed, and says which logins were acknowledged.
const crashDir = "PERCH_STORE_TEST_DIR"

const crashLogins = 300

// crowd is a tenant with a desk for everybody.
func crowd() Changes {
	c := Changes{Tenants: []directory.Tenant{{Code: acme, Domains: []string{"acme.test"}, Realm: "acme.test"}}}
	for n := range crashLogins {
		c.Extensions = append(c.Extensions, directory.Extension{ID: directory.ExtensionID{Tenant: acme, Number: crowdNumber(n)}})
		c.Devices = append(c.Devices, directory.Device{ID: crowdDesk(n), Brand: "snom"})
	}
	return c
}

func crowdNumber(n int) string { return fmt.Sprint(1000 + n) }

func crowdDesk(n int) directory.DeviceID {
	return directory.DeviceID{Tenant: acme, MAC: directory.MAC{0, 4, 0x13, 0, byte(n >> 8), byte(n)}}
}

func crowdLogin(ctx context.Context, s *Store, n int) error {
	now := time.Now()
	_, err := s.Bind(ctx, hotdesk.BindRequest{
		ID: fmt.Sprintf("login-%d", n), Now: now, Device: crowdDesk(n), Rules: move,
		Binding: hotdesk.Binding{
			Number: crowdNumber(n), Line: 1, Session: directory.SessionID(fmt.Sprintf("%032x", n)), Door: hotdesk.API,
			Since: now.UnixMilli(), Trace: fmt.Sprintf("trace-%d", n),
		},
	})
	return err
}

// crashHelper is the Perch that will be killed.
func crashHelper(dir string) {
	ctx := context.Background()
	s, err := Open(ctx, Options{DataDir: dir, Node: "killed", Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = s.WriteDirectory(ctx, crowd(), nil)
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	info := infoFields(s.rdb.Info(ctx, "server").Val())
	fmt.Println("server", info["process_id"])
	var line sync.Mutex
	work := make(chan int)
	for range 8 {
		go func() {
			for n := range work {
				if crowdLogin(ctx, s, n) == nil {
					line.Lock()
					fmt.Println("acknowledged", n)
					line.Unlock()
				}
			}
		}()
	}
	for n := range crashLogins {
		work <- n
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(2)
}

// checkCrowd looks at every desk: an acknowledged login is there, and none is
// there by half.
func checkCrowd(t *testing.T, s *Store, acknowledged []int) {
	t.Helper()
	ctx := t.Context()
	for _, n := range acknowledged {
		seats, err := s.Seats(ctx, crowdDesk(n))
		if b, ok := seats.At(1); err != nil || !ok || b.Number != crowdNumber(n) {
			t.Fatalf("acknowledged login %d is lost: %+v, %v", n, seats, err)
		}
	}
	bound := map[string]bool{}
	for _, m := range s.rdb.XRange(ctx, key(acme, kEvents), "-", "+").Val() {
		if e, err := parseEvent(acme, m); err == nil && e.Type == event.BindingCreated {
			bound[e.Number] = true
		}
	}
	for n := range crashLogins {
		seats, err := s.Seats(ctx, crowdDesk(n))
		if err != nil {
			t.Fatal(err)
		}
		logins, err := s.Logins(ctx, directory.ExtensionID{Tenant: acme, Number: crowdNumber(n)})
		if err != nil {
			t.Fatal(err)
		}
		mac := crowdDesk(n).MAC.String()
		_, seated := seats.At(1)
		whole := []bool{
			seated, len(logins) == 1, bound[crowdNumber(n)],
			s.rdb.SIsMember(ctx, key(acme, kSeated), mac+"/1").Val(),
			s.rdb.HExists(ctx, key(acme, kReloads), mac).Val(), s.rdb.HExists(ctx, key(acme, kTraces), mac).Val(),
			s.rdb.ZScore(ctx, key(acme, kReloadDue), mac).Err() == nil,
		}
		for i := range whole {
			if whole[i] != seated {
				t.Fatalf("login %d is there by half: %v", n, whole)
			}
		}
	}
}

func TestKillTheServerUnderLoad(t *testing.T) {
	s := open(t, Options{DataDir: t.TempDir()})
	write(t, s, crowd())
	var mu sync.Mutex
	var acknowledged []int
	var wg sync.WaitGroup
	work := make(chan int)
	reached := make(chan struct{}, crashLogins)
	for range 8 {
		wg.Go(func() {
			for n := range work {
				err := crowdLogin(t.Context(), s, n)
				if err == nil {
					mu.Lock()
					acknowledged = append(acknowledged, n)
					mu.Unlock()
				} else if !errors.Is(err, hotdesk.ErrUnavailable) {
					t.Errorf("login %d: %v", n, err)
				}
				reached <- struct{}{}
			}
		})
	}
	wg.Go(func() {
		for n := range crashLogins {
			work <- n
		}
		close(work)
	})
	server := s.backend.child
	for range 3 {
		for range crashLogins / 5 {
			next(t, reached)
		}
		if pid := server.PID(); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	wg.Wait()
	if server.Restarts() == 0 {
		t.Error("the server was never started again")
	}
	// The client bridges a restart, so that nearly every login succeeds.
	if len(acknowledged) < crashLogins/2 {
		t.Errorf("only %d of %d logins", len(acknowledged), crashLogins)
	}
	checkCrowd(t, s, acknowledged)
}

func TestKillPerchInTheMiddleOfLogins(t *testing.T) {
	for _, c := range []struct {
		name       string
		both       bool
		afterLines int
	}{{"perch alone", false, 60}, {"perch and its server", true, 90}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			acknowledged := killPerch(t, dir, c.afterLines, c.both)
			if len(acknowledged) < c.afterLines {
				t.Fatalf("%d logins before the kill", len(acknowledged))
			}
			s := open(t, Options{DataDir: dir})
			checkCrowd(t, s, acknowledged)
			for n := range crashLogins { // and it goes on
				if err := crowdLogin(t.Context(), s, n); err != nil {
					t.Fatal(err)
				}
			}
			checkCrowd(t, s, acknowledged)
		})
	}
}

// killPerch runs a Perch in dir, kills it after so many logins, and gives those
// that it acknowledged.
func killPerch(t *testing.T, dir string, after int, both bool) (acknowledged []int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
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
	server := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, value, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatalf("it said %q", lines.Text())
		}
		if word == "server" {
			server = n
			continue
		}
		acknowledged = append(acknowledged, n)
		if len(acknowledged) == after {
			if both {
				_ = syscall.Kill(server, syscall.SIGKILL)
			}
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	return acknowledged
}

func TestConsumeSurvivesTheServer(t *testing.T) {
	s := open(t, Options{DataDir: t.TempDir()})
	tenantNamed(t, s, acme)
	got := make(chan string, 1000)
	during(t, func(ctx context.Context) error {
		return s.Consume(ctx, "job", func(_ context.Context, batch []event.Event) error {
			for _, e := range batch {
				got <- e.Detail
			}
			return nil
		})
	})
	seen := map[string]bool{}
	for n := range 5 {
		tell(t, s, acme, fmt.Sprintf("%d before", n))
		if pid := s.backend.child.PID(); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		tell(t, s, acme, fmt.Sprintf("%d after", n))
		for !seen[fmt.Sprintf("%d before", n)] || !seen[fmt.Sprintf("%d after", n)] {
			seen[next(t, got)] = true
		}
	}
}

func TestHealthTellsOfTheServer(t *testing.T) {
	states := make(chan error, 10)
	s := open(t, Options{DataDir: t.TempDir(), OnState: func(why error) { states <- why }})
	pid := s.backend.child.PID()
	_ = syscall.Kill(pid, syscall.SIGSTOP) // alive, and says nothing
	if err := next(t, states); !errors.Is(err, hotdesk.ErrUnavailable) || s.Health() == nil {
		t.Errorf("got %v, health %v", err, s.Health())
	}
	_ = syscall.Kill(pid, syscall.SIGCONT)
	if err := next(t, states); err != nil || s.Health() != nil {
		t.Errorf("got %v, health %v", err, s.Health())
	}
}
