package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"perch/internal/event"
	"perch/internal/sim"
	"perch/portal/api"
	"perch/portal/client"
)

// patience is how long a login may take before it counts as failed.
const patience = time.Minute

// logins measures people who log in and out at their desks: by REST, as an
// admin, and by feature code, whose answer plays for a second.
func logins(ctx context.Context, args []string, out io.Writer) error {
	f := flags("logins")
	phones := f.Int("phones", 1000, "virtual phones, each logged in and out once by REST")
	codes := f.Int("codes", 200, "of these, phones at which a person dials *11 and *12 too")
	parallel := f.Int("parallel", 16, "at the same time")
	redis := f.String("redis", "", "redis.url of the server")
	if err := f.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "logins: %s\n", machine())
	s, err := start(ctx, serverOptions{people: *phones, desks: *phones, redis: *redis})
	if err != nil {
		return err
	}
	err = measureLogins(ctx, s, *phones, min(*codes, *phones), *parallel, out)
	return errors.Join(err, s.stop())
}

func measureLogins(ctx context.Context, s *server, phones, codes, parallel int, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	floor, took, err := openFloor(ctx, s, phones)
	if err != nil {
		return err
	}
	defer floor.close()
	fmt.Fprintf(out, "  %d phones booted and registered in %s\n", phones, short(took))
	floor.everybody(ctx, "REST", phones, parallel, restLogin, restLogout, out)
	floor.everybody(ctx, "feature code", codes, parallel, codeLogin, codeLogout, out)
	m := memoryOf(s.pid)
	fmt.Fprintf(out, "  server: %.0f MiB at most, %s of processor in all\n", m.peak, short(cpuOf(s.pid)))
	return floor.watch.broken()
}

// floor is the office with its phones switched on.
type floor struct {
	server *server
	api    *client.Client
	phones []*sim.Phone
	desk   func(i int) desk
	watch  *watcher
	web    *http.Transport
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// openFloor switches so many phones on, which fail at nothing and pause nowhere.
func openFloor(ctx context.Context, s *server, n int) (*floor, time.Duration, error) {
	return openFloorOf(ctx, s, n, deskOf, func(_ int, o sim.Options) sim.Options { return o })
}

// openFloorOf switches phones on and waits until all are registered. shape has
// the last word on each.
func openFloorOf(ctx context.Context, s *server, n int, desk func(int) desk, shape func(int, sim.Options) sim.Options) (*floor, time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	f := &floor{server: s, desk: desk, cancel: cancel, web: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64, DisableCompression: true}}
	var err error
	if f.api, err = s.client(); err == nil {
		f.watch, err = watch(ctx, f.api)
	}
	if err != nil {
		cancel()
		return nil, 0, err
	}
	f.tasks.Go(func() { f.watch.run(ctx) })
	begun := time.Now()
	for i := range n {
		p, err := s.phone(desk(i), shape(i, sim.Options{RoundTripper: f.web}))
		if err != nil {
			f.close()
			return nil, 0, err
		}
		f.phones = append(f.phones, p)
		f.tasks.Go(func() { _ = p.Run(ctx) }) // one that cannot start is never registered
	}
	for _, p := range f.phones {
		if err := p.Await(ctx, func(s sim.State) bool { return s.Registered }); err != nil {
			f.close()
			return nil, 0, err
		}
	}
	return f, time.Since(begun), nil
}

func (f *floor) close() {
	f.cancel()
	f.tasks.Wait()
	f.web.CloseIdleConnections()
}

// act is a way to log in or out at desk i; request is an id for the trace,
// where the way takes one.
type act func(ctx context.Context, f *floor, i int, request string) error

func restLogin(ctx context.Context, f *floor, i int, request string) error {
	_, err := f.api.Login(ctx, api.LoginBody{Tenant: tenant, Extension: numberOf(i), MAC: f.desk(i).mac.String(), RequestID: request})
	return err
}

func restLogout(ctx context.Context, f *floor, i int, request string) error {
	_, err := f.api.Logout(ctx, api.LogoutBody{MAC: f.desk(i).mac.String(), RequestID: request})
	return err
}

func codeLogin(ctx context.Context, f *floor, i int, _ string) error {
	return f.dial(ctx, i, "*11*"+numberOf(i)+"*"+pin)
}

func codeLogout(ctx context.Context, f *floor, i int, _ string) error { return f.dial(ctx, i, "*12") }

func (f *floor) dial(ctx context.Context, i int, code string) error {
	res, err := f.phones[i].Dial(ctx, code, sim.CallOptions{NoRTP: true})
	if err == nil && res.Status != 200 {
		err = fmt.Errorf("%s: %d", code[:3], res.Status)
	}
	return err
}

// everybody logs each of n people in and out again, so many at the same time,
// and prints how long it took them.
func (f *floor) everybody(ctx context.Context, door string, n, parallel int, in, out act, to io.Writer) {
	if n == 0 {
		return
	}
	var answered, bound, ready, left times
	var failed failures
	next := make(chan int)
	var people sync.WaitGroup
	for range min(parallel, n) {
		people.Go(func() {
			for i := range next {
				f.one(ctx, i, "login", in, &answered, &bound, &ready, &failed)
				f.one(ctx, i, "logout", out, &times{}, &times{}, &left, &failed)
			}
		})
	}
	begun := time.Now()
	for i := range n {
		next <- i
	}
	close(next)
	people.Wait()
	took := time.Since(begun)
	fmt.Fprintf(to, "  by %s: %d logins and logouts, %d at a time, in %s (%.0f changes/s); %d failed%s\n",
		door, n, parallel, short(took), float64(2*n)/took.Seconds(), failed.count, failed.example())
	fmt.Fprintf(to, "    answer            %s\n", answered.row())
	fmt.Fprintf(to, "    accepted - bound  %s\n", bound.row())
	fmt.Fprintf(to, "    accepted - ready  %s\n", ready.row())
	fmt.Fprintf(to, "    logout to ready   %s\n", left.row())
}

// one carries one change out and follows its trace to the end.
func (f *floor) one(ctx context.Context, i int, kind string, do act, answered, bound, ready *times, failed *failures) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	mac := f.desk(i).mac
	news := f.watch.expect(mac.String(), kind)
	defer f.watch.forget(mac.String())
	begun := time.Now()
	if err := do(ctx, f, i, fmt.Sprintf("bench-%s-%d-%d", kind, i, begun.UnixNano())); err != nil {
		failed.add(fmt.Errorf("%s at %s: %w", kind, mac, err))
		return
	}
	answered.add(time.Since(begun))
	select {
	case e := <-news:
		if e.Type != string(event.TraceReady) {
			failed.add(fmt.Errorf("%s at %s: %s never came: %s", kind, mac, e.Target, e.Reason))
			return
		}
		ready.add(time.Duration(e.Millis) * time.Millisecond)
	case <-ctx.Done():
		failed.add(fmt.Errorf("%s at %s: nothing within %s", kind, mac, patience))
		return
	}
	t, err := f.api.Trace(ctx, mac)
	if err != nil {
		failed.add(err)
		return
	}
	for _, step := range t.Steps {
		if step.Step == "bound" {
			bound.add(time.Duration(step.Millis) * time.Millisecond)
		}
	}
}

// failures counts what went wrong and keeps the first.
type failures struct {
	mu    sync.Mutex
	count int
	first error
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count++; f.first == nil {
		f.first = err
	}
}

func (f *failures) example() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		return ""
	}
	return ", the first: " + f.first.Error()
}
