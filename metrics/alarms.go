package metrics

import "github.com/prometheus/client_golang/prometheus"

// Alarms counts what looks like an attack on the phones' web server.
type Alarms struct {
	kinds  counters
	barred prometheus.Gauge
}

func newAlarms(reg prometheus.Registerer, kinds []string) *Alarms {
	a := &Alarms{
		kinds: newCounters(reg, "perch_provisioning_alarms_total", "Requests for phones' files that look like an attack, by kind.",
			[]string{"kind"}, newSet(kinds...)),
		barred: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_provisioning_barred", Help: "Addresses from which only phones known there get their files, for now.",
		}),
	}
	reg.MustRegister(a.barred)
	return a
}

// Alarm counts one.
func (a *Alarms) Alarm(kind string) {
	if a != nil {
		a.kinds.count(kind)
	}
}

// SetBarred says how many addresses are barred.
func (a *Alarms) SetBarred(n int) {
	if a != nil {
		a.barred.Set(float64(n))
	}
}
