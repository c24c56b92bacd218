// Package storetest opens a store for a test, on either engine, and closes it
// with the test. It is for tests alone; a test that needs a real redis-server
// fails where there is none.
package storetest

import (
	"log/slog"
	"testing"

	"perch/internal/store"
)

// Memory opens a store on the in-process engine.
func Memory(t testing.TB) *store.Store { return Open(t, store.Options{URL: store.Memory}) }

// Redis opens a store on a redis-server of its own, with its files in a
// directory of the test.
func Redis(t testing.TB) *store.Store { return Open(t, store.Options{DataDir: t.TempDir()}) }

// Each runs f as a subtest on both engines.
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Run("memory", func(t *testing.T) { f(t, Memory(t)) })
	t.Run("redis", func(t *testing.T) { f(t, Redis(t)) })
}

// Open opens a store as told, its log in the test's output.
func Open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	if o.Node == "" {
		o.Node = "test"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := store.Open(t.Context(), o)
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
