package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of a NOTIFY.
const (
	NotifyOK       = "ok"        // 2xx
	NotifyRefused  = "refused"   // another final status
	NotifyNoAnswer = "no_answer" // silence
	NotifyUnsent   = "unsent"    // no flow, or the transport failed
)

// Notifier counts the NOTIFY requests Perch sends and knows how many
// subscriptions there are (RFC 6665).
type Notifier struct {
	total         counters
	subscriptions *prometheus.GaugeVec
	suspect       prometheus.Gauge
	packages      set
}

func newNotifier(reg prometheus.Registerer, sets Sets) *Notifier {
	n := &Notifier{
		total: newCounters(reg, "perch_notify_total", "NOTIFY requests sent, by event, by the device's brand and by result.",
			[]string{"event", "brand", "result"}, newSet("check-sync", "dialog"), newSet(sets.Brands...),
			newSet(NotifyOK, NotifyRefused, NotifyNoAnswer, NotifyUnsent)),
		subscriptions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "perch_subscriptions", Help: "Subscriptions now active, in the whole installation, by event package.",
		}, []string{"event"}),
		packages: newSet("dialog"),
	}
	n.suspect = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "perch_subscriptions_suspect", Help: "Subscriptions of this node whose watcher did not answer the last NOTIFY.",
	})
	reg.MustRegister(n.subscriptions, n.suspect)
	for _, p := range n.packages {
		n.subscriptions.WithLabelValues(p)
	}
	return n
}

// Notify counts one NOTIFY. Event is the header's value; its parameters
// (check-sync;reboot=false) are left out. Result is one of the Notify words.
func (n *Notifier) Notify(event, brand, result string) {
	if n == nil {
		return
	}
	name, _, _ := strings.Cut(event, ";")
	n.total.count(strings.TrimSpace(name), brand, result)
}

// SetSubscriptions says how many subscriptions to an event package are active now.
func (n *Notifier) SetSubscriptions(event string, active int) {
	if n != nil {
		n.subscriptions.WithLabelValues(n.packages.in(event)).Set(float64(active))
	}
}

// SetSuspect says how many watchers of this node answer no NOTIFY now.
func (n *Notifier) SetSuspect(watchers int) {
	if n != nil {
		n.suspect.Set(float64(watchers))
	}
}
