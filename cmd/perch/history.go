package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/portal/client"
)

type historyCmd struct {
	MAC     directory.MAC `name:"mac" required:"" placeholder:"MAC" help:"The phone."`
	At      string        `placeholder:"TIME" help:"What it ran at that time: 2026-03-02T10:04, or 10:04 for today."`
	Show    string        `placeholder:"DIGEST" help:"Show what stood in a file; the beginning of its digest is enough."`
	Diff    bool          `help:"Show what differs between the two files whose digests follow."`
	Digests []string      `arg:"" optional:"" placeholder:"DIGEST" help:"Two digests, for --diff."`
	JSON    bool          `name:"json" help:"One JSON array; of --show one object."`
}

// Help says more than a line.
func (historyCmd) Help() string {
	return `Every configuration that a phone was served is remembered, its secrets masked:
  perch history --mac 001565aabb01                       all that is kept, the newest first
  perch history --mac 001565aabb01 --at 10:04            what it ran then
  perch history --mac 001565aabb01 --show 3f2a91         what stood in it
  perch history --mac 001565aabb01 --diff 3f2a91 77c0de  what differs
DIGEST is the SHA-256 of the file as it was served, secrets and all.`
}

// Run shows what a phone was served.
func (h historyCmd) Run(e *env) error {
	at, err := h.check(time.Now())
	if err != nil {
		return usage{err.Error()}
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	switch {
	case h.Diff:
		return explain(h.diff(e, c), c)
	case h.Show != "":
		return explain(h.show(e, c), c)
	}
	rows, err := c.History(e.ctx, h.MAC, at)
	if err != nil {
		return explain(err, c)
	}
	if h.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{r.At.Local().Format(time.DateTime), r.File, or(r.Extension), r.Digest[:min(12, len(r.Digest))]}
	}
	return table(e.out, []string{"SERVED", "FILE", "EXTENSION", "DIGEST"}, cells)
}

func (h historyCmd) check(now time.Time) (at time.Time, err error) {
	switch {
	case h.Diff && len(h.Digests) != 2:
		return at, fmt.Errorf("--diff takes two digests")
	case !h.Diff && len(h.Digests) > 0:
		return at, fmt.Errorf("digests go with --diff, or one with --show")
	case h.Diff && h.Show != "", h.At != "" && (h.Diff || h.Show != ""):
		return at, fmt.Errorf("choose one of --at, --show and --diff")
	case h.At != "":
		if at, err = moment(h.At, now); err != nil {
			return at, fmt.Errorf("--at: %w", err)
		}
	}
	return at, nil
}

func (h historyCmd) show(e *env, c *client.Client) error {
	f, err := c.Served(e.ctx, h.MAC, h.Show)
	if err != nil {
		return err
	}
	if h.JSON {
		return printJSON(e.out, f)
	}
	_, err = io.WriteString(e.out, client.Printable(f.Text))
	return err
}

func (h historyCmd) diff(e *env, c *client.Client) error {
	var files [2]api.ServedText
	for i, digest := range h.Digests {
		var err error
		if files[i], err = c.Served(e.ctx, h.MAC, digest); err != nil {
			return err
		}
	}
	lines := lineDiff(strings.Split(files[0].Text, "\n"), strings.Split(files[1].Text, "\n"))
	if h.JSON {
		if lines == nil {
			lines = []string{}
		}
		return printJSON(e.out, lines)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(e.out, safe(l)); err != nil {
			return err
		}
	}
	return nil
}
