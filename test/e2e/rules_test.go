package e2e

import (
	"testing"
	"time"

	"perch/hotdesk/trace"
	"perch/internal/sim"
)

// TestMoveAndReplace: an extension that logs in elsewhere leaves its old desk,
// and whoever logs in at a desk puts out who sat there.
func TestMoveAndReplace(t *testing.T) {
	t.Parallel()
	o := open(t)
	first, second := o.phone(sim.Yealink, yealinkDesk), o.phone(sim.Snom, snomDesk)
	first.is(yealinkDesk)
	second.is(snomDesk)

	first.hears(true, first.dial("*11*1001*4321"))
	first.is("1001")

	second.hears(true, second.dial("*11*1001*4321"))
	second.is("1001")
	first.is(yealinkDesk)
	whole(t, o.ready(snomDesk, "1001"))
	o.ready(yealinkDesk, "")
	first.hears(false, first.dial("*13"))

	second.hears(true, second.dial("*11*1002*8642#"))
	second.is("1002")
	whole(t, o.ready(snomDesk, "1002"))
	seats, err := o.Store().Logins(t.Context(), extension("1001"))
	if err != nil || len(seats) > 0 {
		t.Errorf("1001 still sits at %v, %v", seats, err)
	}
}

// TestDeny: an extension or a desk whose policy denies stays as it is.
func TestDeny(t *testing.T) {
	t.Parallel()
	o := open(t)
	first, second := o.phone(sim.Yealink, yealinkDesk), o.phone(sim.Snom, snomDesk2)
	first.is(yealinkDesk)
	second.is(snomDesk2)
	first.hears(true, first.dial("*11*1004*9753"))
	first.is("1004")
	o.ready(yealinkDesk, "1004")

	second.hears(false, second.dial("*11*1004*9753")) // logged in elsewhere

	second.hears(true, second.dial("*11*1002*8642"))
	second.is("1002")
	o.ready(snomDesk2, "1002")
	second.hears(false, second.dial("*11*1003*7531")) // the desk is taken

	first.is("1004")
	second.is("1002")
	first.hears(true, first.dial("*13"))
}

// TestRefusals: what cannot be is answered, said to be refused and changes
// nothing; an unknown extension sounds as a wrong PIN does.
func TestRefusals(t *testing.T) {
	t.Parallel()
	o := open(t)
	d := o.phone(sim.Yealink, yealinkDesk)
	d.is(yealinkDesk)
	for _, code := range []string{
		"*11*1001*1111", // wrong PIN
		"*11*7777*4321", // no such extension
		"*11**4321",
		"*11*1001*4321*1",
		"*12", // nobody sits here
		"*13",
	} {
		t.Run(code, func(t *testing.T) {
			d.hears(false, d.dial(code, sim.CallOptions{Raw: true}))
		})
	}
	if s := d.State(); s.AOR != "sip:"+yealinkDesk+"@acme.test" {
		t.Errorf("registered as %s", s.AOR)
	}
	d.hears(true, d.dial("*11*1001*4321", sim.CallOptions{PCMAFirst: true}))
	d.is("1001")
}

// TestLockout: five wrong PINs lock the extension at that desk, with the right
// PIN too, and nowhere else.
func TestLockout(t *testing.T) {
	t.Parallel()
	o := open(t)
	guesser, other := o.phone(sim.Yealink, yealinkDesk), o.phone(sim.Snom, snomDesk)
	guesser.is(yealinkDesk)
	other.is(snomDesk)
	for range 5 {
		guesser.hears(false, guesser.dial("*11*1001*0000"))
	}
	guesser.hears(false, guesser.dial("*11*1001*4321"))
	guesser.hears(true, guesser.dial("*11*1002*8642"))
	other.hears(true, other.dial("*11*1001*4321"))
	other.is("1001")
	guesser.is("1002")
}

// TestReloadByCode: *14 makes the phone ask for its configuration again; what
// has not changed is not applied.
func TestReloadByCode(t *testing.T) {
	t.Parallel()
	for brand, mac := range map[sim.Brand]string{sim.Yealink: yealinkDesk, sim.Snom: snomDesk} {
		t.Run(string(brand), func(t *testing.T) {
			t.Parallel()
			o := open(t)
			d := o.phone(brand, mac)
			d.is(mac)
			d.hears(true, d.dial("*14"))
			tr := o.trace(mac, "is a reload that ended well", func(tr trace.Trace) bool {
				return tr.Kind == trace.Reload && tr.State == trace.Ready
			})
			for _, s := range []trace.StepName{trace.Notified, trace.Acknowledged, trace.Fetched} {
				if !tr.Has(s) {
					t.Errorf("%s did not come: %+v", s, tr.Steps)
				}
			}
			// The file is on its way when the trace is ready; the phone is done when it rests again.
			if err := d.Await(within(t, 15*time.Second), func(s sim.State) bool { return s.Syncs == 1 && s.Phase == sim.PhaseRunning }); err != nil {
				t.Fatal(err)
			}
			if n := d.count(sim.Unchanged, ""); n != 1 {
				t.Errorf("%d reloads brought nothing new", n)
			}
		})
	}
}

// TestPhoneThatRefuses: a phone that answers every check-sync with an error
// has not become anything, and the trace says at which step it stopped. The
// binding stands, and the phone's next boot ends the story well.
func TestPhoneThatRefuses(t *testing.T) {
	t.Parallel()
	o := open(t)
	d := o.phone(sim.Yealink, yealinkDesk, func(o *sim.Options) { o.Faults.NotifyStatus = 489 })
	d.is(yealinkDesk)
	d.hears(true, d.dial("*11*1001*4321"))
	tr := o.trace(yealinkDesk, "failed", func(tr trace.Trace) bool { return tr.State == trace.Failed })
	if !tr.Has(trace.Notified) || tr.Has(trace.Fetched) {
		t.Errorf("steps: %+v", tr.Steps)
	}
	failed := ""
	for _, s := range tr.Steps {
		if s.Error != "" {
			failed += string(s.Name) + " "
		}
	}
	t.Logf("failed at %s: %+v", failed, tr.Steps)
	if failed == "" {
		t.Error("no step says why")
	}
	if err := d.Shutdown(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	o.phone(sim.Yealink, yealinkDesk).is("1001")
	o.ready(yealinkDesk, "1001")
}

// TestPhoneThatNeverFetches acknowledges and then does nothing: the reload is
// tried again, and stays open.
func TestPhoneThatNeverFetches(t *testing.T) {
	t.Parallel()
	o := open(t)
	d := o.phone(sim.Snom, snomDesk, func(o *sim.Options) { o.Faults.NeverFetch = true })
	d.is(snomDesk)
	d.hears(true, d.dial("*11*1001*4321"))
	tr := o.trace(snomDesk, "is acknowledged", func(tr trace.Trace) bool { return tr.Has(trace.Acknowledged) })
	if tr.State != trace.Running || tr.Has(trace.Fetched) {
		t.Errorf("%+v", tr)
	}
	if missing, ok := tr.Missing(); !ok || missing != trace.Fetched {
		t.Errorf("missing is %q", missing)
	}
	eventually(t, "a second check-sync", 20*time.Second, func() bool { return d.count(sim.Notified, "check-sync;reboot=false") >= 2 })
}

// TestPhoneLosesPower in the middle of its login: it comes up as who sits there.
func TestPhoneLosesPower(t *testing.T) {
	t.Parallel()
	o := open(t)
	d := o.phone(sim.Yealink, yealinkDesk, func(o *sim.Options) { o.Faults.FetchLate = time.Minute })
	d.is(yealinkDesk)
	d.hears(true, d.dial("*11*1001*4321"))
	o.trace(yealinkDesk, "is acknowledged", func(tr trace.Trace) bool { return tr.Has(trace.Acknowledged) })
	if err := d.Shutdown(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	o.phone(sim.Yealink, yealinkDesk).is("1001")
	whole(t, o.ready(yealinkDesk, "1001"))
}
