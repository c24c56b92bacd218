package store

import (
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashHelper(dir)
	}
	goleak.VerifyTestMain(m)
}

// engines runs f as a subtest on the in-process engine and on a redis-server.
func engines(t *testing.T, f func(t *testing.T, s *Store)) {
	t.Run("memory", func(t *testing.T) { f(t, open(t, Options{URL: Memory})) })
	t.Run("redis", func(t *testing.T) { f(t, open(t, Options{DataDir: t.TempDir()})) })
}

// open opens a store that ends with the test. Node is "test" unless named.
func open(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Node == "" {
		o.Node = "test"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
