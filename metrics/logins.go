package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Logins counts the doors' requests for a desk and times a login to its end.
type Logins struct {
	bindings prometheus.Gauge
	total    counters
	ready    prometheus.Histogram
	steps    counters
	ends     counters
}

func newLogins(reg prometheus.Registerer, sets Sets) *Logins {
	l := &Logins{
		bindings: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_bindings", Help: "Seats now held by an extension, in the whole installation.",
		}),
		total: newCounters(reg, "perch_logins_total", "Logins asked for at this node, by door and by result.",
			[]string{"door", "result"}, newSet(sets.Doors...), newSet(sets.LoginResults...)),
		ready: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "perch_login_ready_seconds", Help: "Time from the key press to a desk with nothing outstanding.",
			Buckets: humanBuckets(),
		}),
		steps: newCounters(reg, "perch_login_failed_steps_total", "Logins that were not completed, by the step that never came.",
			[]string{"step"}, newSet(sets.Steps...)),
		ends: newCounters(reg, "perch_session_ends_total", "Sessions that ended at this node, by reason.",
			[]string{"reason"}, newSet(sets.Ends...)),
	}
	reg.MustRegister(l.bindings, l.ready)
	return l
}

// SetBindings says how many seats are held now.
func (l *Logins) SetBindings(seats int) {
	if l != nil {
		l.bindings.Set(float64(seats))
	}
}

// Login counts one request at a door and its result: "ok" or the reason of the
// refusal.
func (l *Logins) Login(door, result string) {
	if l != nil {
		l.total.count(door, result)
	}
}

// Ready takes the time from the key press until nothing was outstanding.
func (l *Logins) Ready(took time.Duration) {
	if l != nil {
		l.ready.Observe(took.Seconds())
	}
}

// StepFailed counts a login whose trace ended without that step.
func (l *Logins) StepFailed(step string) {
	if l != nil {
		l.steps.count(step)
	}
}

// Ended counts the end of a session and why: somebody logged out or moved, or
// its time was over.
func (l *Logins) Ended(reason string) {
	if l != nil {
		l.ends.count(reason)
	}
}
