package main

import (
	"context"
	_ "embed" // the configuration of the peer
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"perch/test/lossy"
)

//go:embed presence.cfg
var presenceConfig string

// lamps measures from a change of one extension to the last NOTIFY of those who
// watch it: for Perch a call of that extension, for Kamailio's presence module a
// PUBLISH, which is how it hears of calls.
func lamps(ctx context.Context, args []string, out io.Writer) error {
	f := flags("lamps")
	watchers := f.Int("watchers", 200, "phones that watch one extension")
	rounds := f.Int("rounds", 20, "calls; each is three changes")
	cpu := f.String("server-cpu", "0", "processor of the server")
	alone := f.Bool("alone", false, "without Kamailio")
	if err := f.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "lamps: %s; server on processor %s; one extension, %d watchers, %d changes\n", machine(), *cpu, *watchers, 3**rounds)
	if !*alone {
		if err := lampsOfKamailio(ctx, *cpu, *watchers, *rounds, out); err != nil {
			return fmt.Errorf("kamailio: %w", err)
		}
	}
	return lampsOfPerch(ctx, *cpu, *watchers, *rounds, out)
}

// change is one that watchers are to see.
type change struct {
	since time.Time
	seen  []time.Duration
	full  chan struct{}
}

// board takes note of when changes were made and when watchers saw them.
type board struct {
	want int
	mu   sync.Mutex
	open map[string]*change // by what a watcher says of it
}

// begin begins a change to a state.
func (b *board) begin(state string, at time.Time) *change {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &change{since: at, full: make(chan struct{})}
	if b.open == nil {
		b.open = map[string]*change{}
	}
	b.open["lamp "+state] = c
	return c
}

// saw is a watcher's hook.
func (b *board) saw(what string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.open[what]
	if c == nil {
		return
	}
	if c.seen = append(c.seen, at.Sub(c.since)); len(c.seen) == b.want {
		delete(b.open, what)
		close(c.full)
	}
}

// await waits until all have seen it and tells after how long the middle one and
// the last one did.
func (b *board) await(ctx context.Context, c *change) (middle, last time.Duration, err error) {
	select {
	case <-c.full:
		return c.seen[len(c.seen)/2], slices.Max(c.seen), nil
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	case <-time.After(60 * time.Second):
		b.mu.Lock()
		defer b.mu.Unlock()
		return 0, 0, fmt.Errorf("only %d of %d watchers saw a change", len(c.seen), b.want)
	}
}

// watching makes the phones that watch the extension 0.
func watching(ctx context.Context, o lossy.Options, b *board) ([]*lossy.Phone, error) {
	var phones []*lossy.Phone
	for i := range o.Phones {
		p, err := lossy.New(&lossy.Network{}, o.Server, o.Domain, o.Number(i), o.Password(i))
		if err != nil {
			return phones, err
		}
		phones = append(phones, p)
		if i < 2 {
			continue
		}
		p.Hook(b.saw)
		if err := p.Watch(ctx, o.Number(0)); err != nil {
			return phones, err
		}
	}
	return phones, nil
}

func lampsOfKamailio(ctx context.Context, cpu string, watchers, rounds int, out io.Writer) error {
	k, err := startKamailioWith(ctx, cpu, presenceConfig, func(dir string) error {
		return os.CopyFS(filepath.Join(dir, "db"), os.DirFS("/usr/share/kamailio/dbtext/kamailio"))
	})
	if err != nil {
		return err
	}
	b := &board{want: watchers}
	phones, err := watching(ctx, lossy.Options{
		Server: k.at, Domain: "127.0.0.1", Phones: watchers + 2, Number: staff, Password: func(int) string { return "" },
	}, b)
	defer closeAll(phones)
	if err != nil {
		return errors.Join(err, k.stop())
	}
	var t timings
	etag := ""
	for i := range 3 * rounds { // a dialog that was terminated once could not be published again
		state := []string{"early", "confirmed"}[i%2]
		c := b.begin(state, time.Now())
		if etag, err = phones[0].Publish(ctx, state, etag, i+1); err != nil {
			return errors.Join(err, k.stop())
		}
		if err := t.take(ctx, b, c); err != nil {
			return errors.Join(err, k.stop(), errors.New(k.log.String()))
		}
	}
	t.print(out, "kamailio", "PUBLISH to NOTIFY")
	return k.stop()
}

func lampsOfPerch(ctx context.Context, cpu string, watchers, rounds int, out io.Writer) error {
	s, err := start(ctx, serverOptions{cpu: cpu, office: func(path string) error { return writeStaff(path, watchers+2) }})
	if err != nil {
		return err
	}
	return errors.Join(callAndWatch(ctx, s, watchers, rounds, out), s.stop())
}

// eachState is for how long a call stays in a state: longer than a NOTIFY that is
// lost once, or watchers would be told the next state only.
const eachState = 1500 * time.Millisecond

func callAndWatch(ctx context.Context, s *server, watchers, rounds int, out io.Writer) error {
	b := &board{want: watchers}
	phones, err := watching(ctx, lossy.Options{
		Server: s.UDP, Domain: "bench.test", Phones: watchers + 2, Number: staff, Password: func(int) string { return sipPassword },
	}, b)
	defer closeAll(phones)
	if err != nil {
		return err
	}
	changes := make(chan *change, 3)
	var t timings
	of := map[string]string{"ringing": "early", "answered": "confirmed", "bye": "idle"}
	phones[0].Hook(func(what string, at time.Time) {
		if of[what] != "" {
			changes <- b.begin(of[what], at)
		}
	})
	phones[0].Rings(eachState)
	for _, p := range phones[:2] {
		if err := p.Register(ctx); err != nil {
			return err
		}
	}
	for range rounds {
		over := make(chan error, 1)
		go func() {
			_, err := phones[1].Call(ctx, phones[0].Number, lossy.Plan{Talk: eachState})
			over <- err
		}()
		for range len(of) {
			if err := t.take(ctx, b, <-changes); err != nil {
				return err
			}
		}
		if err := <-over; err != nil {
			return err
		}
	}
	t.print(out, "perch", "response or BYE of a phone to NOTIFY, call stored in Redis")
	return nil
}

func closeAll(phones []*lossy.Phone) {
	for _, p := range phones {
		p.Close()
	}
}

// timings are those of many changes.
type timings struct{ middle, last []time.Duration }

func (t *timings) take(ctx context.Context, b *board, c *change) error {
	middle, last, err := b.await(ctx, c)
	t.middle, t.last = append(t.middle, middle), append(t.last, last)
	return err
}

func (t *timings) print(out io.Writer, who, what string) {
	slices.Sort(t.middle)
	slices.Sort(t.last)
	n := len(t.last)
	fmt.Fprintf(out, "  %-9s half of the lamps after %8s, the last after %8s (median); the last at worst %8s   (%s)\n",
		who, short(t.middle[n/2]), short(t.last[n/2]), short(t.last[n-1]), what)
}
