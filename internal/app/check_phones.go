package app

import (
	"io"
	"log/slog"
	"time"

	"perch/internal/certs"
	"perch/internal/config"
)

// checkPhones looks at what the phones' web server needs from the machine.
func checkPhones(cfg config.Config) (out []Finding) {
	p := cfg.Provisioning
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
	return out
}
