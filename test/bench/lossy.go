package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"perch/portal/client"
	"perch/test/lossy"
)

// badNetwork has phones call each other over a network that loses and
// reorders datagrams, and tells how long it takes until every lamp is right.
func badNetwork(ctx context.Context, args []string, out io.Writer) error {
	f := flags("lossy")
	phones := f.Int("phones", 200, "phones")
	rate := f.Float64("rate", 20, "calls begun in a second")
	length := f.Duration("for", 2*time.Minute, "how long")
	loss := f.Float64("loss", 0.05, "share of datagrams lost, each way")
	late := f.Float64("late", 0.1, "share that come late, each way")
	delay := f.Duration("delay", 100*time.Millisecond, "at most so late")
	watched := f.Int("watched", 10, "extensions that each phone watches")
	cpu := f.String("server-cpu", "", "processor of the server; empty: wherever")
	if err := f.Parse(args); err != nil {
		return err
	}
	s, err := start(ctx, serverOptions{cpu: *cpu, office: func(path string) error { return writeStaff(path, *phones) }})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "lossy: %s; %d phones watch %d others each, %g calls/s for %s, %g %% lost and %g %% up to %s late each way\n",
		machine(), *phones, *watched, *rate, *length, 100**loss, 100**late, *delay)
	n := &lossy.Network{Loss: *loss, Late: *late, Delay: *delay}
	return errors.Join(callAround(ctx, s, n, lossy.Options{
		Server: s.UDP, Domain: "bench.test", Phones: *phones, Watched: *watched, Rate: *rate, For: *length,
		Number: staff, Password: func(int) string { return sipPassword },
	}, out), s.stop())
}

// rightWithin is how long lamps may take after the last call.
const rightWithin = 30 * time.Second

func callAround(ctx context.Context, s *server, n *lossy.Network, o lossy.Options, out io.Writer) error {
	office, err := lossy.Open(ctx, o, n)
	if err != nil {
		return err
	}
	defer office.Close()
	c, err := s.client()
	if err != nil {
		return err
	}
	office.Run(ctx)
	took, wrong := office.Settle(ctx, rightWithin)
	outcomes, failures := office.Outcomes()
	fmt.Fprintf(out, "  calls: %s\n", outcomesOf(outcomes))
	fmt.Fprintf(out, "  datagrams: %d, of them %d lost and %d late\n", n.Sent.Load(), n.Lost.Load(), n.Delayed.Load())
	fmt.Fprintf(out, "  %d of %d lamps right %s after the last call\n", o.Phones*o.Watched-len(wrong), o.Phones*o.Watched, short(took))
	left, err := leftOver(ctx, c)
	fmt.Fprintf(out, "  calls left over: %d\n", left)

	office.Keep(ctx, o.Phones/4)
	took, wrong = office.Settle(ctx, rightWithin)
	fmt.Fprintf(out, "  with %d phones talking: %d lamps wrong after %s\n", o.Phones/2, len(wrong), short(took))
	err = errors.Join(err, office.HangUp(ctx))
	took, wrong = office.Settle(ctx, rightWithin)
	more, lerr := leftOver(ctx, c)
	fmt.Fprintf(out, "  after all have hung up: %d lamps wrong after %s, calls left over: %d\n", len(wrong), short(took), more)
	for _, f := range append(office.Faults(), wrong...) {
		fmt.Fprintln(out, "    "+f)
	}
	for _, f := range failures {
		fmt.Fprintln(out, "    failed:", f)
	}
	return errors.Join(err, lerr)
}

// leftOver counts the calls that are up, once what is under way has had the
// time of a transaction.
func leftOver(ctx context.Context, c *client.Client) (int, error) {
	limit := time.After(32 * time.Second)
	for {
		rows, err := c.Calls(ctx, client.Filter{})
		if err != nil || len(rows) == 0 {
			return len(rows), err
		}
		select {
		case <-limit:
			return len(rows), nil
		case <-ctx.Done():
			return len(rows), ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func outcomesOf(m map[lossy.Outcome]int) string {
	var parts []string
	for _, o := range []lossy.Outcome{lossy.Talked, lossy.Cancelled, lossy.Refused, lossy.Failed, lossy.Engaged} {
		parts = append(parts, fmt.Sprintf("%s %d", o, m[o]))
	}
	return strings.Join(parts, ", ")
}

// staff is the number of a person with a static password.
func staff(i int) string { return fmt.Sprint(30000 + i) }

// writeStaff writes a directory of such people.
func writeStaff(path string, people int) error {
	var b strings.Builder
	b.WriteString("tenants:\n  - code: bench\n    domains: [bench.test]\n    extensions:\n")
	for i := range people {
		fmt.Fprintf(&b, "      - {number: %q, sip_password: %q}\n", staff(i), sipPassword)
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}
