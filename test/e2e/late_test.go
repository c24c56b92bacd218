package e2e

import (
	"testing"

	"perch/hotdesk/trace"
	"perch/internal/sim"
)

// TestPhoneComesLater: somebody is logged in at a desk whose phone is not
// there; it becomes theirs whenever it is switched on.
func TestPhoneComesLater(t *testing.T) {
	t.Parallel()
	for brand, mac := range map[sim.Brand]string{sim.Yealink: yealinkDesk, sim.Snom: snomDesk} {
		t.Run(string(brand), func(t *testing.T) {
			t.Parallel()
			o := open(t)
			o.admin("login", "--tenant", "acme", "--ext", "1001", "--mac", mac)
			tr := o.trace(mac, "is bound", func(tr trace.Trace) bool { return tr.Has(trace.Bound) })
			if tr.State != trace.Running || tr.Has(trace.Notified) {
				t.Errorf("nobody is there to be told: %+v", tr)
			}
			d := o.phone(brand, mac)
			d.is("1001")
			tr = o.ready(mac, "1001")
			for _, s := range []trace.StepName{trace.Fetched, trace.Registered, trace.Lit} {
				if !tr.Has(s) {
					t.Errorf("%s did not come: %+v", s, tr.Steps)
				}
			}
			d.hears(true, d.dial("*12"))
			d.is(mac)
		})
	}
}
