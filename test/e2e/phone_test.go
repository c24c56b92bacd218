package e2e

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/internal/sim"
	"perch/sip/media"
	"perch/sip/media/prompts"
)

// desk is a virtual phone and what it has told.
type desk struct {
	*sim.Phone
	t     testing.TB
	mu    sync.Mutex
	heard []sim.Event
}

// phone switches a virtual phone on; it ends with the test. Its own pauses are
// left out, and it comes back quickly from a failure.
func (o *office) phone(brand sim.Brand, mac string, shape ...func(*sim.Options)) *desk {
	o.t.Helper()
	d := &desk{t: o.t}
	opt := sim.Options{
		MAC: device(o.t, mac).MAC, Brand: brand, BaseURL: httpURL(o.Addresses().Provisioning) + "/", Secret: secretOf(mac),
		Retry: 200 * time.Millisecond, OnEvent: d.hear,
	}
	for _, f := range shape {
		f(&opt)
	}
	var err error
	if d.Phone, err = sim.New(opt); err != nil {
		o.t.Fatal(err)
	}
	d.power(o.t)
	return d
}

func (d *desk) power(t testing.TB) {
	done := make(chan error, 1)
	ctx := t.Context() // ends before the cleanups run
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (d *desk) hear(e sim.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = append(d.heard, e)
}

// count tells how often something happened, with that detail or any.
func (d *desk) count(kind sim.EventKind, detail string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.heard {
		if e.Kind == kind && (detail == "" || e.Detail == detail) {
			n++
		}
	}
	return n
}

// is waits until the phone is usable as that user, and obeys every rule.
func (d *desk) is(user string) {
	d.t.Helper()
	d.becomes(user, 15*time.Second)
}

// becomes is is with another patience.
func (d *desk) becomes(user string, patience time.Duration) {
	d.t.Helper()
	if err := d.Await(within(d.t, patience), func(s sim.State) bool { return s.Ready(user) && !s.InCall }); err != nil {
		d.t.Fatalf("%s never became %s: %v\n%+v", d.MAC(), user, err, d.State())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.heard {
		if e.Kind == sim.Misbehaved {
			d.t.Errorf("%s complains: %s (%d)", d.MAC(), e.Detail, e.Status)
		}
	}
}

// dial plays a code and gives back what was answered.
func (d *desk) dial(code string, o ...sim.CallOptions) sim.CallResult {
	d.t.Helper()
	var opt sim.CallOptions
	if len(o) > 0 {
		opt = o[0]
	}
	res, err := d.Dial(within(d.t, 20*time.Second), code, opt)
	if err != nil {
		d.t.Fatalf("%s dials: %v", d.MAC(), err)
	}
	return res
}

// The prompts that say that something was done, and those that say why not.
var (
	saidYes = []string{"logged_in", "logged_out", "since_here", "reloading"}
	saidNo  = []string{"bad_credentials", "locked", "elsewhere", "desk_taken", "ask", "site_forbidden", "unknown_device", "nobody_here", "malformed", "no_device", "unavailable", "error", "refused", "nothing_entered"}
)

// says tells which of the prompts are in what a phone heard.
func says(t testing.TB, res sim.CallResult, names []string) (said []string) {
	t.Helper()
	codec := media.PCMU
	if res.Codec == media.PCMA.String() {
		codec = media.PCMA
	}
	library := prompts.Open("", slog.New(slog.DiscardHandler))
	for _, name := range names {
		clip, ok := library.Clip("acme", "en", name)
		if !ok {
			t.Fatalf("the prompt %s is not built in; run scripts/prompts.sh", name)
		}
		// A packet may be lost, but not at the beginning of each.
		if sound := clip.Encoded(codec); bytes.Contains(res.Audio, sound[:len(sound)*3/4]) {
			said = append(said, name)
		}
	}
	return said
}

// hears says whether the answer was one for yes or one for no.
func (d *desk) hears(yes bool, res sim.CallResult) {
	d.t.Helper()
	if res.Status != 200 || res.EndedBy != sim.EndedByServer {
		d.t.Fatalf("%s: answered %d %s, ended by %q", d.MAC(), res.Status, res.Reason, res.EndedBy)
	}
	good, bad := says(d.t, res, saidYes), says(d.t, res, saidNo)
	if yes != (len(good) > 0) || yes == (len(bad) > 0) {
		d.t.Errorf("%s: heard %d packets of %s with %q and %q, which is not yes=%v", d.MAC(), res.Packets, res.Codec, good, bad, yes)
	}
}

// trace waits until the newest trace of a desk is as wanted.
func (o *office) trace(mac, what string, ok func(trace.Trace) bool) trace.Trace {
	o.t.Helper()
	var last trace.Trace
	var err error
	defer func() {
		if o.t.Failed() {
			o.t.Logf("trace of %s: %+v, %v", mac, last, err)
		}
	}()
	eventually(o.t, "trace of "+mac+" "+what, 20*time.Second, func() bool {
		last, err = o.Store().Trace(o.t.Context(), device(o.t, mac))
		return err == nil && ok(last)
	})
	return last
}

// ready waits for the trace of who sits at the desk now to end well.
func (o *office) ready(mac, number string) trace.Trace {
	o.t.Helper()
	return o.trace(mac, "of "+number+" is ready", func(t trace.Trace) bool { return t.Number == number && t.State == trace.Ready })
}

// whole fails the test unless every one of the seven steps really came.
func whole(t testing.TB, tr trace.Trace) {
	t.Helper()
	for _, name := range trace.Steps() {
		if !tr.Has(name) {
			s, _ := tr.Step(name)
			t.Errorf("trace %s (%s at %s): %s did not come: %+v", tr.ID, tr.Number, tr.MAC, name, s)
		}
	}
}

// secret gives a phone another password than officeFile has.
func secret(s directory.Secret) func(*sim.Options) {
	return func(o *sim.Options) { o.Secret = s }
}
