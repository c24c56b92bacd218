package lossy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Options shape an office. Number and Password say what each phone is.
type Options struct {
	Server, Domain string
	Phones         int
	Watched        int     // extensions that each phone watches
	Rate           float64 // calls begun in a second
	For            time.Duration
	Number         func(i int) string
	Password       func(i int) string
}

// Office is all phones at once.
type Office struct {
	Options
	Network *Network
	Phones  []*Phone

	mu       sync.Mutex
	outcomes map[Outcome]int
	failures []error
}

// Open connects the phones, registers them and has each watch others.
func Open(ctx context.Context, o Options, n *Network) (*Office, error) {
	of := &Office{Options: o, Network: n, outcomes: map[Outcome]int{}}
	for i := range o.Phones {
		p, err := New(n, o.Server, o.Domain, o.Number(i), o.Password(i))
		if err != nil {
			of.Close()
			return nil, err
		}
		of.Phones = append(of.Phones, p)
	}
	err := of.each(func(i int, p *Phone) error {
		if err := p.Register(ctx); err != nil {
			return err
		}
		for k := range o.Watched {
			if err := p.Watch(ctx, o.Number((i+1+k)%o.Phones)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		of.Close()
		return nil, err
	}
	return of, nil
}

// Close ends all phones.
func (o *Office) Close() {
	for _, p := range o.Phones {
		p.Close()
	}
}

// each does something with all phones at once and gives an error of one.
func (o *Office) each(f func(int, *Phone) error) error {
	faults := make(chan error, len(o.Phones))
	for i, p := range o.Phones {
		go func() { faults <- f(i, p) }()
	}
	var first error
	for range o.Phones {
		if err := <-faults; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Run has phones call each other at the rate for the time, and waits for the
// last call to end.
func (o *Office) Run(ctx context.Context) {
	var calls sync.WaitGroup
	defer calls.Wait()
	tick := time.NewTicker(time.Duration(float64(time.Second) / o.Rate))
	defer tick.Stop()
	end := time.NewTimer(o.For)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-tick.C:
		}
		plan := Plan{Talk: between(500*time.Millisecond, 2500*time.Millisecond)}
		if rand.IntN(10) == 0 {
			plan.Cancel = between(50*time.Millisecond, 900*time.Millisecond)
		}
		if from, to := o.pair(); from != nil {
			calls.Go(func() { o.call(ctx, from, to, plan) })
		}
	}
}

// pair gives a free phone and another, mostly free too.
func (o *Office) pair() (from, to *Phone) {
	for range 200 {
		a, b := o.Phones[rand.IntN(len(o.Phones))], o.Phones[rand.IntN(len(o.Phones))]
		if a != b && a.Free() && (b.Free() || rand.IntN(20) == 0) {
			return a, b
		}
	}
	return nil, nil
}

func (o *Office) call(ctx context.Context, from, to *Phone, plan Plan) {
	out, err := from.Call(ctx, to.Number, plan)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outcomes[out]++
	if err != nil && len(o.failures) < 20 {
		o.failures = append(o.failures, fmt.Errorf("%s to %s: %w", from.Number, to.Number, err))
	}
}

// Outcomes tells what came of the calls, and of some that failed why.
func (o *Office) Outcomes() (map[Outcome]int, []error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[Outcome]int{}
	for k, v := range o.outcomes {
		out[k] = v
	}
	return out, o.failures
}

// Keep sets up calls between neighbours that stay up, until HangUp; it returns
// when each phone that was called talks, or nothing more changes.
func (o *Office) Keep(ctx context.Context, pairs int) {
	for i := range pairs {
		from, to := o.Phones[2*i], o.Phones[2*i+1]
		go o.call(ctx, from, to, Plan{Talk: time.Hour})
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	for {
		talking := 0
		for _, p := range o.Phones[:2*pairs] {
			if p.InCall() {
				talking++
			}
		}
		if talking == 2*pairs {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-limit.C:
			return
		case <-tick.C:
		}
	}
}

// HangUp ends every call; every second one from the side of the called.
func (o *Office) HangUp(ctx context.Context) error {
	return o.each(func(i int, p *Phone) error {
		if i%4 == 1 || i%4 == 2 {
			return p.HangUp(ctx)
		}
		return nil
	})
}

// Wrong lists the lamps that show something else than the phone they are about
// believes: confirmed while it talks, else idle.
func (o *Office) Wrong() (wrong []string) {
	truth := map[string]string{}
	for _, p := range o.Phones {
		truth[p.Number] = "idle"
		if p.InCall() {
			truth[p.Number] = "confirmed"
		}
	}
	for _, p := range o.Phones {
		for target, shows := range p.Lamps() {
			if shows != truth[target] {
				wrong = append(wrong, fmt.Sprintf("%s at %s shows %q and is %q", target, p.Number, shows, truth[target]))
			}
		}
	}
	return wrong
}

// Settle waits until no lamp is wrong, at most until limit, and tells how long
// that took; what is wrong still at the end.
func (o *Office) Settle(ctx context.Context, limit time.Duration) (time.Duration, []string) {
	begun := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		wrong := o.Wrong()
		if took := time.Since(begun); len(wrong) == 0 || took > limit {
			return took, wrong
		}
		select {
		case <-ctx.Done():
			return time.Since(begun), wrong
		case <-tick.C:
		}
	}
}

// Faults gives what phones found wrong with what they got.
func (o *Office) Faults() (all []string) {
	for _, p := range o.Phones {
		all = append(all, p.Faults()...)
	}
	return all
}
