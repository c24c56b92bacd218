package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of a call.
const (
	CallAnswered  = "answered"
	CallBusy      = "busy"      // 486, 600
	CallCancelled = "cancelled" // the caller gave up
	CallNoAnswer  = "no_answer" // 408, 480, 487: nobody took it
	CallRefused   = "refused"   // any other 3xx, 4xx or 6xx
	CallFailed    = "failed"    // 5xx
	CallLost      = "lost"      // its end never came, answered or not
)

// Calls counts calls by what became of them and times their set-up.
type Calls struct {
	up, dialogs prometheus.Gauge
	total       counters
	setup, ring prometheus.Histogram
	lost        prometheus.Counter
}

func newCalls(reg prometheus.Registerer) *Calls {
	buckets := []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120}
	c := &Calls{
		up: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_calls", Help: "Calls now up or being set up, in the whole installation, without those to feature codes.",
		}),
		dialogs: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_dialogs", Help: "Ends of calls now ringing or talking, in the whole installation.",
		}),
		total: newCounters(reg, "perch_calls_total", "Calls that ended at this node, by what became of them.", []string{"result"},
			newSet(CallAnswered, CallBusy, CallCancelled, CallNoAnswer, CallRefused, CallFailed, CallLost)),
		setup: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "perch_call_answer_seconds", Help: "Time from the INVITE of a call to its answer.", Buckets: buckets,
		}),
		ring: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "perch_call_setup_seconds", Help: "Time from the INVITE of a call to the first phone that rang.", Buckets: buckets,
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "perch_call_changes_lost_total", Help: "Changes of calls that could not be stored: their lamps may be wrong until the lease ends.",
		}),
	}
	reg.MustRegister(c.up, c.dialogs, c.setup, c.ring, c.lost)
	return c
}

// Set says how many calls are up and how many dialogs they have.
func (c *Calls) Set(up, dialogs int) {
	if c != nil {
		c.up.Set(float64(up))
		c.dialogs.Set(float64(dialogs))
	}
}

// Ended counts one call by its result; rang and answered are the times from its
// INVITE, negative: it did not.
func (c *Calls) Ended(result string, rang, answered time.Duration) {
	if c == nil {
		return
	}
	c.total.count(result)
	if rang >= 0 {
		c.ring.Observe(rang.Seconds())
	}
	if answered >= 0 {
		c.setup.Observe(answered.Seconds())
	}
}

// Lost counts a change of a call that could not be stored.
func (c *Calls) Lost() {
	if c != nil {
		c.lost.Inc()
	}
}
