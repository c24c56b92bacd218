package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/portal/api"
)

type traceCmd struct {
	MAC  directory.MAC `name:"mac" xor:"of" required:"" placeholder:"MAC" help:"Device, with or without colons."`
	Code string        `name:"code" xor:"of" required:"" placeholder:"CODE" help:"Support code that a phone's screen shows, or a whole trace id."`
	JSON bool          `name:"json" help:"Print one JSON object."`
}

// Help says more than a line.
func (traceCmd) Help() string {
	return `Each line is a step: when it came, counted from the key press, and a bar from the
step before it to this one. A step that could not come says why it was skipped, one
that failed says what did not happen, and one still to come is awaited.

--code finds the story of a support code that a phone showed: the trace, if it is
still the newest of its device, and the events, among them the reason of a refusal.`
}

// Run shows the trace.
func (t traceCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	if t.Code != "" {
		return t.support(e, c)
	}
	tr, err := c.Trace(e.ctx, t.MAC)
	if err != nil {
		return explain(err, c)
	}
	if t.JSON {
		return printJSON(e.out, tr)
	}
	waterfall(e.out, tr)
	return nil
}

// barWidth is how many columns the whole time of a trace takes.
const barWidth = 32

// waterfall draws a trace: bars over time, then words.
func waterfall(w io.Writer, t api.Trace) {
	who := "nobody"
	if t.Extension != nil {
		who = safe(*t.Extension)
	}
	fmt.Fprintf(w, "%s at %s (%s): %s sits there; %s\n", t.Kind, t.MAC, safe(t.Tenant), who, outcome(t))
	fmt.Fprintf(w, "trace %s, begun %s by %s\n\n", safe(t.ID), t.Started.Local().Format(time.DateTime), safe(or(t.Door)))
	var total, before int64
	for _, s := range t.Steps {
		total = max(total, s.Millis)
	}
	for _, s := range t.Steps {
		fmt.Fprintf(w, "  %-12s %9s  |%s|  %s\n", safe(s.Step), span(time.Duration(s.Millis)*time.Millisecond), bar(before, s, total), says(s))
		if !s.Skipped {
			before = max(before, s.Millis)
		}
	}
	if t.State != string(trace.Running) {
		return
	}
	for _, name := range trace.Steps() {
		if !slices.ContainsFunc(t.Steps, func(s api.Step) bool { return s.Step == string(name) }) {
			fmt.Fprintf(w, "  %-12s %9s  |%s|  awaited\n", name, "", strings.Repeat(" ", barWidth))
		}
	}
}

func outcome(t api.Trace) string {
	switch {
	case t.State == string(trace.Running):
		return "running"
	case t.Ended == nil:
		return t.State
	}
	return t.State + " after " + span(t.Ended.Sub(t.Started))
}

// bar is the stretch of time from the step before to this one, on the scale of
// the whole trace; nothing for a step that was skipped.
func bar(before int64, s api.Step, total int64) string {
	if s.Skipped {
		return strings.Repeat(" ", barWidth)
	}
	at := func(ms int64) int { return int(ms * (barWidth - 1) / max(total, 1)) }
	from, to := min(at(before), at(s.Millis)), at(s.Millis)
	fill := "="
	if s.Error != "" {
		fill = "x"
	}
	return strings.Repeat(" ", from) + strings.Repeat(fill, to-from+1) + strings.Repeat(" ", barWidth-1-to)
}
