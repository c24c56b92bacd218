package calls

import (
	"context"
	"iter"
	"maps"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

// sweepable is the memory as a sweeper sees it.
type sweepable struct{ *world }

func (s sweepable) TenantCodes(context.Context) ([]directory.TenantCode, error) {
	return []directory.TenantCode{"acme"}, nil
}

func (s sweepable) DueCalls(_ context.Context, _ directory.TenantCode, now time.Time, _ int) (out []Call, _ error) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	for _, c := range s.store.up {
		if c.Due() <= now.UnixMilli() {
			out = append(out, *c.clone())
		}
	}
	return out, nil
}

func (s sweepable) Calls(context.Context, directory.TenantCode) iter.Seq2[Call, error] {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	up := maps.Clone(s.store.up)
	return func(yield func(Call, error) bool) {
		for _, c := range up {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// told gives a fixed verdict of each end, by its tag.
type verdicts map[string]Verdict

func (v verdicts) Probe(_ context.Context, _ string, at, _ Leg) Verdict { return v[at.Tag] }

// sweepOnce looks at what is due, once.
func (w *world) sweepOnce(v verdicts) {
	s := Sweeper{Tracker: w.Tracker, Due: sweepable{w}, Prober: v, Log: w.Log}
	for _, c := range must(sweepable{w}.DueCalls(w.t.Context(), "acme", w.Now(), 10)) {
		s.look(w.t.Context(), c)
	}
	w.settle()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestSweep(t *testing.T) {
	for name, tc := range map[string]struct {
		found  verdicts
		after  time.Duration
		reason string // empty: it is up
	}{
		"both know it":               {verdicts{"a": Alive, "b": Alive}, talking - Probing, ""},
		"one could be asked":         {verdicts{"b": Alive}, talking, ""},
		"one has forgotten it":       {verdicts{"a": Alive, "b": Forgotten}, talking - Probing, Gone},
		"nobody could be asked":      {verdicts{}, talking - Probing, ""},
		"nobody could be asked, end": {verdicts{}, talking, Expired},
		"not due":                    {verdicts{"a": Forgotten}, time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.talk("c")
			w.settle()
			w.pass(tc.after)
			w.sweepOnce(tc.found)
			c, up := w.store.up[r.ID]
			if up != (tc.reason == "") || w.store.past[r.ID].Reason != tc.reason {
				t.Fatalf("up %v, past %+v", up, w.store.past[r.ID])
			}
			if up && len(tc.found) > 0 && tc.found["b"] == Alive && c.Lease != w.at()+talking.Milliseconds() {
				t.Errorf("lease %v", c.Lease-w.at())
			}
		})
	}
}

func TestByeThatNeverComes(t *testing.T) {
	w := newWorld(t)
	r := w.Begin(start("c")) // and nothing more: the proxy has died
	w.settle()
	w.pass(setUp)
	w.sweepOnce(nil)
	if past := w.store.past[r.ID]; past.Reason != Expired || past.By != ByPerch {
		t.Errorf("%+v", past)
	}
}

func TestPhoneThatRebootsInACall(t *testing.T) {
	w := newWorld(t)
	r := w.talk("c")
	w.settle()
	w.Suspect(r)
	w.settle()
	w.sweepOnce(verdicts{"b": Forgotten})
	if _, up := w.store.up[r.ID]; !up {
		t.Fatal("asked at once, while its answer may be under way")
	}
	w.pass(suspected)
	w.sweepOnce(verdicts{"a": Alive, "b": Forgotten})
	if past := w.store.past[r.ID]; past.Reason != Gone {
		t.Errorf("%+v", past)
	}
}

func TestRestartEndsWhatWasBeingSetUp(t *testing.T) {
	w := newWorld(t)
	ringing := w.Begin(start("ringing"))
	w.Ring(ringing, "1", 180, "b")
	talking := w.talk("talking")
	w.settle()
	w.pass(time.Second)
	s := Sweeper{Tracker: w.Tracker, Due: sweepable{w}, Prober: verdicts{}, Log: w.Log}
	if err := s.recover(t.Context(), w.at()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if past := w.store.past[ringing.ID]; past.Reason != Restarted {
		t.Errorf("%+v", past)
	}
	if _, up := w.store.up[talking.ID]; !up {
		t.Error("a call that was up was ended")
	}
}
