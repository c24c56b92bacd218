package metrics

import "github.com/prometheus/client_golang/prometheus"

// Events counts what the event bus could not deliver.
type Events struct{ lost counters }

func newEvents(reg prometheus.Registerer, sets Sets) *Events {
	return &Events{newCounters(reg, "perch_events_lost_total",
		"Times a view fell behind, lost its subscription and began again from a snapshot.", []string{"view"}, newSet(sets.Views...))}
}

// Lost counts one view that fell behind.
func (e *Events) Lost(view string) {
	if e != nil {
		e.lost.count(view)
	}
}
