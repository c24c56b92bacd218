package schedule_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/schedule"
	"perch/internal/event"
	"perch/internal/store"
	"perch/internal/store/storetest"
)

const acme = directory.TenantCode("acme")

var (
	desk = directory.DeviceID{Tenant: acme, MAC: directory.MAC{0, 0x15, 0x65, 0, 0, 1}}
	home = directory.DeviceID{Tenant: acme, MAC: directory.MAC{0, 0x15, 0x65, 0, 0, 2}}
	seat = directory.Seat{Device: desk, Line: 1}
)

// clock is a wall clock that jumps when told.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time       { return time.UnixMilli(c.ms.Load()) }
func (c *clock) jump(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// world is a tenant in a store, a clock, and nodes whose clocks may differ.
type world struct {
	t     testing.TB
	s     *store.Store
	clock clock
	n     atomic.Int64
	read  []string // read so far
	from  string   // the event read last
}

func newWorld(t testing.TB, s *store.Store, idle time.Duration) *world {
	t.Helper()
	w := &world{t: t, s: s}
	w.clock.ms.Store(time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC).UnixMilli())
	w.idle(idle)
	return w
}

// idle applies a directory with that idle_logout.
func (w *world) idle(d time.Duration) {
	w.t.Helper()
	limit := directory.Duration(d)
	changes := store.Changes{
		Tenants: []directory.Tenant{{Code: acme, Domains: []string{"acme.test"}, Realm: "acme.test", Policy: directory.Policy{IdleLogout: &limit}}},
		Devices: []directory.Device{{ID: desk, Brand: "yealink"}, {ID: home, Brand: "yealink", Owner: "1001"}},
	}
	for _, n := range []string{"1001", "1002"} {
		changes.Extensions = append(changes.Extensions, directory.Extension{ID: directory.ExtensionID{Tenant: acme, Number: n}})
	}
	w.must(w.s.WriteDirectory(w.t.Context(), changes, nil))
	w.must(w.s.LookAgain(w.t.Context(), acme, w.clock.now()))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// node is a runner with a clock that is off by so much.
func (w *world) node(off time.Duration) *schedule.Runner {
	return schedule.NewRunner(schedule.Parts{
		Store: w.s, Seats: w.s, Directory: w.s, Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
		Now:     func() time.Time { return w.clock.now().Add(off) },
		TraceID: func() string { return fmt.Sprintf("auto%d", w.n.Add(1)) },
		Session: func() directory.SessionID { return directory.SessionID(fmt.Sprintf("%032d", w.n.Add(1))) },
	})
}

// login seats a number, for so long; 0 is without end.
func (w *world) login(number string, d directory.DeviceID, length time.Duration) hotdesk.Binding {
	w.t.Helper()
	now := w.clock.now()
	n := w.n.Add(1)
	b := hotdesk.Binding{
		Session: directory.SessionID(fmt.Sprintf("%032d", n)), Number: number, Line: 1, Door: hotdesk.PhoneApp,
		Since: now.UnixMilli(), Trace: fmt.Sprintf("t%d", n),
	}
	if length > 0 {
		b.Until = now.Add(length).UnixMilli()
	}
	_, err := w.s.Bind(w.t.Context(), hotdesk.BindRequest{
		ID: b.Trace, Now: now, Device: d, Binding: b,
		Rules: hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Move, OnOccupied: directory.Replace},
	})
	w.must(err)
	return b
}

// round lets a node look once.
func (w *world) round(r *schedule.Runner) {
	w.t.Helper()
	_, _, err := r.Round(w.t.Context())
	w.must(err)
}

// settle lets time pass, in steps, with all nodes looking after each.
func (w *world) settle(whole, step time.Duration, nodes ...*schedule.Runner) {
	w.t.Helper()
	for passed := time.Duration(0); passed < whole; passed += step {
		w.clock.jump(step)
		for _, r := range nodes {
			w.round(r)
		}
	}
}

// sits tells who sits at a desk; empty: nobody.
func (w *world) sits(d directory.DeviceID) string {
	w.t.Helper()
	seats, err := w.s.Seats(w.t.Context(), d)
	w.must(err)
	b, _ := seats.At(1)
	return b.Number
}

// news gives the ends and warnings so far, as "type reason".
func (w *world) news() []string {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer stop()
	mark := fmt.Sprintf("mark%d", w.n.Add(1))
	w.must(w.s.Append(ctx, event.Event{Type: event.DeviceArmed, Tenant: acme, Trace: mark}))
	err := w.s.Tail(ctx, store.Positions{acme: cmp.Or(w.from, "0")}, func(e event.Event) {
		w.from = e.ID
		switch {
		case e.Type == event.BindingEnded || e.Type == event.SessionWarning:
			w.read = append(w.read, string(e.Type)+" "+e.Reason)
		case e.Trace == mark:
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		w.t.Fatal(err)
	}
	return slices.Clone(w.read)
}

func (w *world) told(want ...string) {
	w.t.Helper()
	if got := w.news(); !slices.Equal(got, want) {
		w.t.Errorf("news %q, want %q", got, want)
	}
}

func each(t *testing.T, idle time.Duration, f func(w *world)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) { f(newWorld(t, s, idle)) })
}

func TestSessionEndsOnceWithAWarning(t *testing.T) {
	each(t, 0, func(w *world) {
		nodes := []*schedule.Runner{w.node(0), w.node(0), w.node(0)}
		w.login("1001", desk, time.Hour)
		w.settle(54*time.Minute, time.Minute, nodes...)
		w.told()
		w.settle(2*time.Minute, time.Minute, nodes...)
		w.told("session.warning expired")
		w.settle(3*time.Minute, time.Minute, nodes...)
		if w.sits(desk) != "1001" {
			w.t.Error("left too soon")
		}
		w.settle(2*time.Minute, time.Minute, nodes...)
		w.told("session.warning expired", "binding.ended expired")
		if w.sits(desk) != "" {
			w.t.Error("still there")
		}
		w.settle(time.Hour, 10*time.Minute, nodes...)
		w.told("session.warning expired", "binding.ended expired")
	})
}

// TestAClockJumpsForwardAndBack: what is late happens at once, and what has
// happened does not happen again.
func TestAClockJumpsForwardAndBack(t *testing.T) {
	each(t, 0, func(w *world) {
		r := w.node(0)
		w.login("1001", desk, 2*time.Hour)
		w.round(r)
		w.clock.jump(-24 * time.Hour)
		w.settle(3*time.Hour, time.Hour, r)
		w.told()
		w.clock.jump(24 * time.Hour)
		w.round(r)
		w.told("binding.ended expired")
		w.clock.jump(-3 * time.Hour)
		w.settle(4*time.Hour, 30*time.Minute, r)
		w.told("binding.ended expired")
		w.login("1001", desk, time.Hour)
		w.round(r)
		if w.sits(desk) != "1001" {
			w.t.Error("a login after a jump is not kept")
		}
	})
}

// TestANodeDiesWithTheClaim: another does it when the lease is over.
func TestANodeDiesWithTheClaim(t *testing.T) {
	each(t, 0, func(w *world) {
		w.login("1001", desk, time.Minute)
		w.clock.jump(time.Minute)
		claimed, _, err := w.s.ClaimTimers(w.t.Context(), w.clock.now(), 20*time.Second, 10)
		w.must(err)
		if len(claimed) != 1 || claimed[0] != seat {
			w.t.Fatalf("claimed %v", claimed)
		}
		other := w.node(0)
		w.round(other)
		w.told()
		w.settle(20*time.Second, 10*time.Second, other)
		w.told("binding.ended expired")
	})
}

func TestIdleLogout(t *testing.T) {
	each(t, 30*time.Minute, func(w *world) {
		r := w.node(0)
		w.login("1001", desk, 0)
		w.settle(20*time.Minute, 5*time.Minute, r)
		w.must(w.s.Touch(w.t.Context(), desk, w.clock.now())) // a key on the phone
		w.settle(20*time.Minute, 5*time.Minute, r)
		w.told()
		now := w.clock.now()
		w.must(w.s.StartDialog(w.t.Context(), desk, "call-1", now.Add(3*time.Hour), now))
		w.settle(2*time.Hour, 5*time.Minute, r)
		if w.sits(desk) != "1001" {
			w.t.Error("a call is not idle")
		}
		w.must(w.s.EndDialog(w.t.Context(), desk, "call-1", w.clock.now(), 0))
		w.settle(25*time.Minute, 5*time.Minute, r)
		w.told("session.warning idle")
		w.must(w.s.Touch(w.t.Context(), desk, w.clock.now())) // that was read
		w.settle(20*time.Minute, 5*time.Minute, r)
		w.told("session.warning idle")
		w.settle(15*time.Minute, 5*time.Minute, r)
		w.told("session.warning idle", "session.warning idle", "binding.ended idle")
	})
}

// TestIdleSparesWhoActedMeanwhile: a touch or a call between the decision and the
// end keeps the seat, and it is looked at again.
func TestIdleSparesWhoActedMeanwhile(t *testing.T) {
	each(t, 30*time.Minute, func(w *world) {
		b := w.login("1001", desk, 0)
		w.clock.jump(time.Hour)
		now := w.clock.now()
		change := schedule.Change{Seat: seat, Session: b.Session, Now: now, Why: schedule.Idle, Trace: "x"}
		w.must(w.s.StartDialog(w.t.Context(), desk, "call-1", now.Add(time.Hour), now))
		if left, err := w.s.EndSession(w.t.Context(), change); left || err != nil {
			w.t.Error(left, err)
		}
		w.must(w.s.EndDialog(w.t.Context(), desk, "call-1", now, 0))
		if left, err := w.s.EndSession(w.t.Context(), change); left || err != nil {
			w.t.Error(left, err)
		}
		if due, _, err := w.s.ClaimTimers(w.t.Context(), now, time.Second, 10); len(due) != 1 || err != nil {
			w.t.Error(due, err)
		}
		change.IdleSince = now
		if left, err := w.s.EndSession(w.t.Context(), change); !left || err != nil {
			w.t.Error(left, err)
		}
	})
}

// TestChangedSettings: a limit that comes later holds for who sits there, and one
// that goes is forgotten.
func TestChangedSettings(t *testing.T) {
	each(t, 0, func(w *world) {
		r := w.node(0)
		w.login("1001", desk, 0)
		w.settle(time.Hour, 10*time.Minute, r)
		w.idle(4 * time.Hour)
		w.round(r)
		w.told()
		w.idle(0)
		w.settle(9*time.Hour, time.Hour, r)
		w.told()
		w.idle(2 * time.Hour)
		w.round(r)
		w.told("binding.ended idle")
	})
}

func TestAnOwnerAtHomeIsNeverIdle(t *testing.T) {
	each(t, time.Minute, func(w *world) {
		r := w.node(0)
		w.login("1002", home, 0)
		w.settle(2*time.Minute, time.Minute, r) // and its owner returns
		w.settle(time.Hour, time.Minute, r)
		if w.sits(home) != "1001" {
			w.t.Errorf("at home sits %q", w.sits(home))
		}
		w.told("binding.ended idle")
	})
}

// TestManyNodesAtOnce: each session ends once, whoever looks, with clocks that
// differ by seconds and jump by hours meanwhile.
func TestManyNodesAtOnce(t *testing.T) {
	each(t, 0, func(w *world) {
		rapid.Check(w.t.(*testing.T), func(rt *rapid.T) {
			w.clock.jump(100 * time.Hour)
			before := len(w.news())
			w.login("1001", desk, time.Duration(rapid.Int64Range(1, 7200).Draw(rt, "one"))*time.Second)
			w.login("1002", home, time.Duration(rapid.Int64Range(1, 7200).Draw(rt, "two"))*time.Second)
			var wg sync.WaitGroup
			for range rapid.IntRange(2, 5).Draw(rt, "nodes") {
				r := w.node(time.Duration(rapid.Int64Range(-30, 30).Draw(rt, "off")) * time.Second)
				jumps := rapid.SliceOfN(rapid.Int64Range(-3600, 7200), 3, 6).Draw(rt, "jumps")
				wg.Go(func() {
					for _, j := range jumps {
						w.clock.jump(time.Duration(j) * time.Second)
						if _, _, err := r.Round(w.t.Context()); err != nil {
							w.t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			w.clock.jump(100 * time.Hour)
			w.settle(time.Minute, 10*time.Second, w.node(0))
			ends := 0
			for _, n := range w.news()[before:] {
				if n == "binding.ended expired" {
					ends++
				}
			}
			// The owner of home may have returned from nowhere: that has no end.
			if ends != 2 || w.sits(desk) != "" || w.sits(home) == "1002" {
				rt.Fatalf("%d ends; %q and %q sit", ends, w.sits(desk), w.sits(home))
			}
			for _, d := range []directory.DeviceID{desk, home} {
				_, _ = w.s.Unbind(w.t.Context(), hotdesk.UnbindRequest{
					Now: w.clock.now(), Device: d, Line: 1, Trace: fmt.Sprint(w.n.Add(1)), By: "directory",
				})
			}
		})
	})
}

// TestRun: a session of real milliseconds ends with nobody looking but Run.
func TestRun(t *testing.T) {
	w := newWorld(t, storetest.Memory(t), 0)
	w.clock.ms.Store(time.Now().UnixMilli())
	r := schedule.NewRunner(schedule.Parts{
		Store: w.s, Seats: w.s, Directory: w.s, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		TraceID: func() string { return "auto" }, Session: func() directory.SessionID { return "none" },
	})
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = r.Run(ctx) })
	defer done.Wait()
	defer stop()
	gone := make(chan struct{})
	done.Go(func() {
		_ = w.s.Tail(ctx, store.Positions{acme: "0"}, func(e event.Event) {
			if e.Type == event.BindingEnded {
				close(gone)
			}
		})
	})
	w.login("1001", desk, 300*time.Millisecond)
	r.Wake()
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Fatal("the session has not ended")
	}
}
