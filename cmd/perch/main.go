// Command perch is the whole of Perch in one binary: the server, the demo, the
// virtual phones, and the commands that ask a running server. Each file is one
// subcommand; it parses and calls, and decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitFailed = 1 // it was tried and failed, or was refused
	exitUsage  = 2 // it was not even tried
)

// cli is the command line.
type cli struct {
	Config string `short:"c" placeholder:"FILE" help:"Configuration of the server (YAML); commands find the running server by it. Without: the defaults, which keep everything in ./data."`

	Serve         serveCmd         `cmd:"" help:"Run the server."`
	Demo          demoCmd          `cmd:"" help:"See it work: a server, twelve virtual phones and a login every few seconds."`
	Check         checkCmd         `cmd:"" help:"Say what is wrong with configuration, Redis, ports and certificates before you start."`
	Apply         applyCmd         `cmd:"" help:"Bring a directory file (tenants, extensions, devices) into the running server."`
	Export        exportCmd        `cmd:"" help:"Write the directory of the running server as a file that apply accepts."`
	Login         loginCmd         `cmd:"" help:"Log an extension in at a device, as an admin."`
	Logout        logoutCmd        `cmd:"" help:"Log an extension out, as an admin."`
	Reload        reloadCmd        `cmd:"" help:"Make phones take their configuration."`
	Mapping       mappingCmd       `cmd:"" help:"Show who sits where."`
	Trace         traceCmd         `cmd:"" help:"Show what became of the last login, logout or reload at a device, step by step."`
	SIPTrace      sipTraceCmd      `cmd:"" name:"sip-trace" help:"Show the SIP messages of one device or extension, live, as a capture file, or to a HEP collector."`
	Calls         callsCmd         `cmd:"" help:"Show the calls that are up, or one of them step by step."`
	Presence      presenceCmd      `cmd:"" help:"Show what each extension's watchers are shown."`
	Desks         desksCmd         `cmd:"" help:"Show the desks, the devices at each, and who sits there."`
	Why           whyCmd           `cmd:"" help:"Show which level of the policy decided each setting, and when the session ends and why."`
	PIN           pinCmd           `cmd:"" name:"pin" help:"Give an extension another PIN, as an admin."`
	Devices       devicesCmd       `cmd:"" help:"Show the devices and how each stands."`
	Registrations registrationsCmd `cmd:"" help:"Show what is registered now."`
	Upstream      upstreamCmd      `cmd:"" help:"Show the PBXs behind the tenants: which next hops answer, and who is registered there."`
	EmergencyTest emergencyTestCmd `cmd:"" name:"emergency-test" help:"Prove route, location and caller id of an emergency call for every desk, calling nobody."`
	Pending       pendingCmd       `cmd:"" help:"Show the phones that asked for a configuration and are in no directory."`
	Adopt         adoptCmd         `cmd:"" help:"Take such a phone into a tenant."`
	Enrol         enrolCmd         `cmd:"" help:"Give a device a new address for its files, as after a factory reset."`
	Audit         auditCmd         `cmd:"" help:"Show who did what at which desk, and who sat there; forget a person."`
	Lockouts      lockoutsCmd      `cmd:"" help:"Show who is kept out after wrong PINs, and which addresses are banned; let them in again."`
	History       historyCmd       `cmd:"" help:"Show what a phone was served: which configuration it ran at 10:04, and what stood in it."`
	DHCPHint      dhcpHintCmd      `cmd:"" name:"dhcp-hint" help:"Write what a DHCP server has to say so that phones find Perch. Needs no server."`
	Identify      identifyCmd      `cmd:"" help:"Tell what phone would send such a request. Needs no server."`
	Template      templateCmd      `cmd:"" help:"Check, preview and explain what admins changed in the files of phones."`
	Sim           simCmd           `cmd:"" help:"Run virtual phones against any server."`
	Version       versionCmd       `cmd:"" help:"Show the version."`
}

// env is what a command runs in.
type env struct {
	ctx     context.Context
	config  string // path; empty: the defaults
	environ []string
	in      io.Reader
	out     io.Writer
	err     io.Writer
}

// usage is the error of a command line that parses but makes no sense.
type usage struct{ text string }

func (u usage) Error() string { return u.text }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("perch"), kong.UsageOnError(), kong.Vars{"sim_brands": simBrands()},
		kong.Description("Any desk phone becomes yours by typing an extension and a PIN. Start with: perch demo"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
	if err != nil {
		fmt.Fprintln(os.Stderr, "perch:", err)
		return exitUsage
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		return complain(usage{err.Error()})
	}
	return complain(chosen.Run(&env{
		ctx: ctx, config: c.Config, environ: os.Environ(), in: os.Stdin, out: os.Stdout, err: os.Stderr,
	}))
}

// complain says what went wrong and gives the exit code.
func complain(err error) int {
	if err == nil {
		return 0
	}
	if u, ok := errors.AsType[usage](err); ok {
		fmt.Fprintf(os.Stderr, "perch: %s (perch --help, or perch COMMAND --help)\n", u.text)
		return exitUsage
	}
	if !errors.Is(err, context.Canceled) { // Ctrl-C needs no words
		fmt.Fprintln(os.Stderr, "perch:", err)
	}
	return exitFailed
}
