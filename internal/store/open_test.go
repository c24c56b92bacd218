package store

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"perch/internal/store/child"
)

func TestOpen(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Health(); err != nil {
			t.Error(err)
		}
		own := len(s.Durability()) > 3 && strings.HasPrefix(s.Durability(), "own")
		if s.Durable() != own {
			t.Errorf("durable %v, said %q", s.Durable(), s.Durability())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Open(t.Context(), Options{DataDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if !errors.Is(err, child.ErrNoServer) || !strings.Contains(err.Error(), "apt-get install redis-server") {
		t.Errorf("got %v", err)
	}
}

func TestOpenKeepsWhatAnEarlierOneWrote(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{DataDir: dir})
	if err := s.rdb.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, Options{DataDir: dir})
	if v, err := again.rdb.Get(t.Context(), "k").Result(); err != nil || v != "v" {
		t.Errorf("got %q, %v", v, err)
	}
}

func TestOpenOperatorsServer(t *testing.T) {
	m, err := startMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	s := open(t, Options{URL: "redis://:" + m.password + "@" + m.addr + "/0"})
	if s.Durable() || !strings.HasPrefix(s.Durability(), "as configured at the server") {
		t.Errorf("durability %q", s.Durability())
	}
}

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url            string
		addrs          []string
		master, user   string
		db             int
		cluster, crypt bool
	}{
		{url: "redis://redis.test", addrs: []string{"redis.test:6379"}},
		{url: "redis://u:p@redis.test:7000/3", addrs: []string{"redis.test:7000"}, user: "u", db: 3},
		{url: "rediss://[2001:db8::1]:7000", addrs: []string{"[2001:db8::1]:7000"}, crypt: true},
		{url: "redis://[2001:db8::1]", addrs: []string{"[2001:db8::1]:6379"}},
		{url: "redis+sentinel://:p@s1,s2:1,s3/perch/2", addrs: []string{"s1:26379", "s2:1", "s3:26379"}, master: "perch", db: 2},
		{url: "redis+sentinel://s1/perch?sentinel_password=x", addrs: []string{"s1:26379"}, master: "perch"},
		{url: "redis+cluster://n1,n2:7001", addrs: []string{"n1:6379", "n2:7001"}, cluster: true},
		{url: "rediss+cluster://n1", addrs: []string{"n1:6379"}, cluster: true, crypt: true},
	} {
		t.Run(c.url, func(t *testing.T) {
			o, err := parseURL(c.url)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(o.Addrs, c.addrs) || o.MasterName != c.master || o.Username != c.user || o.DB != c.db ||
				o.IsClusterMode != c.cluster || (o.TLSConfig != nil) != c.crypt {
				t.Errorf("got %v master %q user %q db %d cluster %v tls %v", o.Addrs, o.MasterName, o.Username, o.DB, o.IsClusterMode, o.TLSConfig != nil)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, u := range []string{
		"redis", "http://:hunter2@x", "redis:hunter2", "redis://", "redis://:hunter2@a,b", "redis://:hunter2@a:0", "redis://:hunter2@a:x",
		"redis://:hunter2@a/db", "redis://:hunter2@a/1/2", "redis://:hunter2@a/-1", "redis://:hunter2@a?x=hunter2", "redis+sentinel://:hunter2@a",
		"redis+sentinel://:hunter2@a/", "redis+cluster://:hunter2@a/1", "redis+tcp://:hunter2@a", "redis://:hunter2@a\x00", "redis://a?%zz",
		"redis+sentinel://a/m?sentinel_passwort=x",
	} {
		_, err := parseURL(u)
		if err == nil {
			t.Errorf("%q was taken", u)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error shows the password: %v", u, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("redis+sentinel://u:p@s1,s2:1/perch/2?sentinel_password=x")
	f.Add("rediss://[::1]:1/0")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseURL(text)
		if err == nil && len(o.Addrs) == 0 {
			t.Error("taken without an address")
		}
	})
}
