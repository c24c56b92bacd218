package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"perch/internal/event"
	"perch/internal/sim"
	"perch/portal/api"
)

// fleet measures a mixed fleet of all brands that logs in as fast as the server
// answers, some of its phones faulty, and logs out again.
func fleet(ctx context.Context, args []string, out io.Writer) error {
	f := flags("fleet")
	n := f.Int("phones", 2000, "virtual phones, of every brand in turn")
	delays := f.Float64("delays", 0, "the phones' own pauses: 0 none, 1 those of the makers' guides")
	faulty := f.Int("faulty", 3, "of a hundred phones: they never fetch, fetch late, answer 500, or restart twice")
	parallel := f.Int("parallel", 32, "logins at the same time")
	rate := f.Int("rate", 3000, "changes asked for in a minute; 0: as fast as they are answered")
	redis := f.String("redis", "", "redis.url of the server")
	if err := f.Parse(args); err != nil {
		return err
	}
	pace := "as fast as they are answered"
	if *rate > 0 {
		pace = fmt.Sprintf("%d changes a minute", *rate)
	}
	fmt.Fprintf(out, "fleet: %s; %d phones, %d%% faulty, delays x %g, %s\n", machine(), *n, *faulty, *delays, pace)
	s, err := start(ctx, serverOptions{redis: *redis, office: func(path string) error { return writeMixed(path, *n, keysOfPerson) }})
	if err != nil {
		return err
	}
	err = measureFleet(ctx, s, crew{n: *n, delays: *delays, faulty: *faulty, parallel: *parallel, rate: *rate}, out)
	return errors.Join(err, s.stop())
}

// crew is what kind of fleet it is.
type crew struct {
	n, faulty, parallel, rate int
	delays                    float64
}

// fault is how a phone fails, and the step at which its login ends; empty: it
// becomes ready all the same.
type fault struct {
	name string
	is   sim.Faults
	step string
}

func faults() []fault {
	return []fault{
		{"never fetches", sim.Faults{NeverFetch: true}, "fetched"},
		{"answers 500", sim.Faults{NotifyStatus: 500}, "acknowledged"},
		{"fetches 5 s late", sim.Faults{FetchLate: 5 * time.Second}, ""},
		{"restarts twice", sim.Faults{RebootTwice: true}, ""},
	}
}

// of gives the fault of phone i; false for one that is well.
func (c crew) of(i int) (fault, bool) {
	if c.faulty == 0 || i%100 >= c.faulty {
		return fault{}, false
	}
	all := faults()
	return all[(i/100*c.faulty+i%100)%len(all)], true
}

func measureFleet(ctx context.Context, s *server, c crew, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	floor, took, err := openFloorOf(ctx, s, c.n, mixedDesk, func(i int, o sim.Options) sim.Options {
		o.Delays = sim.DefaultDelays(mixedDesk(i).brand, c.delays)
		if f, ok := c.of(i); ok {
			o.Faults = f.is
		}
		return o
	})
	if err != nil {
		return err
	}
	defer floor.close()
	fmt.Fprintf(out, "  %d phones booted and registered in %s\n", c.n, short(took))
	in := floor.sweep(ctx, c, "login", restLogin)
	in.print(out, "login")
	floor.sweep(ctx, c, "logout", restLogout).print(out, "logout")
	m := memoryOf(s.pid)
	fmt.Fprintf(out, "  server: %.0f MiB at most, %s of processor in all\n", m.peak, short(cpuOf(s.pid)))
	return floor.watch.broken()
}

// sweep is what became of one change at every desk.
type sweep struct {
	accepted      time.Duration // until the last was answered
	answered      times
	bound         times
	brands        map[sim.Brand]*times // accepted to ready, of phones that are well
	mu            sync.Mutex
	wrong         failures
	wellDone      int
	faultyAsMeant map[string]int
	faultyOther   []string
}

// faultPatience is how long a recipe may take to give a phone up: the longest
// waits two minutes for each of two restarts, and then some.
const faultPatience = 12 * time.Minute

// sweep changes every desk, so many at a time, and follows each to its end.
func (f *floor) sweep(ctx context.Context, c crew, kind string, do act) *sweep {
	s := &sweep{brands: map[sim.Brand]*times{}, faultyAsMeant: map[string]int{}}
	for _, b := range sim.Brands() {
		s.brands[b] = &times{}
	}
	room := make(chan struct{}, c.parallel)
	var people sync.WaitGroup
	begun := time.Now()
	for i := range c.n {
		if c.rate > 0 {
			time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Minute / time.Duration(c.rate))))
		}
		room <- struct{}{}
		mac := f.desk(i).mac
		news := f.watch.expect(mac.String(), kind)
		sent := time.Now()
		people.Go(func() {
			defer f.watch.forget(mac.String())
			err := do(ctx, f, i, fmt.Sprintf("fleet-%s-%d-%d", kind, i, sent.UnixNano()))
			s.answered.add(time.Since(sent))
			<-room
			if err != nil {
				s.wrong.add(fmt.Errorf("%s at %s: %w", kind, mac, err))
				return
			}
			s.follow(ctx, f, c, i, kind, news)
		})
	}
	for range c.parallel {
		room <- struct{}{}
	}
	s.accepted = time.Since(begun)
	people.Wait()
	return s
}

// follow waits for the end of one trace and judges it.
func (s *sweep) follow(ctx context.Context, f *floor, c crew, i int, kind string, news <-chan api.Event) {
	fault, sick := c.of(i)
	limit := time.NewTimer(faultPatience)
	defer limit.Stop()
	d := f.desk(i)
	select {
	case e := <-news:
		s.ended(d, fault, sick, e)
	case <-limit.C:
		s.wrong.add(fmt.Errorf("%s at %s (%s): nothing within %s", kind, d.mac, d.brand, faultPatience))
		return
	case <-ctx.Done():
		return
	}
	t, err := f.api.Trace(ctx, d.mac)
	if err != nil {
		s.wrong.add(err)
		return
	}
	for _, step := range t.Steps {
		if step.Step == "bound" {
			s.bound.add(time.Duration(step.Millis) * time.Millisecond)
		}
	}
}

func (s *sweep) ended(d desk, fault fault, sick bool, e api.Event) {
	step := ""
	if e.Type != string(event.TraceReady) {
		step = e.Target
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case sick && step == fault.step:
		s.faultyAsMeant[fault.name]++
	case sick:
		s.faultyOther = append(s.faultyOther, fmt.Sprintf("%s %s that %s: ended at %q", d.brand, d.mac, fault.name, step))
	case step != "":
		s.wrong.add(fmt.Errorf("%s %s: %s never came: %s", d.brand, d.mac, step, e.Reason))
	default:
		s.wellDone++
		s.brands[d.brand].add(time.Duration(e.Millis) * time.Millisecond)
	}
}

func (s *sweep) print(out io.Writer, kind string) {
	fmt.Fprintf(out, "  %s: %d accepted in %s (%.0f a minute); %d of the well phones ready, %d not%s\n", kind, s.answered.count(), short(s.accepted),
		float64(s.answered.count())/s.accepted.Minutes(), s.wellDone, s.wrong.count, s.wrong.example())
	fmt.Fprintf(out, "    answer            %s\n", s.answered.row())
	fmt.Fprintf(out, "    accepted - bound  %s\n", s.bound.row())
	var all times
	for _, b := range sim.Brands() {
		t := s.brands[b]
		all.all = append(all.all, t.all...)
		fmt.Fprintf(out, "    ready %-11s %s\n", b, t.row())
	}
	fmt.Fprintf(out, "    ready all         %s\n", all.row())
	var names []string
	for name, n := range s.faultyAsMeant {
		names = append(names, fmt.Sprintf("%s: %d", name, n))
	}
	slices.Sort(names)
	fmt.Fprintf(out, "    faulty phones that ended at the right step: %s\n", strings.Join(names, ", "))
	for _, o := range s.faultyOther[:min(len(s.faultyOther), 5)] {
		fmt.Fprintf(out, "    otherwise: %s\n", o)
	}
	if n := len(s.faultyOther); n > 5 {
		fmt.Fprintf(out, "    and %d more\n", n-5)
	}
}
