// Package certs keeps the certificate that TLS listeners show: from files that
// somebody else renews, from a certification authority of this installation's
// own, or from a public one by ACME. It knows no listener and no protocol above
// TLS; it promises that a certificate which was good once is replaced only by
// another good one, without a restart and without a pause.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"sync/atomic"
	"time"
)

// Source gives the certificate for a handshake, and keeps it fresh while Run
// runs. Run returns when its context ends.
type Source interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Run(ctx context.Context) error
}

// Config is a server's TLS settings around a source: TLS 1.2 or newer, with the
// library's choice of ciphers.
func Config(s Source) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.GetCertificate}
}

// holder is one certificate that is replaced as a whole.
type holder struct {
	now atomic.Pointer[tls.Certificate]
}

// GetCertificate implements Source.
func (h *holder) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return h.now.Load(), nil
}

// soon is how long before its end a certificate that somebody else renews is
// worth a warning.
const soon = 14 * 24 * time.Hour

// warnOfEnd tells the operator once per look that a certificate ends.
func warnOfEnd(log *slog.Logger, c *tls.Certificate, now time.Time) {
	if c.Leaf != nil && now.Add(soon).After(c.Leaf.NotAfter) {
		log.Warn("the certificate ends soon, or has ended", "names", names(c.Leaf), "ends", c.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
}

func names(c *x509.Certificate) []string {
	out := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}
