package store

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/internal/store/child"
)

// serverAt runs a server program of the operator's on a loopback port until the
// test ends, and gives a client of it once it answers.
func serverAt(t *testing.T, port int, args ...string) *redis.Client {
	t.Helper()
	binary, err := child.Find()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, append(args, "--port", fmt.Sprint(port), "--bind", "127.0.0.1")...)
	cmd.Dir = t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", port), MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	eventually(t, "an answer", func() bool { return c.Ping(t.Context()).Err() == nil })
	return c
}

// clusterOfOne runs a Redis Cluster with one node that has all slots: it
// refuses, as a large one does, whatever reaches over two slots.
func clusterOfOne(t *testing.T) (url string) {
	t.Helper()
	port := freePort(t)
	c := serverAt(t, port, "--cluster-enabled", "yes", "--save", "", "--appendonly", "yes")
	if err := c.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a cluster that serves", func() bool {
		return strings.Contains(c.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	return fmt.Sprintf("redis+cluster://127.0.0.1:%d", port)
}

func TestSentinel(t *testing.T) {
	master, watch := freePort(t), freePort(t)
	serverAt(t, master, "--save", "")
	file := filepath.Join(t.TempDir(), "sentinel.conf") // the sentinel writes to it
	if err := os.WriteFile(file, fmt.Appendf(nil, "sentinel monitor perch 127.0.0.1 %d 1\n", master), 0o600); err != nil {
		t.Fatal(err)
	}
	serverAt(t, watch, file, "--sentinel")
	s := open(t, Options{URL: fmt.Sprintf("redis+sentinel://127.0.0.1:%d/perch", watch)})
	write(t, s, small(t, "acme", "acme.test", "001565aabb01"))
	if _, _, err := s.DeviceByMAC(t.Context(), mac(t, "001565aabb01")); err != nil {
		t.Error(err)
	}
	if s.Durable() || !strings.Contains(s.Durability(), "OFF") {
		t.Errorf("durability %q", s.Durability())
	}
}

// freePort finds a port whose cluster bus port (10,000 more) exists as well.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if port < 55_000 {
			return port
		}
	}
	t.Fatal("no free port below 55000")
	return 0
}

// eventually waits until f says true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
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

func TestCluster(t *testing.T) {
	s := open(t, Options{URL: clusterOfOne(t)})
	if !s.Durable() {
		t.Errorf("durability %q", s.Durability())
	}
	ctx := t.Context()
	got := make(chan string, 100)
	during(t, func(ctx context.Context) error {
		return s.Tail(ctx, nil, func(e event.Event) { got <- string(e.Tenant) + " tail " + string(e.Type) })
	})
	during(t, func(ctx context.Context) error {
		return s.Consume(ctx, "job", func(_ context.Context, batch []event.Event) error {
			for _, e := range batch {
				got <- string(e.Tenant) + " job " + string(e.Type)
			}
			return nil
		})
	})
	c := small(t, "acme", "acme.test", "001565aabb01")
	write(t, s, c)
	write(t, s, small(t, "beta", "beta.test", "001565aabb02"))
	want := map[string]bool{}
	for _, v := range []string{"acme tail", "acme job", "beta tail", "beta job"} {
		want[v+" directory.changed"] = true
	}
	for len(want) > 0 {
		delete(want, next(t, got))
	}
	if d, _, err := s.DeviceByMAC(ctx, mac(t, "001565aabb02")); err != nil || d.ID.Tenant != "beta" {
		t.Errorf("device: %v, %v", d, err)
	}
	if all, err := s.Tenants(ctx); err != nil || len(all) != 2 {
		t.Errorf("tenants: %v, %v", all, err)
	}
	if err := s.CheckKey(ctx, "f"); err != nil {
		t.Error(err)
	}
	if err := s.AddPending(ctx, mac(t, "001565aabb09"), "192.0.2.1", directory.Phone{}, time.Now()); err != nil {
		t.Error(err)
	}
	if err := s.Append(ctx, event.Event{Type: event.TraceReady, Tenant: "acme"}); err != nil {
		t.Error(err)
	}
	if _, err := s.Counts(ctx); err != nil {
		t.Error(err)
	}
	write(t, s, Changes{DropTenants: []directory.TenantCode{"acme"}, DropDevices: []directory.DeviceID{{Tenant: "beta", MAC: mac(t, "001565aabb02")}}})
	if all, err := s.Tenants(ctx); err != nil || len(all) != 1 {
		t.Errorf("tenants: %v, %v", all, err)
	}
}
