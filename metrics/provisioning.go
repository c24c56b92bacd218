package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Provisioning counts the phones' requests for their files.
type Provisioning struct{ requests counters }

func newProvisioning(reg prometheus.Registerer, sets Sets) *Provisioning {
	return &Provisioning{newCounters(reg, "perch_provisioning_requests_total", "Requests of phones for their files, by brand and by HTTP status.",
		[]string{"brand", "code"}, newSet(sets.Brands...),
		newSet("200", "201", "204", "304", "400", "401", "403", "404", "405", "408", "411", "412", "413", "414", "429", "431", "500", "503"))}
}

// Request counts one answer; an empty brand is one that was not recognised.
func (p *Provisioning) Request(brand string, code int) {
	if p != nil {
		p.requests.count(brand, strconv.Itoa(code))
	}
}
