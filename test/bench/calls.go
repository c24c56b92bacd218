package main

import (
	"context"
	_ "embed" // the configuration
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

//go:embed kamailio-calls.cfg
var kamailioCallsConfig string

// calls compares whole calls: INVITE with digest, 180, 200, ACK, BYE at once,
// between phones that have registered. Each server fresh, on one processor, the
// callers and the called on another.
func calls(ctx context.Context, args []string, out io.Writer) error {
	f := flags("calls")
	rounds := f.Int("rounds", 3, "rounds; the median counts")
	pairs := f.Int("pairs", 64, "calls at a time, each between phones of its own")
	last := f.Duration("for", 4*time.Second, "of one measurement")
	serverCPU := f.String("server-cpu", "0", "processor of the server")
	loadCPU := f.String("load-cpu", "1", "processor of the callers")
	alone := f.Bool("alone", false, "without Kamailio")
	redis := f.String("redis", "", "redis.url of Perch; empty: its own child, on the same processor")
	profile := f.String("profile", "", "write a CPU profile of Perch during its last round to this file")
	if err := f.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "calls: %s; server on processor %s, phones on %s\n", machine(), *serverCPU, *loadCPU)
	all := []contender{kamailioContender(*serverCPU, kamailioCallsConfig), perchContender("perch", 2**pairs, *serverCPU, *redis, *profile)}
	if *alone {
		all = all[1:]
	}
	for _, tp := range []string{"udp", "tcp"} {
		if err := compareCalls(ctx, all, callLoad{Transport: tp, Pairs: *pairs, For: *last}, *rounds, *loadCPU, out); err != nil {
			return err
		}
	}
	return nil
}

// compareCalls runs the rounds, alternating, and prints the medians.
func compareCalls(ctx context.Context, all []contender, l callLoad, rounds int, cpu string, out io.Writer) error {
	rates, p50, p99, cost, mib := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	notes := map[string]string{}
	for range rounds {
		for _, c := range all {
			r, used, m, err := callRound(ctx, c, l, cpu)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			rates[c.name] = append(rates[c.name], r.Rate)
			p50[c.name], p99[c.name] = append(p50[c.name], r.P50.Seconds()), append(p99[c.name], r.P99.Seconds())
			cost[c.name] = append(cost[c.name], used.Seconds()/float64(max(r.OK, 1)))
			mib[c.name] = append(mib[c.name], m)
			notes[c.name] = fmt.Sprintf("repeated %d, failed %d, phones %.0f %% of their processor", r.Repeated, r.Other, 100*r.ProcessorShare)
		}
	}
	fmt.Fprintf(out, "  %s, %d at a time, every INVITE with digest, nonce used again, median of %d x %s\n", l.Transport, l.Pairs, rounds, l.For)
	first := median(rates[all[0].name])
	seconds := func(v float64) string { return short(time.Duration(v * float64(time.Second))) }
	for _, c := range all {
		rate := median(rates[c.name])
		fmt.Fprintf(out, "    %-12s %8.0f/s  %.2fx   INVITE to 200 p50 %8s  p99 %8s   %8s of processor each   %4.0f MiB   (last round: %s)\n",
			c.name, rate, rate/first, seconds(median(p50[c.name])), seconds(median(p99[c.name])), seconds(median(cost[c.name])), median(mib[c.name]), notes[c.name])
	}
	return nil
}

// callRound measures one server, fresh.
func callRound(ctx context.Context, c contender, l callLoad, cpu string) (r result, used time.Duration, mib float64, err error) {
	target, stop, pid, err := c.start(ctx)
	if err != nil {
		return r, 0, 0, err
	}
	seconds := func(p int) float64 { return cpuOf(p).Seconds() }
	before := family(pid(), seconds)
	self, err := os.Executable()
	if err != nil {
		return r, 0, 0, errors.Join(err, stop())
	}
	command := pinned(cpu, self, "callers", "-target", target(l.Transport), "-transport", l.Transport, "-pairs", fmt.Sprint(l.Pairs), "-for", l.For.String())
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(text, &r)
	} else {
		err = fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	used = time.Duration((family(pid(), seconds) - before) * float64(time.Second))
	mib = family(pid(), func(p int) float64 { return memoryOf(p).now })
	return r, used, mib, errors.Join(err, stop())
}
