package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry is what New registers with and Handler reads; the name is here so
// that a caller need not import Prometheus.
type Registry = prometheus.Registry

// Build says which Perch this is; it becomes the labels of perch_build_info.
type Build struct {
	Version   string // as in perch --version
	Revision  string // commit, empty when unknown
	GoVersion string
}

// NewRegistry gives a registry that holds the Go runtime's and the process's
// own series and perch_build_info.
func NewRegistry(b Build) *Registry {
	reg := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "perch_build_info",
		Help:        "Always 1; the labels say which Perch this is.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": b.GoVersion},
	})
	info.Set(1)
	reg.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// Handler answers GET /metrics from the registry, in at most ten seconds and
// for at most four scrapes at once. What could not be gathered is logged.
func Handler(reg *Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorLog:            errorLog{log},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	})
}

// errorLog hands what the Prometheus handler says to slog.
type errorLog struct{ log *slog.Logger }

// Println takes the handler's words; they name series and never their callers' input.
func (l errorLog) Println(v ...any) { l.log.Warn("metrics not gathered", "error", v) }
