package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"perch/portal/api"
	"perch/portal/client"
)

type callsCmd struct {
	Tenant string `placeholder:"CODE" help:"Only this tenant."`
	JSON   bool   `name:"json" help:"Print one JSON array; with --trace one object."`
	Watch  bool   `xor:"how" help:"Follow live: print again at each change, until Ctrl-C."`
	Trace  string `xor:"how" placeholder:"ID" help:"Show one call step by step, also for fifteen minutes after its end."`
}

// Help says more than a line.
func (callsCmd) Help() string {
	return `Calls that are up or being set up, those to feature codes too. AT are the phones
that ring or talk. TRACE is for --trace.`
}

// Run shows calls.
func (k callsCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	if k.Trace != "" {
		t, err := c.Call(e.ctx, k.Trace)
		if err != nil {
			return explain(err, c)
		}
		if k.JSON {
			return printJSON(e.out, t)
		}
		tellCall(e.out, t)
		return nil
	}
	before := ""
	if k.Watch && !k.JSON && onTerminal(e) {
		before = clearScreen
	}
	show := func() error {
		rows, err := c.Calls(e.ctx, client.Filter{Tenant: k.Tenant})
		if err != nil {
			return err
		}
		fmt.Fprint(e.out, before)
		return k.print(e, rows)
	}
	if k.Watch {
		return watch(e, c, k.Tenant, changesCalls, show)
	}
	return explain(show(), c)
}

func (k callsCmd) print(e *env, rows []api.Call) error {
	if k.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{
			r.Tenant, r.Caller, r.Callee, or(r.Device), strings.Join(r.At, ","), r.Since.Local().Format(time.DateTime), r.State, or(r.Kind), r.Trace,
		}
	}
	return table(e.out, []string{"TENANT", "CALLER", "CALLEE", "DEVICE", "AT", "SINCE", "STATE", "KIND", "TRACE"}, cells)
}

// tellCall writes the story of a call.
func tellCall(w io.Writer, t api.CallTrace) {
	state := t.State
	switch {
	case t.Ended != nil && t.Answered != nil:
		state = "talked for " + span(t.Ended.Sub(*t.Answered))
	case t.Ended != nil:
		state = "not answered"
	}
	fmt.Fprintf(w, "%s calls %s (%s): %s\n", safe(t.Caller), safe(t.Callee), safe(t.Tenant), state)
	fmt.Fprintf(w, "trace %s, begun %s\n\n", safe(t.Trace), t.Since.Local().Format(time.DateTime))
	for _, s := range t.Steps {
		var where []string
		for _, word := range []*string{s.Number, s.MAC, s.Detail} {
			if word != nil {
				where = append(where, safe(*word))
			}
		}
		if s.Status != nil {
			where = append(where, fmt.Sprint(*s.Status))
		}
		fmt.Fprintf(w, "  %-9s %9s  %s\n", safe(s.Step), span(time.Duration(s.Millis)*time.Millisecond), strings.Join(where, " "))
	}
}
