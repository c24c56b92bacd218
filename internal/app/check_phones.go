package app

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"perch/internal/certs"
	"perch/internal/config"
	"perch/provisioning"
	"perch/provisioning/brand/all"
	"perch/provisioning/files"
)

// checkPhones looks at what the phones' web server needs from the machine.
func checkPhones(cfg config.Config) (out []Finding) {
	p := cfg.Provisioning
	if p.TLS.Listen != "" {
		out = append(out, checkPort("provisioning over TLS", "tcp", p.TLS.Listen))
	}
	if p.TLS.Cert != "" {
		out = append(out, checkCertificate("provisioning.tls", config.TLS{Cert: p.TLS.Cert, Key: p.TLS.Key}, time.Now()))
	}
	if p.TLS.ClientCAs != "" {
		f := Finding{What: "client_cas " + p.TLS.ClientCAs}
		if _, err := certs.OpenAuthorities(p.TLS.ClientCAs, slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
			f.Fault, f.Mend = err.Error(), "let provisioning.tls.client_cas name a folder with certificates (PEM) of the phones' makers"
		}
		out = append(out, f)
	}
	return append(out, checkFirmware(p.Firmware)...)
}

// checkFirmware names the files that no phone would get.
func checkFirmware(dir string) []Finding {
	if dir == "" {
		return nil
	}
	out := []Finding{{What: "firmware " + dir}}
	f, err := files.OpenFirmware(dir, provisioning.FirmwareOf(all.Brands()), nil, slog.New(slog.DiscardHandler))
	var faults []files.Fault
	if err == nil {
		faults, err = f.Scan(context.Background())
	}
	if err != nil {
		out[0].Fault, out[0].Mend = err.Error(), "let provisioning.firmware name a folder that perch may read"
	}
	for _, x := range faults {
		out = append(out, Finding{
			What: "firmware " + filepath.Join(dir, x.Name), Fault: x.Why, Warn: true,
			Mend: "fetch the file again, or take it away: no phone gets it",
		})
	}
	return out
}
