package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"perch/internal/apply"
	"perch/portal/client"
)

// maxFile is what the server takes, in bytes.
const maxFile = 64 << 20

type applyCmd struct {
	File     string `short:"f" required:"" placeholder:"FILE" help:"The directory file; - reads standard input."`
	DryRun   bool   `help:"Only say what would change."`
	Prune    bool   `help:"Delete tenants, extensions and devices that the file does not name. Who is logged in there is logged out."`
	NewRealm bool   `help:"Let a tenant's realm change: every phone of it must then fetch its configuration again."`
}

// Help says more than a line.
func (applyCmd) Help() string {
	return `Reads the whole file and checks it before it changes anything, prints what
changes (+ created, ~ changed, - deleted), and warns of what is doubtful. The same
file again changes nothing. Faults are printed as file:line: key: message; then
nothing was changed and the exit code is 1.`
}

// Run brings the file in.
func (a applyCmd) Run(e *env) error {
	file, name, err := a.open(e)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(file)
	if err == nil {
		text, err = apply.Inlined(name, text)
	}
	if err != nil {
		return err
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	show := newProgress(e.err)
	report, err := c.Apply(e.ctx, bytes.NewReader(text), client.ApplyOptions{Name: name, DryRun: a.DryRun, Prune: a.Prune, NewRealm: a.NewRealm}, show.progress)
	show.end()
	if faulty, ok := errors.AsType[*apply.Faulty](err); ok {
		for _, f := range faulty.Faults {
			fmt.Fprintln(e.err, safe(f.String()))
		}
		return fmt.Errorf("%s: %s; nothing was changed", name, several(len(faulty.Faults), "fault"))
	}
	if err != nil {
		return explain(err, c)
	}
	tellReport(e, report)
	return nil
}

func (a applyCmd) open(e *env) (io.ReadCloser, string, error) {
	if a.File == "-" {
		return io.NopCloser(io.LimitReader(e.in, maxFile+1)), "stdin", nil
	}
	f, err := os.Open(a.File)
	if err != nil {
		return nil, "", err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%s is larger than %d MiB: split it by tenant", a.File, maxFile>>20)
	}
	if err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	return f, a.File, nil
}

// tellReport tells what an apply did: the diff on standard output, warnings beside
// it.
func tellReport(e *env, r apply.Report) {
	for _, line := range r.Lines {
		fmt.Fprintln(e.out, safe(line))
	}
	if r.More > 0 {
		fmt.Fprintf(e.out, "... and %d more\n", r.More)
	}
	for _, w := range r.Warnings {
		fmt.Fprintln(e.err, "warning:", safe(w.String()))
	}
	switch n := r.Counts; {
	case n.Created+n.Updated+n.Deleted == 0:
		fmt.Fprintln(e.out, "nothing to change")
	case r.DryRun:
		fmt.Fprintf(e.out, "would be: %d created, %d changed, %d deleted; nothing was changed\n", n.Created, n.Updated, n.Deleted)
	default:
		fmt.Fprintf(e.out, "%d created, %d changed, %d deleted\n", n.Created, n.Updated, n.Deleted)
	}
}

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// progress shows how far an apply is: a bar on a terminal, now and then a line
// elsewhere, and nothing for what is done at once.
type progress struct {
	w     io.Writer
	tty   bool
	bar   *progressbar.ProgressBar
	tenth int
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	return &progress{w: w, tty: ok && term.IsTerminal(int(f.Fd()))}
}

// worthIt is how many changes are enough to show progress.
const worthIt = 2000

func (p *progress) progress(phase string, done, total int) {
	if phase != "write" || total < worthIt {
		return
	}
	if !p.tty {
		if tenth := done * 10 / total; tenth > p.tenth {
			p.tenth = tenth
			fmt.Fprintf(p.w, "%d of %d written\n", done, total)
		}
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription("writing"),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set(done) // a bar that cannot be drawn is no fault
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish() // likewise
	}
}

type exportCmd struct {
	Output string `short:"o" placeholder:"FILE" help:"Write to FILE, mode 0600; without: standard output."`
}

// Help says more than a line.
func (exportCmd) Help() string {
	return `Secrets are written as hashes and sealed values that only this installation's
server key can use; apply accepts them as they are.`
}

// Run writes the file.
func (x exportCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	if x.Output != "" {
		f, err := os.OpenFile(x.Output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		return errors.Join(explain(c.Export(e.ctx, f), c), f.Close())
	}
	return explain(c.Export(e.ctx, e.out), c)
}
