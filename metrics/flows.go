package metrics

import "github.com/prometheus/client_golang/prometheus"

// What is sent to keep a flow.
const (
	KeepPing    = "ping"    // line breaks over UDP, which ask for no answer
	KeepOptions = "options" // asks whether the phone is there
)

// What became of it.
const (
	KeepOK     = "ok"     // sent, and of OPTIONS answered
	KeepSilent = "silent" // no answer
	KeepUnsent = "unsent" // the flow was gone
)

// What became of the contacts of a flow.
const (
	FlowMarked  = "marked"  // kept as lost
	FlowFreed   = "freed"   // removed: its phone has another flow
	FlowRevived = "revived" // the device was heard by another
)

// Flows counts what keeps the flows to phones, and their ends.
type Flows struct {
	watched  prometheus.Gauge
	kept     counters
	contacts counters
}

func newFlows(reg prometheus.Registerer) *Flows {
	f := &Flows{
		watched: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_flows_watched", Help: "Flows to phones that this node keeps open or watches for their end.",
		}),
		kept: newCounters(reg, "perch_flow_keepalives_total", "Packets sent to keep flows, by method and by what became of them.",
			[]string{"method", "result"}, newSet(KeepPing, KeepOptions), newSet(KeepOK, KeepSilent, KeepUnsent)),
		contacts: newCounters(reg, "perch_flow_contacts_total", "Contacts whose flow ended, and those that came back.",
			[]string{"result"}, newSet(FlowMarked, FlowFreed, FlowRevived)),
	}
	reg.MustRegister(f.watched)
	return f
}

// SetWatched says how many flows are watched.
func (f *Flows) SetWatched(n int) {
	if f != nil {
		f.watched.Set(float64(n))
	}
}

// Kept counts one packet.
func (f *Flows) Kept(method, result string) {
	if f != nil {
		f.kept.count(method, result)
	}
}

// Lost counts the contacts of a flow that ended.
func (f *Flows) Lost(marked, freed int) {
	if f == nil {
		return
	}
	for range marked {
		f.contacts.count(FlowMarked)
	}
	for range freed {
		f.contacts.count(FlowFreed)
	}
}

// Revived counts contacts that came back.
func (f *Flows) Revived(n int) {
	if f == nil {
		return
	}
	for range n {
		f.contacts.count(FlowRevived)
	}
}
