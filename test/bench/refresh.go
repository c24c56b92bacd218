package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// contender is a server in the comparison.
type contender struct {
	name  string
	start func(ctx context.Context) (target func(transport string) string, stop func() error, pid func() int, err error)
}

// refresh compares REGISTER refreshes: each server fresh, one after the other,
// on one processor, the generator on another.
func refresh(ctx context.Context, args []string, out io.Writer) error {
	f := flags("refresh")
	rounds := f.Int("rounds", 3, "rounds; the median counts")
	users := f.Int("users", 5000, "users")
	last := f.Duration("for", 3*time.Second, "of one measurement")
	window := f.Int("window", 8, "requests under way over each of 16 sockets")
	serverCPU := f.String("server-cpu", "0", "processor of the server")
	loadCPU := f.String("load-cpu", "1", "processor of the generator")
	alone := f.Bool("alone", false, "without Kamailio")
	redis := f.String("redis", "", "redis.url of Perch; empty: its own child, on the same processor")
	transports := f.String("transports", "udp,tcp", "which")
	hows := f.String("how", "nonce,challenge", "use a nonce again, be challenged each time, or both")
	profile := f.String("profile", "", "write a CPU profile of Perch during its last round to this file")
	if err := f.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "refresh: %s; server on processor %s, generator on %s\n", machine(), *serverCPU, *loadCPU)
	all := []contender{kamailioContender(*serverCPU, kamailioConfig), perchContender("perch", *users, *serverCPU, *redis, *profile)}
	if *alone {
		all = all[1:]
	}
	for _, tp := range strings.Split(*transports, ",") {
		for _, how := range strings.Split(*hows, ",") {
			l := load{Transport: tp, Users: *users, Conns: 16, Window: *window, For: *last, Challenge: how == "challenge"}
			if err := compare(ctx, all, l, *rounds, *loadCPU, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare runs the rounds, alternating, and prints the medians.
func compare(ctx context.Context, all []contender, l load, rounds int, cpu string, out io.Writer) error {
	rates, p50, p99, cost, mib := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	notes := map[string]string{}
	for range rounds {
		for _, c := range all {
			r, used, m, err := oneRound(ctx, c, l, cpu)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			rates[c.name] = append(rates[c.name], r.Rate)
			p50[c.name] = append(p50[c.name], r.P50.Seconds())
			p99[c.name] = append(p99[c.name], r.P99.Seconds())
			cost[c.name] = append(cost[c.name], used.Seconds()/float64(max(r.OK, 1)))
			mib[c.name] = append(mib[c.name], m)
			notes[c.name] = fmt.Sprintf("repeated %d, other %d, generator %.0f %% of its processor", r.Repeated, r.Other, 100*r.ProcessorShare)
		}
	}
	how := "refresh, nonce used again"
	if l.Challenge {
		how = "challenged each time (2 requests)"
	}
	fmt.Fprintf(out, "  %s, %s, %d users, %d under way, median of %d x %s\n", l.Transport, how, l.Users, l.Conns*l.Window, rounds, l.For)
	first := median(rates[all[0].name])
	seconds := func(v float64) string { return short(time.Duration(v * float64(time.Second))) }
	for _, c := range all {
		rate := median(rates[c.name])
		fmt.Fprintf(out, "    %-20s %8.0f/s  %.2fx   p50 %8s  p99 %8s   %8s of processor each   %4.0f MiB   (last round: %s)\n",
			c.name, rate, rate/first, seconds(median(p50[c.name])), seconds(median(p99[c.name])), seconds(median(cost[c.name])), median(mib[c.name]), notes[c.name])
	}
	return nil
}

// oneRound measures one server, fresh. The processor time is that of the
// server and its children during the whole load, the first round included.
func oneRound(ctx context.Context, c contender, l load, cpu string) (r result, used time.Duration, mib float64, err error) {
	target, stop, pid, err := c.start(ctx)
	if err != nil {
		return r, 0, 0, err
	}
	before := family(pid(), func(p int) float64 { return cpuOf(p).Seconds() })
	l.Target = target(l.Transport)
	r, err = runGenerator(ctx, l, cpu)
	used = time.Duration((family(pid(), func(p int) float64 { return cpuOf(p).Seconds() }) - before) * float64(time.Second))
	mib = family(pid(), func(p int) float64 { return memoryOf(p).now })
	return r, used, mib, errors.Join(err, stop())
}

// family adds something up over a process and those it started.
func family(pid int, f func(pid int) float64) float64 {
	total := f(pid)
	for _, c := range childrenOf(pid) {
		total += f(c)
	}
	return total
}

// runGenerator runs the load in a process of its own.
func runGenerator(ctx context.Context, l load, cpu string) (result, error) {
	var r result
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	args := pinned(cpu, self, "generate", "-target", l.Target, "-transport", l.Transport, "-users", fmt.Sprint(l.Users), "-conns", fmt.Sprint(l.Conns),
		"-window", fmt.Sprint(l.Window), "-for", l.For.String(), fmt.Sprintf("-challenge=%v", l.Challenge), "-rate", fmt.Sprint(l.Rate))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("generator: %w", err)
	}
	return r, json.Unmarshal(text, &r)
}

func kamailioContender(cpu, config string) contender {
	return contender{"kamailio", func(ctx context.Context) (func(string) string, func() error, func() int, error) {
		k, err := startKamailioWith(ctx, cpu, config, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		return func(string) string { return k.at }, k.stop, func() int { return k.cmd.Process.Pid }, nil
	}}
}

func perchContender(name string, users int, cpu, redis, profile string) contender {
	return contender{name, func(ctx context.Context) (func(string) string, func() error, func() int, error) {
		s, err := start(ctx, serverOptions{people: users, desks: 1, cpu: cpu, redis: redis})
		if err != nil {
			return nil, nil, nil, err
		}
		if profile != "" {
			if err := s.order("profile "+profile, nil); err != nil {
				return nil, nil, nil, errors.Join(err, s.stop())
			}
		}
		target := func(transport string) string {
			if transport == "tcp" {
				return s.TCP
			}
			return s.UDP
		}
		stop := func() error {
			if profile != "" {
				if err := s.order("stop", &struct{}{}); err != nil {
					return errors.Join(err, s.stop())
				}
			}
			return s.stop()
		}
		return target, stop, func() int { return s.pid }, nil
	}}
}
