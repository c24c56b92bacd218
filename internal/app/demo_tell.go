package app

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"perch/hotdesk"
	"perch/hotdesk/trace"
	"perch/internal/event"
)

// teller writes whole lines, from any goroutine.
type teller struct {
	mu  sync.Mutex
	out io.Writer
}

func (t *teller) line(s string) { fmt.Fprintln(t, s) } //nolint:errcheck // the terminal is gone: nobody to tell

// Write implements io.Writer.
func (t *teller) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.Write(p)
}

// narrate tells every step of every trace as it comes.
func (d *demo) narrate(ctx context.Context) {
	told := map[string]map[trace.StepName]bool{}
	_ = d.app.follow(ctx, "live", func(e event.Event) { //nolint:errcheck // always nil
		switch {
		case e.Type == event.LoginRefused:
			d.say.line(fmt.Sprintf("         %-14s  refused: %s", d.labels[e.MAC], e.Reason))
		case e.MAC != "":
			d.tell(ctx, e, told)
		}
	})
}

// tell prints the steps of a device's newest trace that have not been told.
func (d *demo) tell(ctx context.Context, e event.Event, told map[string]map[trace.StepName]bool) {
	t, err := d.app.store.Trace(ctx, e.Device())
	if err != nil {
		return // no trace yet, or the demo is ending
	}
	if told[t.ID] == nil {
		told[t.ID] = map[trace.StepName]bool{}
		d.say.line(fmt.Sprintf("\n%s: %s", d.labels[t.MAC], d.headline(t)))
	}
	for _, s := range t.Steps {
		if told[t.ID][s.Name] {
			continue
		}
		told[t.ID][s.Name] = true
		d.say.line(step(s))
	}
	if len(told) > 4*len(d.desks) {
		clear(told) // at worst a story is told twice
	}
}

func (d *demo) headline(t trace.Trace) string {
	who := fmt.Sprintf("%s (%s)", d.names[t.Number], t.Number)
	switch {
	case t.Kind == trace.Reload:
		return "takes its configuration again"
	case t.Number == "":
		return "nobody's again"
	case t.Door == string(hotdesk.FeatureCode):
		return who + " logs in by feature code"
	}
	return who + " logs in (" + t.Door + ")"
}

// step is one plain line; a finished login ends with the word lit.
func step(s trace.Step) string {
	line := fmt.Sprintf("%6d ms  %-12s", s.Millis, s.Name)
	switch {
	case s.Error != "":
		return line + "  never came: " + s.Error
	case s.Skipped:
		return line + "  skipped: " + s.Detail
	default:
		return line + "  " + s.Detail
	}
}

func (d *demo) welcome() {
	a := d.app.addrs
	where := "--config " + filepath.Join(d.app.cfg.DataDir, "perch.yaml")
	if err := d.writeConfig(); err != nil {
		where = "(" + err.Error() + ")"
	}
	d.say.line(fmt.Sprintf(`Perch demo: %d desks, %d people, store: %s

  SIP             %s
  configuration   http://127.0.0.1:%d/      (user: the phone's MAC, password: the device's secret)
  REST            http://%s/api/v1
  metrics         http://%s/metrics  /readyz

Try, in another shell (nobody else uses that person and that desk):
  bin/perch mapping %[8]s
  bin/perch login --tenant demo --ext %[9]s --mac %[10]s --wait %[8]s
  bin/perch trace --mac %[10]s %[8]s

A softphone: register as 1012 at demo.test through this machine, with the sip_password of 1012 in configs/demo.yaml.
A real phone: docs/phones/yealink.md and docs/phones/snom.md.
Ctrl-C ends the demo.`,
		len(d.desks), len(d.people), d.app.store.Durability(), outward(a.SIP), a.Provisioning.Port(), a.Portal, a.Metrics,
		where, d.people[len(d.people)-forVisitors].Number, d.desks[len(d.desks)-forVisitors].MAC))
}

// outward is the address that a phone on the desk would use, where there is one.
func outward(addrs []string) string {
	for _, a := range addrs {
		if strings.HasPrefix(a, "udp://") && !strings.HasPrefix(a, "udp://127.") && !strings.HasPrefix(a, "udp://[") {
			return a
		}
	}
	return addrs[0]
}
