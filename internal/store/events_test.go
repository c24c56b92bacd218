package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// next takes one value from c.
func next[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// during runs f until the test ends, and waits for it.
func during(t testing.TB, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stop = func() {
		cancel()
		if err := next(t, done); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	return stop
}

func tell(t testing.TB, s *Store, code directory.TenantCode, details ...string) {
	t.Helper()
	var events []event.Event
	for _, d := range details {
		events = append(events, event.Event{Type: event.LoginRefused, Tenant: code, Detail: d})
	}
	if err := s.Append(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
}

// tenantNamed makes a tenant that is nothing but listed.
func tenantNamed(t testing.TB, s *Store, code directory.TenantCode) {
	t.Helper()
	if err := s.rdb.SAdd(t.Context(), kAllTenants, string(code)).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestAppend(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenantNamed(t, s, "acme")
		sent := event.Event{Type: event.ConfigFetched, Tenant: "acme", MAC: "001565aabb01", Targets: []string{"1002", "ü\u2028\"]"}, Millis: 12}
		if err := s.Append(t.Context(), sent, event.Event{Type: event.TraceReady, Tenant: "beta", At: 5}); err != nil {
			t.Fatal(err)
		}
		m := s.rdb.XRange(t.Context(), key("acme", kEvents), "-", "+").Val()
		got, err := parseEvent("acme", m[0])
		if err != nil || got.Node != "test" || got.ID == "" || time.Since(got.Time()).Abs() > time.Minute || !slices.Equal(got.Targets, sent.Targets) {
			t.Errorf("got %+v, %v", got, err)
		}
		at, err := s.Positions(t.Context())
		if err != nil || at["acme"] != got.ID {
			t.Errorf("positions %v, %v", at, err)
		}
	})
}

func TestParseEventOfSomethingElse(t *testing.T) {
	for _, values := range []map[string]any{nil, {"x": "1"}, {"e": ""}, {"e": "{"}, {"e": 3}} {
		if _, err := parseEvent("acme", redis.XMessage{ID: "1-1", Values: values}); err == nil {
			t.Errorf("%v was taken", values)
		}
	}
}

func TestTail(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenantNamed(t, s, "acme")
		tell(t, s, "acme", "before")
		at, err := s.Positions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tell(t, s, "acme", "after")
		got := make(chan string, 100)
		during(t, func(ctx context.Context) error {
			return s.Tail(ctx, at, func(e event.Event) { got <- string(e.Tenant) + " " + e.Detail })
		})
		if v := next(t, got); v != "acme after" {
			t.Errorf("got %q", v)
		}
		tell(t, s, "acme", "1", "2", "3")
		for _, want := range []string{"acme 1", "acme 2", "acme 3"} {
			if v := next(t, got); v != want {
				t.Errorf("got %q, want %q", v, want)
			}
		}
		tell(t, s, "beta", "first of a new tenant")
		tenantNamed(t, s, "beta")
		if v := next(t, got); v != "beta first of a new tenant" {
			t.Errorf("got %q", v)
		}
	})
}

func TestTailFromNow(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenantNamed(t, s, "acme")
		tell(t, s, "acme", "old")
		got := make(chan string, 100)
		during(t, func(ctx context.Context) error {
			return s.Tail(ctx, nil, func(e event.Event) { got <- e.Detail })
		})
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ { // the end of the stream is read at an instant that nobody can see
			tell(t, s, "acme", "new")
			select {
			case v := <-got:
				if v != "new" {
					t.Errorf("got %q", v)
				}
				return
			case <-tick.C:
				if n > 1000 {
					t.Fatal("nothing came")
				}
			}
		}
	})
}

func TestConsume(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenantNamed(t, s, "acme")
		tell(t, s, "acme", "0", "1")
		got := make(chan string, 2000)
		stop := during(t, func(ctx context.Context) error {
			return s.Consume(ctx, "job", func(_ context.Context, batch []event.Event) error {
				for _, e := range batch {
					got <- string(e.Tenant) + e.Detail
				}
				return nil
			})
		})
		for i := 2; i < 1000; i++ {
			tell(t, s, "acme", fmt.Sprint(i))
		}
		for i := range 1000 {
			if v := next(t, got); v != fmt.Sprintf("acme%d", i) {
				t.Fatalf("got %q as number %d", v, i)
			}
		}
		tenantNamed(t, s, "beta")
		tell(t, s, "beta", "x")
		if v := next(t, got); v != "betax" {
			t.Errorf("got %q", v)
		}
		stop()
		for _, c := range []directory.TenantCode{"acme", "beta"} {
			if p := s.rdb.XPending(t.Context(), key(c, kEvents), "job").Val(); p.Count != 0 {
				t.Errorf("%s: %d not acknowledged", c, p.Count)
			}
		}
	})
}

func TestConsumeTriesAgainInOrder(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenantNamed(t, s, "acme")
		tenantNamed(t, s, "beta")
		got, fails := make(chan string, 100), 3
		during(t, func(ctx context.Context) error {
			return s.Consume(ctx, "job", func(_ context.Context, batch []event.Event) error {
				if batch[0].Tenant == "acme" && fails > 0 {
					fails--
					got <- "failed"
					return errors.New("not now")
				}
				for _, e := range batch {
					got <- e.Detail
				}
				return nil
			})
		})
		tell(t, s, "acme", "a1")
		next(t, got) // "failed": what follows must wait behind a1, and beta must not
		tell(t, s, "acme", "a2")
		tell(t, s, "beta", "b1")
		var order []string
		for len(order) < 3 {
			if v := next(t, got); v != "failed" {
				order = append(order, v)
			}
		}
		acme := slices.DeleteFunc(slices.Clone(order), func(v string) bool { return v == "b1" })
		if !slices.Equal(acme, []string{"a1", "a2"}) {
			t.Errorf("order %v", order)
		}
		if order[0] != "b1" {
			t.Logf("beta came after acme: %v", order)
		}
	})
}

func TestConsumeBeginsWithItsOwn(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenantNamed(t, s, "acme")
		tell(t, s, "acme", "1", "2")
		started := make(chan int, 10)
		stop := during(t, func(ctx context.Context) error {
			return s.Consume(ctx, "job", func(ctx context.Context, batch []event.Event) error {
				started <- len(batch)
				<-ctx.Done() // ends before it is acknowledged
				return ctx.Err()
			})
		})
		next(t, started)
		stop()
		tell(t, s, "acme", "3")
		got := make(chan string, 10)
		during(t, func(ctx context.Context) error {
			return s.Consume(ctx, "job", func(_ context.Context, batch []event.Event) error {
				for _, e := range batch {
					got <- e.Detail
				}
				return nil
			})
		})
		for _, want := range []string{"1", "2", "3"} {
			if v := next(t, got); v != want {
				t.Errorf("got %q, want %q", v, want)
			}
		}
	})
}

func TestConsumeTakesOverFromTheDead(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenantNamed(t, s, "acme")
		tell(t, s, "acme", "1", "2")
		ctx, stream := t.Context(), key("acme", kEvents)
		if err := s.rdb.XGroupCreateMkStream(ctx, stream, "job", "0").Err(); err != nil {
			t.Fatal(err)
		}
		read := redis.XReadGroupArgs{Group: "job", Consumer: "dead", Streams: []string{stream, ">"}, Block: -1}
		if err := s.rdb.XReadGroup(ctx, &read).Err(); err != nil {
			t.Fatal(err)
		}
		c := consumer{s: s, group: "job", tenants: s.TenantCodes, at: map[directory.TenantCode]*progress{}, adopted: time.Now(), idle: 0}
		var got []string
		c.handle = func(_ context.Context, batch []event.Event) error {
			for _, e := range batch {
				got = append(got, e.Detail)
			}
			return nil
		}
		for range 3 {
			if err := c.round(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != 0 {
			t.Fatalf("took %v from a node that may live", got)
		}
		if err := c.adopt(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.round(ctx); err != nil || !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestConsumeForgetsARemovedTenant(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		tenantNamed(t, s, "acme")
		tenantNamed(t, s, "gone")
		got := make(chan string, 10)
		during(t, func(ctx context.Context) error {
			return s.Consume(ctx, "job", func(_ context.Context, batch []event.Event) error {
				for _, e := range batch {
					got <- e.Detail
				}
				return nil
			})
		})
		tell(t, s, "gone", "1")
		next(t, got)
		s.rdb.SRem(t.Context(), kAllTenants, "gone")
		s.rdb.Del(t.Context(), key("gone", kEvents))
		tell(t, s, "acme", "2")
		if v := next(t, got); v != "2" {
			t.Errorf("got %q", v)
		}
		if n := s.rdb.Exists(t.Context(), key("gone", kEvents)).Val(); n != 0 {
			t.Error("the removed tenant's stream was made again")
		}
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pause
		var all []time.Duration
		for range 9 {
			all = append(all, p.take())
		}
		if all[0] != firstPause || all[8] != lastPause || !slices.IsSorted(all) {
			t.Errorf("pauses %v", all)
		}
		p.reset()
		if d := p.take(); d != firstPause {
			t.Errorf("after a success %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := rest(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("rest: %v", err)
		}
	})
}

func TestConsumeAdoptsNothingOfAStreamThatHasGone(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		c := consumer{s: s, group: "job", tenants: s.TenantCodes, at: map[directory.TenantCode]*progress{}, adopted: time.Now(), idle: 0}
		c.handle = func(context.Context, []event.Event) error { return nil }
		tenantNamed(t, s, "acme")
		tenantNamed(t, s, "beta")
		if err := c.round(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.rdb.Del(t.Context(), key("acme", kEvents))
		if err := c.adopt(t.Context()); err != nil {
			t.Error(err)
		}
		c.again()
		if err := c.round(t.Context()); !errors.Is(err, errNoGroup) {
			t.Errorf("got %v", err)
		}
		if err := c.round(t.Context()); err != nil {
			t.Errorf("it does not begin again: %v", err)
		}
	})
}
