package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACME says which names a public authority is to certify, and how it finds out
// that they are ours (RFC 8555).
type ACME struct {
	Domains   []string
	Email     string // for the authority's warnings; may be empty
	Directory string // URL of the authority; empty: Let's Encrypt
	Roots     string // PEM file of the authority's own CA; empty: the system's
	HTTPPort  int    // where its http-01 challenge is answered; 0: 80
	Dir       string // folder for keys and certificates
}

// Managed is a certificate by ACME.
type Managed struct {
	cache   *certmagic.Cache
	config  *certmagic.Config
	domains []string
}

// OpenACME prepares; Run obtains and renews. Until the first certificate is
// there handshakes fail.
func OpenACME(a ACME, log *slog.Logger) (*Managed, error) {
	if len(a.Domains) == 0 {
		return nil, errors.New("certs: ACME needs domains")
	}
	var roots *x509.CertPool
	if a.Roots != "" {
		pem, err := os.ReadFile(a.Roots)
		if err != nil {
			return nil, fmt.Errorf("certs: ACME roots: %w", err)
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certs: ACME roots: %s holds no certificate", a.Roots)
		}
	}
	m := &Managed{domains: a.Domains}
	quiet := zap.New(&zapToSlog{log: log})
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return m.config, nil },
		Logger:           quiet,
	})
	m.config = certmagic.New(m.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: a.Dir}, Logger: quiet,
		// Many phones send no server name.
		DefaultServerName: a.Domains[0], FallbackServerName: a.Domains[0],
	})
	m.config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(m.config, certmagic.ACMEIssuer{
		CA: a.Directory, Email: a.Email, Agreed: true, TrustedRoots: roots, Logger: quiet,
		AltHTTPPort: a.HTTPPort, DisableTLSALPNChallenge: true,
	})}
	return m, nil
}

// GetCertificate implements Source.
func (m *Managed) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return m.config.GetCertificate(hello)
}

// Run implements Source. The library tries again by itself, less and less often.
func (m *Managed) Run(ctx context.Context) error {
	defer m.cache.Stop()
	if err := m.config.ManageAsync(ctx, m.domains); err != nil {
		return fmt.Errorf("certs: ACME: %w", err)
	}
	<-ctx.Done()
	return nil
}
