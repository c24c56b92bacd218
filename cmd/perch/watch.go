package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/term"

	"perch/portal/api"
	"perch/portal/client"
)

// clearScreen is what goes before a drawing on a terminal.
const clearScreen = "\x1b[H\x1b[2J"

// onTerminal tells whether the output is a screen that can be drawn anew.
func onTerminal(e *env) bool {
	f, ok := e.out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// watch calls draw at the start and after each event that matters, until Ctrl-C.
// A server that goes away is waited for, but not one that was never there.
func watch(e *env, c *client.Client, tenant string, matters func(api.Event) bool, draw func() error) error {
	for first := true; ; first = false {
		l, err := listen(e.ctx, c, tenant, matters)
		if err != nil && first {
			return explain(err, c)
		}
		if err == nil {
			err = drawing(e, l, draw)
			l.close()
		}
		if e.ctx.Err() != nil {
			return nil // Ctrl-C is how a watch ends
		}
		if err != nil {
			if first {
				return explain(err, c)
			}
			fmt.Fprintln(e.err, "perch:", explain(err, c))
		}
		pause(e.ctx, retryEvery)
	}
}

// drawing draws until the stream is over.
func drawing(e *env, l *listener, draw func() error) error {
	for {
		if err := draw(); err != nil {
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

// changesCalls tells whether an event changes a call.
func changesCalls(ev api.Event) bool {
	switch ev.Type {
	case "call.started", "call.changed", "call.ended", "directory.changed":
		return true
	}
	return false
}

// seen remembers the rows of a watch, by what names them.
type seen map[string]string

// news gives the rows that are others than at the last look.
func news[T any](was seen, rows []T, name func(T) string) (out []T) {
	for _, r := range rows {
		text, _ := json.Marshal(r) // plain values: cannot fail
		if was[name(r)] != string(text) {
			out = append(out, r)
		}
		was[name(r)] = string(text)
	}
	return out
}
