package metrics

import "github.com/prometheus/client_golang/prometheus"

// The HTTP servers of one Perch.
const (
	ServerProvisioning = "provisioning"
	ServerPortal       = "portal"
	ServerMetrics      = "metrics"
)

// HTTP counts what must never happen in an HTTP handler.
type HTTP struct{ panics counters }

func newHTTP(reg prometheus.Registerer) *HTTP {
	return &HTTP{newCounters(reg, "perch_http_panics_total", "Requests whose handler panicked and that were answered 500, by server.",
		[]string{"server"}, newSet(ServerProvisioning, ServerPortal, ServerMetrics))}
}

// Panic counts one handler that panicked; server is one of the Server words.
func (h *HTTP) Panic(server string) {
	if h != nil {
		h.panics.count(server)
	}
}
