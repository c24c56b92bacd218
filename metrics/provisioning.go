package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Provisioning counts the phones' requests for their files.
type Provisioning struct {
	requests, uploads       counters
	dropped                 counters
	uploadFiles, uploadSize prometheus.Gauge
	badFirmware             prometheus.Gauge
}

func newProvisioning(reg prometheus.Registerer, sets Sets) *Provisioning {
	p := &Provisioning{
		requests: newCounters(reg, "perch_provisioning_requests_total", "Requests of phones for their files, by brand and by HTTP status.",
			[]string{"brand", "code"}, newSet(sets.Brands...),
			newSet("200", "201", "204", "206", "304", "400", "401", "403", "404", "405", "408", "411", "412", "413", "414", "416", "429", "431", "500", "503")),
		dropped: newCounters(reg, "perch_provisioning_keys_dropped_total", "Keys that a file left out because the phone has no place for them or cannot show them.",
			[]string{"brand"}, newSet(sets.Brands...)),
		uploads: newCounters(reg, "perch_provisioning_uploads_total", "Logs and settings that phones sent, by what became of them.",
			[]string{"result"}, newSet("kept", "discarded", "refused", "failed")),
		uploadFiles: prometheus.NewGauge(prometheus.GaugeOpts{Name: "perch_provisioning_upload_files", Help: "Uploads that are kept."}),
		uploadSize:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "perch_provisioning_upload_bytes", Help: "What the kept uploads take."}),
		badFirmware: prometheus.NewGauge(prometheus.GaugeOpts{Name: "perch_provisioning_firmware_bad", Help: "Firmware files that are not given out because their checksum is wrong."}),
	}
	reg.MustRegister(p.uploadFiles, p.uploadSize, p.badFirmware)
	return p
}

// Upload counts one upload, by what became of it.
func (p *Provisioning) Upload(result string) {
	if p != nil {
		p.uploads.count(result)
	}
}

// Dropped counts keys that a file left out.
func (p *Provisioning) Dropped(brand string, keys int) {
	if p != nil && keys > 0 {
		p.dropped.add(float64(keys), brand)
	}
}

// SetUploads says what is kept.
func (p *Provisioning) SetUploads(files int, bytes int64) {
	if p != nil {
		p.uploadFiles.Set(float64(files))
		p.uploadSize.Set(float64(bytes))
	}
}

// SetBadFirmware says how many firmware files are not what their checksum says.
func (p *Provisioning) SetBadFirmware(n int) {
	if p != nil {
		p.badFirmware.Set(float64(n))
	}
}

// Request counts one answer; an empty brand is one that was not recognised.
func (p *Provisioning) Request(brand string, code int) {
	if p != nil {
		p.requests.count(brand, strconv.Itoa(code))
	}
}
