package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"perch/internal/sim"
)

// settle is how long the server gets to forget what is over: a finished
// transaction over UDP is remembered for 32 s (RFC 3261 section 17.2.2).
const settle = 45 * time.Second

// soak runs half of what the server can do for a long time, with faults, and
// shows what its process holds meanwhile and afterwards.
func soak(ctx context.Context, args []string, out io.Writer) error {
	f := flags("soak")
	last := f.Duration("for", 30*time.Minute, "how long")
	users := f.Int("users", 2000, "users that refresh")
	desks := f.Int("phones", 40, "virtual phones at which people come and go")
	rate := f.Int("rate", 0, "refreshes in a second; 0: half of what is measured first")
	quiet := f.Duration("settle", settle, "pause before the last reading")
	if err := f.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "soak: %s\n", machine())
	s, err := start(ctx, serverOptions{people: *users, desks: *desks})
	if err != nil {
		return err
	}
	k := &soaking{server: s, users: *users, desks: *desks, rate: *rate, last: *last, settle: *quiet, out: out}
	return errors.Join(k.run(ctx), s.stop())
}

type soaking struct {
	server             *server
	users, desks, rate int
	last, settle       time.Duration
	out                io.Writer

	restarts, kills, changes, failed atomic.Int64
	faults                           mischief
}

func (k *soaking) run(ctx context.Context) error {
	if k.rate == 0 {
		r, err := load{Target: k.server.UDP, Transport: "udp", Users: k.users, Conns: 16, Window: 8, For: 5 * time.Second}.run()
		if err != nil {
			return err
		}
		k.rate = int(r.Rate / 2)
		fmt.Fprintf(k.out, "  measured %.0f refreshes/s over UDP: the load is %d/s over UDP and TCP together\n", r.Rate, k.rate)
	}
	floor, _, err := openFloor(ctx, k.server, max(k.desks/2, 1))
	if err != nil {
		return err
	}
	defer floor.close()
	if err := k.pause(ctx, k.settle); err != nil {
		return err
	}
	begun := time.Now()
	first, err := k.show(begun, "before")
	if err != nil {
		return err
	}
	if err := k.loaded(ctx, floor, begun); err != nil {
		return err
	}
	for _, p := range floor.phones { // those that were in the middle of something
		_ = p.Await(ctx, func(s sim.State) bool { return s.Registered })
	}
	if err := k.pause(ctx, k.settle); err != nil {
		return err
	}
	end, err := k.show(begun, "after")
	if err != nil {
		return err
	}
	fmt.Fprintf(k.out, "  grown by: %+d goroutines, %+d descriptors, %+.1f MiB of heap\n", end.Goroutines-first.Goroutines, end.Files-first.Files, end.HeapMiB-first.HeapMiB)
	fmt.Fprintf(k.out, "  faults: Redis killed %d times, %d phones restarted, %s\n", k.kills.Load(), k.restarts.Load(), k.faults.String())
	fmt.Fprintf(k.out, "  logins and logouts: %d ready, %d not\n", k.changes.Load(), k.failed.Load())
	return nil
}

// loaded runs load and faults until the time is over, with a reading every
// tenth of it.
func (k *soaking) loaded(ctx context.Context, floor *floor, begun time.Time) error {
	work, cancel := context.WithTimeout(ctx, k.last)
	defer cancel()
	var tasks sync.WaitGroup
	var results [2]result
	var errs [2]error
	for i, tp := range []string{"udp", "tcp"} {
		l := load{Target: k.server.UDP, Transport: tp, Users: k.users, Conns: 16, Window: 8, For: k.last, Rate: max(k.rate/2, 1)}
		if tp == "tcp" {
			l.Target = k.server.TCP
		}
		tasks.Go(func() { results[i], errs[i] = l.run() })
	}
	tasks.Go(func() { k.people(work, floor) })
	tasks.Go(func() { k.phones(work) })
	tasks.Go(func() { k.faults.run(work, k.server.UDP, k.server.TCP) })
	tasks.Go(func() { k.kill(work) })
	tick := time.NewTicker(k.last / 10)
	defer tick.Stop()
	var err error
	for err == nil && work.Err() == nil {
		select {
		case <-tick.C:
			_, err = k.show(begun, "loaded")
		case <-work.Done():
		}
	}
	tasks.Wait()
	for i, tp := range []string{"udp", "tcp"} {
		r := results[i]
		fmt.Fprintf(k.out, "  %s: %.0f refreshes/s answered 200, p50 %s, p99 %s; %d repeated, %d challenged again, %d refused\n",
			tp, r.Rate, short(r.P50), short(r.P99), r.Repeated, r.Challenged, r.Other)
	}
	return errors.Join(err, errors.Join(errs[:]...))
}

func (k *soaking) show(begun time.Time, what string) (reading, error) {
	var r reading
	if err := k.server.order("read", &r); err != nil {
		return r, err
	}
	fmt.Fprintf(k.out, "  %8s  %-7s  %5d goroutines  %4d descriptors  %6.1f MiB of heap  %6.1f MiB resident\n",
		short(time.Since(begun).Round(time.Second)), what, r.Goroutines, r.Files, r.HeapMiB, memoryOf(k.server.pid).now)
	return r, nil
}

// people come and go at the first half of the desks.
func (k *soaking) people(ctx context.Context, floor *floor) {
	var bad failures
	for i := 0; ctx.Err() == nil; i = (i + 1) % max(k.desks/2, 1) {
		before := bad.count
		var ready times
		floor.one(ctx, i, "login", restLogin, &times{}, &times{}, &ready, &bad)
		floor.one(ctx, i, "logout", restLogout, &times{}, &times{}, &ready, &bad)
		if ctx.Err() == nil {
			k.changes.Add(int64(ready.count()))
			k.failed.Add(int64(bad.count - before))
		}
	}
}

// phones of the other half get power and lose it again, one after the other.
func (k *soaking) phones(ctx context.Context) {
	for ctx.Err() == nil {
		p, err := k.server.phone(deskOf(k.desks/2+rand.IntN(max(k.desks/2, 1))), sim.Options{})
		if err != nil {
			return
		}
		life, cut := context.WithTimeout(ctx, 3*time.Second)
		_ = p.Run(life) // its end is a power cut
		cut()
		k.restarts.Add(1)
	}
}

// kill ends the server's Redis, which has to come back.
func (k *soaking) kill(ctx context.Context) {
	for k.pause(ctx, k.last/5) == nil {
		for _, pid := range childrenOf(k.server.pid) {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				k.kills.Add(1)
			}
		}
	}
}

func (k *soaking) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
