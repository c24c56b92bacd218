package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// How a reload ended.
const (
	ReloadReady      = "ready"      // every step came
	ReloadFailed     = "failed"     // a step never came
	ReloadSuperseded = "superseded" // a newer reload of the same device took over
	ReloadSkipped    = "skipped"    // nothing to do: a brand without templates
)

// Reloads counts and times the attempts to make a device take its configuration.
type Reloads struct {
	seconds histograms
	total   counters
}

func newReloads(reg prometheus.Registerer, sets Sets) *Reloads {
	brands := newSet(sets.Brands...)
	return &Reloads{
		seconds: newHistograms(reg, "perch_reload_seconds", "Time from a reload's start to its last step, of those that ended ready.",
			humanBuckets(), []string{"brand"}, brands),
		total: newCounters(reg, "perch_reloads_total", "Reloads that ended, by brand and by result.",
			[]string{"brand", "result"}, brands, newSet(ReloadReady, ReloadFailed, ReloadSuperseded, ReloadSkipped)),
	}
}

// Done counts one reload that has ended; took is kept for those that ended
// ready. Result is one of the Reload words.
func (r *Reloads) Done(brand, result string, took time.Duration) {
	if r == nil {
		return
	}
	r.total.count(brand, result)
	if result == ReloadReady {
		r.seconds.observe(took.Seconds(), brand)
	}
}
