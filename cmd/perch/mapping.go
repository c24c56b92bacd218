package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"perch/portal/api"
	"perch/portal/client"
)

// filter is what the lists can be narrowed by.
type filter struct {
	Tenant string `placeholder:"CODE" help:"Only this tenant."`
	Site   string `placeholder:"CODE" help:"Only devices of this site."`
	JSON   bool   `name:"json" help:"Print one JSON array."`
}

func (f filter) of() client.Filter { return client.Filter{Tenant: f.Tenant, Site: f.Site} }

type mappingCmd struct {
	filter
	Watch bool `help:"Follow live: draw again at each change, until Ctrl-C. Off a terminal, print again."`
}

// Run shows who sits where.
func (m mappingCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	if m.Watch {
		return m.watch(e, c)
	}
	return m.show(e, c, "")
}

// show prints the mapping once, after before.
func (m mappingCmd) show(e *env, c *client.Client, before string) error {
	rows, err := c.Mapping(e.ctx, m.of())
	if err != nil {
		return explain(err, c)
	}
	fmt.Fprint(e.out, before)
	if m.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{
			r.Tenant, r.Extension, or(r.Name), r.MAC, fmt.Sprint(r.Line), or(r.Brand), or(r.Model), or(r.Template), or(r.Desk),
			r.Door, r.Since.Local().Format(time.DateTime), or(r.State),
		}
	}
	return table(e.out, []string{"TENANT", "EXTENSION", "NAME", "MAC", "LINE", "BRAND", "MODEL", "TEMPLATE", "DESK", "DOOR", "SINCE", "STATE"}, cells)
}

// Pauses of a watch: between two drawings, and before a lost server is tried
// again.
const (
	drawEvery  = 200 * time.Millisecond
	retryEvery = time.Second
)

// watch draws at the start and at each change. A server that goes away is
// waited for, but not one that was never there.
func (m mappingCmd) watch(e *env, c *client.Client) error {
	clear := ""
	if f, ok := e.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && !m.JSON {
		clear = "\x1b[H\x1b[2J"
	}
	for first := true; ; first = false {
		l, err := listen(e.ctx, c, m.Tenant, changesMapping)
		if err != nil && first {
			return explain(err, c)
		}
		if err != nil {
			fmt.Fprintln(e.err, "perch:", explain(err, c))
		} else {
			err = m.draw(e, c, l, clear)
			l.close()
		}
		if e.ctx.Err() != nil {
			return nil // Ctrl-C is how a watch ends
		}
		if err != nil && !first {
			fmt.Fprintln(e.err, "perch:", err)
		}
		pause(e.ctx, retryEvery)
	}
}

// draw draws until the stream is over.
func (m mappingCmd) draw(e *env, c *client.Client, l *listener, clear string) error {
	for {
		if err := m.show(e, c, clear); err != nil {
			return err
		}
		pause(e.ctx, drawEvery)
		select {
		case <-l.wake:
		case <-l.over:
			return nil
		case <-e.ctx.Done():
			return nil
		}
	}
}

func changesMapping(ev api.Event) bool {
	switch ev.Type {
	case "binding.created", "binding.ended", "reload.requested", "trace.ready", "trace.failed", "directory.changed":
		return true
	}
	return false
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
