package e2e

import (
	"testing"

	"perch/hotdesk/trace"
	"perch/internal/sim"
)

// TestPersonLogsIn is the main job: a phone that knows one URL becomes a desk,
// a person dials a code there, and the desk is theirs until they leave.
func TestPersonLogsIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		brand sim.Brand
		mac   string
		shape func(*sim.Options)
	}{
		{"yealink", sim.Yealink, yealinkDesk, func(*sim.Options) {}},
		{"snom", sim.Snom, snomDesk, func(*sim.Options) {}},
		{"yealink that challenges", sim.Yealink, yealinkDesk, func(o *sim.Options) { o.ChallengeNotify = "desk.phone" }},
		{"snom that challenges", sim.Snom, snomDesk, func(o *sim.Options) { o.ChallengeNotify = "desk.phone" }},
		{"yealink that unregisters", sim.Yealink, yealinkDesk, func(o *sim.Options) { o.UnregisterFirst = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			d := o.phone(c.brand, c.mac, c.shape)
			d.is(c.mac)

			d.hears(true, d.dial("*11*1001*4321"))
			d.is("1001")
			if s := d.State(); len(s.Lamps) != 2 || !s.AllLit() {
				t.Errorf("the sidecar is %+v", s.Lamps)
			}
			whole(t, o.ready(c.mac, "1001"))
			d.hears(true, d.dial("*13"))

			d.hears(true, d.dial("*12"))
			d.is(c.mac)
			tr := o.ready(c.mac, "")
			if tr.Kind != trace.Logout {
				t.Errorf("the newest trace is a %s", tr.Kind)
			}
			if n := d.count(sim.Rebooting, ""); n > 0 {
				t.Errorf("rebooted %d times", n)
			}
		})
	}
}
