package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"perch/portal/api"
	"perch/portal/client"
)

// support shows what a support code is about.
func (t traceCmd) support(e *env, c *client.Client) error {
	found, err := c.Support(e.ctx, t.Code)
	if err != nil {
		return explain(err, c)
	}
	if t.JSON {
		return printJSON(e.out, found)
	}
	if found.Trace != nil {
		waterfall(e.out, *found.Trace)
		fmt.Fprintln(e.out)
	}
	for _, ev := range found.Events {
		newsLine(e.out, ev)
	}
	return nil
}

// newsLine prints an event on one line: what, at which phone, and the words that it
// carries.
func newsLine(w io.Writer, ev api.Event) {
	var words []string
	for _, word := range []string{ev.Number, ev.Door, ev.Reason, ev.Target, ev.Detail} {
		if word != "" {
			words = append(words, safe(word))
		}
	}
	fmt.Fprintf(w, "%s  %-18s %s  %s  %s\n", ev.At.Local().Format(time.DateTime), safe(ev.Type), cmp.Or(safe(ev.MAC), "-"), safe(ev.Trace), strings.Join(words, " "))
}
