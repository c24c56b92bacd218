package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	"perch/internal/sim"
)

// phonesEach is how many phones one process holds: each has a socket, and a
// process may have only so many descriptors.
const phonesEach = 5000

// avalanche measures the morning after a power cut: every phone boots at once,
// fetches its configuration and registers.
func avalanche(ctx context.Context, args []string, out io.Writer) error {
	f := flags("avalanche")
	n := f.Int("phones", 20_000, "phones")
	jitter := f.Duration("jitter", 30*time.Second, "in the second run each phone starts up to so much later; 0: no second run")
	within := f.Duration("within", 5*time.Minute, "give up after")
	redis := f.String("redis", "", "redis.url of the server")
	if err := f.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "avalanche: %s\n", machine())
	for _, j := range []time.Duration{0, *jitter} {
		if err := oneAvalanche(ctx, *n, j, *within, *redis, out); err != nil {
			return err
		}
		if *jitter == 0 {
			break
		}
	}
	return nil
}

func oneAvalanche(ctx context.Context, n int, jitter, within time.Duration, redis string, out io.Writer) error {
	s, err := start(ctx, serverOptions{people: 1, desks: n, redis: redis})
	if err != nil {
		return err
	}
	begun, idle := time.Now(), memoryOf(s.pid)
	crowds := make([]crowd, (n+phonesEach-1)/phonesEach)
	errs := make([]error, len(crowds))
	var all sync.WaitGroup
	for i := range crowds {
		all.Go(func() {
			crowds[i], errs[i] = runCrowd(ctx, s.Files, i*phonesEach, min(phonesEach, n-i*phonesEach), jitter, within)
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return errors.Join(err, s.stop())
	}
	registered, refused, last := 0, 0, time.Time{}
	var took times
	for _, c := range crowds {
		registered, refused = registered+c.Registered, refused+c.Refused
		for _, ms := range c.Millis {
			took.add(time.Duration(ms) * time.Millisecond)
		}
		if c.Last.After(last) {
			last = c.Last
		}
	}
	m := memoryOf(s.pid)
	fmt.Fprintf(out, "  %d phones, jitter %s: %d registered, the last after %s; %d REGISTERs refused or unanswered\n", n, short(jitter), registered, short(last.Sub(begun)), refused)
	fmt.Fprintf(out, "    power on to registered  %s\n", took.row())
	fmt.Fprintf(out, "    server: %.0f MiB before, %.0f MiB at most, %s of processor\n", idle.now, m.peak, short(cpuOf(s.pid)))
	return s.stop()
}

// crowd is what one process of phones saw.
type crowd struct {
	Registered, Refused int
	Millis              []int64 // power on to registered
	Last                time.Time
}

func runCrowd(ctx context.Context, files string, from, n int, jitter, within time.Duration) (crowd, error) {
	var c crowd
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	cmd := exec.CommandContext(ctx, self, "phones", "-files", files, "-from", fmt.Sprint(from), "-count", fmt.Sprint(n), "-jitter", jitter.String(), "-within", within.String())
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return c, fmt.Errorf("phones: %w", err)
	}
	return c, json.Unmarshal(text, &c)
}

// phones is one process of the avalanche.
func phones(ctx context.Context, args []string, out io.Writer) error {
	f := flags("phones")
	files := f.String("files", "", "host:port of the provisioning server")
	from := f.Int("from", 0, "first desk")
	n := f.Int("count", 1, "phones")
	jitter := f.Duration("jitter", 0, "each starts up to so much later")
	within := f.Duration("within", time.Minute, "give up after")
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *within)
	defer cancel()
	web := &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64, DisableCompression: true}
	defer web.CloseIdleConnections()
	seen := &crowdEvents{left: *n, done: cancel}
	s := &server{up: up{Files: *files}}
	var all sync.WaitGroup
	for i := range *n {
		p, err := s.phone(deskOf(*from+i), sim.Options{RoundTripper: web, Retry: 10 * time.Second, OnEvent: seen.hear()})
		if err != nil {
			return err
		}
		wait := time.Duration(0)
		if *jitter > 0 {
			wait = rand.N(*jitter)
		}
		all.Go(func() {
			t := time.NewTimer(wait)
			defer t.Stop()
			select {
			case <-t.C:
				_ = p.Run(ctx) // one that cannot start is never registered
			case <-ctx.Done():
			}
		})
	}
	all.Wait()
	return json.NewEncoder(out).Encode(&seen.crowd)
}

// crowdEvents counts what the phones tell.
type crowdEvents struct {
	mu   sync.Mutex
	left int
	done context.CancelFunc
	crowd
}

// hear listens to one phone.
func (c *crowdEvents) hear() func(sim.Event) {
	var on time.Time
	registered := false
	return func(e sim.Event) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch e.Kind {
		case sim.PoweredOn:
			if on.IsZero() {
				on = e.At
			}
		case sim.Refused:
			c.Refused++
		case sim.Registered:
			if registered {
				return
			}
			registered = true
			c.Registered++
			c.Millis, c.Last = append(c.Millis, e.At.Sub(on).Milliseconds()), e.At
			if c.left--; c.left == 0 {
				c.done()
			}
		}
	}
}
