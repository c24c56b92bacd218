package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of a REGISTER.
const (
	RegisterOK          = "ok"           // contacts added, changed or refreshed
	RegisterRemoved     = "removed"      // contacts removed: Expires 0 or *
	RegisterQueried     = "queried"      // no Contact: the list was given
	RegisterChallenged  = "challenged"   // 401
	RegisterTooBrief    = "too_brief"    // 423
	RegisterOutOfOrder  = "out_of_order" // an older CSeq of the same Call-ID
	RegisterRefused     = "refused"      // 403, 404
	RegisterMalformed   = "malformed"    // 400
	RegisterUnavailable = "unavailable"  // 503: the store does not answer
	RegisterError       = "error"        // 500
)

// Registrar counts and times REGISTER and knows how many contacts there are.
type Registrar struct {
	current prometheus.Gauge
	total   counters
	seconds prometheus.Histogram
}

func newRegistrar(reg prometheus.Registerer) *Registrar {
	r := &Registrar{
		current: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_registrations", Help: "Contacts now registered, in the whole installation.",
		}),
		total: newCounters(reg, "perch_register_total", "REGISTER requests, by what became of them.", []string{"result"},
			newSet(RegisterOK, RegisterRemoved, RegisterQueried, RegisterChallenged, RegisterTooBrief,
				RegisterOutOfOrder, RegisterRefused, RegisterMalformed, RegisterUnavailable, RegisterError)),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "perch_register_seconds", Help: "Time from a REGISTER's arrival to its final response.",
			Buckets: fastBuckets(),
		}),
	}
	reg.MustRegister(r.current, r.seconds)
	return r
}

// SetCurrent says how many contacts are registered now.
func (r *Registrar) SetCurrent(contacts int) {
	if r != nil {
		r.current.Set(float64(contacts))
	}
}

// Register counts one REGISTER and the time it took; result is one of the
// Register words.
func (r *Registrar) Register(result string, took time.Duration) {
	if r != nil {
		r.total.count(result)
		r.seconds.Observe(took.Seconds())
	}
}

// fastBuckets suits what a machine does alone: a quarter of a millisecond to
// two and a half seconds.
func fastBuckets() []float64 {
	return []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}
}

// humanBuckets suits what includes a phone: half a second to five minutes.
func humanBuckets() []float64 {
	return []float64{.5, 1, 2, 3, 5, 8, 10, 15, 20, 30, 45, 60, 90, 120, 300}
}
