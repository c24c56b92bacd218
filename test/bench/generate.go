package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// load is what the generator is to do: so many users refresh their contacts
// over and over, with a bounded number of requests under way.
type load struct {
	Target, Transport string
	Users, Conns      int
	Window            int // requests under way over one connection or socket
	For               time.Duration
	Challenge         bool // every REGISTER is challenged: no nonce is used again
	Rate              int  // refreshes in a second, over all; 0: as many as come back
}

// result is what came back.
type result struct {
	Registered     int     // users that have a contact after the first round
	OK             int     // refreshes answered 200 within the time
	Rate           float64 // of them in a second
	P50, P99       time.Duration
	Repeated       int // retransmissions
	Challenged     int // 401 within the time
	Other          int // answers that were neither
	FirstRound     time.Duration
	ProcessorShare float64 // of the generator, of one processor
}

// generate runs a load in this process and prints the result as JSON: it is
// started by refresh, pinned to a processor of its own.
func generate(_ context.Context, args []string, out io.Writer) error {
	f := flags("generate")
	var l load
	f.StringVar(&l.Target, "target", "127.0.0.1:5060", "host:port")
	f.StringVar(&l.Transport, "transport", "udp", "udp or tcp")
	f.IntVar(&l.Users, "users", 5000, "users")
	f.IntVar(&l.Conns, "conns", 16, "sockets or connections")
	f.IntVar(&l.Window, "window", 8, "requests under way over each")
	f.DurationVar(&l.For, "for", 3*time.Second, "how long")
	f.BoolVar(&l.Challenge, "challenge", false, "use no nonce twice")
	f.IntVar(&l.Rate, "rate", 0, "refreshes in a second; 0: as many as come back")
	if err := f.Parse(args); err != nil {
		return err
	}
	r, err := l.run()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

// run registers every user once, then refreshes for as long as is wanted.
func (l load) run() (result, error) {
	l.Conns = min(l.Conns, l.Users)
	lanes := make([]*lane, l.Conns)
	for i := range lanes {
		w, err := dialWire(l.Transport, l.Target)
		if err != nil {
			return result{}, err
		}
		defer w.close()
		lanes[i] = newLane(w, l, i)
	}
	var r result
	begun := time.Now()
	if err := each(lanes, func(n *lane) error { return n.firstRound(begun.Add(time.Minute)) }); err != nil {
		return r, err
	}
	r.FirstRound = time.Since(begun)
	for _, n := range lanes {
		r.Registered += n.registered
		n.count = counts{}
	}
	used, begun := cpuOfSelf(), time.Now()
	if err := each(lanes, func(n *lane) error { return n.refreshUntil(begun.Add(l.For)) }); err != nil {
		return r, err
	}
	took := time.Since(begun)
	r.ProcessorShare = (cpuOfSelf() - used).Seconds() / took.Seconds()
	var latencies []time.Duration
	for _, n := range lanes {
		r.OK, r.Repeated = r.OK+n.count.ok, r.Repeated+n.count.repeated
		r.Challenged, r.Other = r.Challenged+n.count.challenged, r.Other+n.count.other
		latencies = append(latencies, n.count.took...)
	}
	r.Rate = float64(r.OK) / took.Seconds()
	slices.Sort(latencies)
	if len(latencies) > 0 {
		r.P50, r.P99 = latencies[len(latencies)/2], latencies[len(latencies)*99/100]
	}
	return r, nil
}

func each(lanes []*lane, f func(*lane) error) error {
	errs := make([]error, len(lanes))
	var all sync.WaitGroup
	for i, n := range lanes {
		all.Go(func() { errs[i] = f(n) })
	}
	all.Wait()
	return errors.Join(errs...)
}
