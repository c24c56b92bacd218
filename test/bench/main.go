// Command bench measures Perch on the machine it runs on: logins, REGISTER
// refreshes beside Kamailio, a cold start of many phones, and a long soak with
// faults. It starts the real server as a child process and speaks to it from
// outside only; its generator of REGISTER shares no code with the server. It
// asserts nothing: it prints what it saw.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// measure is one subcommand.
type measure struct {
	name, about string
	run         func(ctx context.Context, args []string, out io.Writer) error
}

func measures() []measure {
	return []measure{
		{"logins", "phones that log in and out, key press to ready", logins},
		{"fleet", "a mixed fleet with faulty phones, by brand", fleet},
		{"refresh", "REGISTER refreshes over UDP and TCP, beside Kamailio", refresh},
		{"calls", "calls through the proxy over UDP and TCP, beside Kamailio with its dialog module", calls},
		{"files", "configuration files by brand, beside nginx", files},
		{"avalanche", "many phones that start at once", avalanche},
		{"lamps", "a change to the last NOTIFY of 200 watchers, beside Kamailio", lamps},
		{"lossy", "calls and lamps over a network that loses and reorders", badNetwork},
		{"soak", "hours of half load with faults; what grows?", soak},
		{"table", "makes the output of go test -bench readable", table},
		{"generate", "the generator of REGISTER (started by refresh)", generate},
		{"callers", "the generator of calls (started by calls)", callers},
		{"phones", "virtual phones (started by avalanche)", phones},
		{"serve", "the server under test (started by the others)", serve},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		for _, m := range measures() {
			if m.name == args[0] {
				return m.run(ctx, args[1:], out)
			}
		}
	}
	usage := "usage: bench COMMAND [flags]   (-h after a command lists its flags)\n"
	for _, m := range measures() {
		usage += fmt.Sprintf("  %-10s %s\n", m.name, m.about)
	}
	return fmt.Errorf("%s", usage)
}

// flags makes the flag set of a measure.
func flags(name string) *flag.FlagSet { return flag.NewFlagSet("bench "+name, flag.ContinueOnError) }
