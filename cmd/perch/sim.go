package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/sim"
)

type simCmd struct {
	Phones    int           `default:"1" placeholder:"N" help:"How many phones, with consecutive MACs from --mac."`
	Server    string        `required:"" placeholder:"URL" help:"Provisioning URL, as a phone gets it: http://host:8080/"`
	Brand     string        `default:"yealink" placeholder:"NAME" help:"What they imitate: ${sim_brands}, or mixed for all of them in turn."`
	Model     string        `placeholder:"MODEL" help:"Model they say they are."`
	MAC       directory.MAC `name:"mac" placeholder:"MAC" help:"MAC address of the first phone."`
	Secret    string        `placeholder:"TEXT" env:"PERCH_SIM_SECRET" help:"HTTP password of the devices (their secret)."`
	Directory string        `placeholder:"FILE" help:"Take MAC, brand, model and secret of each phone from a directory file; --phones then cuts the list."`
	Challenge string        `placeholder:"REALM" help:"Challenge every NOTIFY with this realm."`
	Delays    string        `enum:"vendor,none" default:"vendor" help:"vendor: take as long as real phones; none: do everything at once."`
	Dial      string        `placeholder:"CODE" help:"Each phone dials this once it has registered, as '*11*1001*4321'."`
	Rate      float64       `placeholder:"N" help:"Phones switched on in a second; without: all at once."`
	For       time.Duration `placeholder:"TIME" help:"End after this time, as 30s; without: at Ctrl-C."`
}

// mixed is every brand in turn.
const mixed = "mixed"

// simBrands lists what can be imitated, for people.
func simBrands() string {
	var names []string
	for _, b := range sim.Brands() {
		names = append(names, string(b))
	}
	return strings.Join(names, ", ")
}

// Help says more than a line.
func (simCmd) Help() string {
	return `The phones fetch their configuration over HTTP, register as the account they find
there, subscribe their keys and obey NOTIFY. Each thing they do is a line: time, MAC,
what, detail, status. Passwords and dialled digits are never printed.`
}

// Run switches the phones on until Ctrl-C or the end of --for.
func (s simCmd) Run(e *env) error {
	phones, err := s.phones()
	if err != nil {
		return err
	}
	out := newTicker(e)
	fleet, err := sim.NewFleet(sim.FleetOptions{
		Count: len(phones), First: phones[0].mac, Rate: s.Rate,
		Phone: func(i int, o sim.Options) sim.Options { return s.options(phones[i], o, out) },
	})
	if err != nil {
		return err
	}
	ctx, done := context.WithCancel(e.ctx)
	defer done()
	if s.For > 0 {
		ctx, done = context.WithTimeout(e.ctx, s.For)
		defer done()
	}
	err = s.live(ctx, fleet, out)
	out.close()
	return err
}

// live runs the fleet until ctx ends, then switches it off politely.
func (s simCmd) live(ctx context.Context, fleet *sim.Fleet, out *ticker) error {
	power, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	ran := make(chan error, 1)
	go func() { ran <- fleet.Run(power) }()
	var calls sync.WaitGroup
	if s.Dial != "" {
		for _, p := range fleet.Phones() {
			calls.Go(func() { s.dial(ctx, p, out) })
		}
	}
	select {
	case err := <-ran:
		return err
	case <-ctx.Done():
	}
	calls.Wait()
	polite, enough := context.WithTimeout(power, 5*time.Second)
	defer enough()
	err := fleet.Shutdown(polite)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // the server is gone: nobody to say goodbye to
	}
	cut()
	return errors.Join(err, <-ran)
}

// dial waits for a phone to register and calls.
func (s simCmd) dial(ctx context.Context, p *sim.Phone, out *ticker) {
	if p.Await(ctx, func(st sim.State) bool { return st.Registered }) != nil {
		return
	}
	r, err := p.Dial(ctx, s.Dial, sim.CallOptions{})
	text := fmt.Sprintf("%d %s, %d packets heard, ended by %s after %s", r.Status, r.Reason, r.Packets, r.EndedBy, span(r.Lasted))
	if err != nil {
		text = err.Error()
	}
	out.line(time.Now(), p.MAC(), "called", text, 0)
}

// desk is one phone to be.
type desk struct {
	mac    directory.MAC
	brand  sim.Brand
	model  string
	secret directory.Secret
}

func (s simCmd) phones() ([]desk, error) {
	if s.Directory != "" {
		all, err := desksOf(s.Directory)
		if err == nil && s.Phones > 1 && s.Phones < len(all) {
			all = all[:s.Phones]
		}
		return all, err
	}
	if s.MAC.IsZero() {
		return nil, usage{"name --mac (and --secret), or --directory"}
	}
	if s.Phones < 1 || s.Phones > 100_000 {
		return nil, usage{"--phones is from 1 to 100000"}
	}
	kinds := []sim.Brand{sim.Brand(s.Brand)}
	switch {
	case s.Brand == mixed:
		kinds = sim.Brands()
	case !sim.Imitated(kinds[0]):
		return nil, usage{fmt.Sprintf("--brand %q: there are virtual phones of %s, and mixed", safe(s.Brand), simBrands())}
	}
	all := make([]desk, s.Phones)
	mac := s.MAC
	for i := range all {
		all[i] = desk{mac, kinds[i%len(kinds)], s.Model, directory.Secret(s.Secret)}
		mac = sim.NextMAC(mac)
	}
	return all, nil
}

func (s simCmd) options(d desk, o sim.Options, out *ticker) sim.Options {
	o.MAC, o.Brand, o.Model, o.Secret = d.mac, d.brand, d.model, d.secret
	o.BaseURL, o.ChallengeNotify = s.Server, s.Challenge
	if s.Delays == "vendor" {
		o.Delays = sim.DefaultDelays(d.brand, 1)
	}
	o.OnEvent = func(ev sim.Event) { out.line(ev.At, ev.MAC.String(), string(ev.Kind), ev.Detail, ev.Status) }
	return o
}

// ticker prints lines without ever holding a phone up: what does not fit is
// counted.
type ticker struct {
	e     *env
	lines chan string
	lost  atomic.Int64
	done  chan struct{}
}

func newTicker(e *env) *ticker {
	t := &ticker{e: e, lines: make(chan string, 8192), done: make(chan struct{})}
	go func() {
		defer close(t.done)
		for l := range t.lines {
			fmt.Fprintln(e.out, l)
		}
	}()
	return t
}

func (t *ticker) line(at time.Time, mac, what, detail string, status int) {
	text := fmt.Sprintf("%s %s %-12s %s", at.Format("15:04:05.000"), mac, what, safe(detail))
	if status != 0 {
		text += fmt.Sprintf(" %d", status)
	}
	select {
	case t.lines <- strings.TrimRight(text, " "):
	default:
		t.lost.Add(1)
	}
}

// close waits for the last line; no phone may live any more.
func (t *ticker) close() {
	close(t.lines)
	<-t.done
	if n := t.lost.Load(); n > 0 {
		fmt.Fprintf(t.e.err, "%d lines did not fit and were left out\n", n)
	}
}
