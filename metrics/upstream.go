package metrics

import "github.com/prometheus/client_golang/prometheus"

// UpstreamOK is a REGISTER that the PBX carried out; the other results are
// reasons of sip/upstream/registration.
const UpstreamOK = "ok"

// Upstream counts what goes on with the PBXs.
type Upstream struct {
	registrations *prometheus.GaugeVec
	states        set
	hops          prometheus.Gauge
	down          prometheus.Gauge
	register      counters
	calls         counters
}

// What became of a call that needed an upstream.
const (
	UpstreamSent       = "sent"       // it had a way
	UpstreamNoRoute    = "no_route"   // no next hop could be found
	UpstreamLoop       = "loop"       // it came from there
	UpstreamChallenged = "challenged" // a password was asked for and answered
	UpstreamNoPassword = "no_password"
)

func newUpstream(reg prometheus.Registerer, sets Sets) *Upstream {
	u := &Upstream{
		states: newSet(sets.UpstreamStates...),
		registrations: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "perch_upstream_registrations", Help: "Extensions that Perch registers at their upstream, by state, in the whole installation.",
		}, []string{"state"}),
		hops: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_upstream_up", Help: "Next hops of upstreams that answer this node.",
		}),
		down: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_upstream_down", Help: "Next hops of upstreams that do not answer this node.",
		}),
		register: newCounters(reg, "perch_upstream_register_total", "Attempts to register or unregister at an upstream, by result.",
			[]string{"result"}, newSet(append([]string{UpstreamOK}, sets.UpstreamReasons...)...)),
		calls: newCounters(reg, "perch_upstream_calls_total", "Calls that asked for an upstream, by what became of that; a challenge counts besides.",
			[]string{"result"}, newSet(UpstreamSent, UpstreamNoRoute, UpstreamLoop, UpstreamChallenged, UpstreamNoPassword)),
	}
	for _, s := range sets.UpstreamStates {
		u.registrations.WithLabelValues(s).Set(0)
	}
	reg.MustRegister(u.registrations, u.hops, u.down)
	return u
}

// SetRegistrations says how many registrations are in a state.
func (u *Upstream) SetRegistrations(state string, n int) {
	if u != nil {
		u.registrations.WithLabelValues(u.states.in(state)).Set(float64(n))
	}
}

// SetHops says how many next hops answer, and how many do not.
func (u *Upstream) SetHops(up, down int) {
	if u != nil {
		u.hops.Set(float64(up))
		u.down.Set(float64(down))
	}
}

// Register counts an attempt to register.
func (u *Upstream) Register(result string) {
	if u != nil {
		u.register.count(result)
	}
}

// Call counts a call that asked for an upstream.
func (u *Upstream) Call(result string) {
	if u != nil {
		u.calls.count(result)
	}
}
