package certs

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"slices"
	"time"
)

// Own is the certification authority of this installation and the server
// certificate that it issued. Phones trust it once its certificate is loaded
// into them; the key never leaves its file.
type Own struct {
	holder
	dir   string
	names []string
	log   *slog.Logger
	clock func() time.Time
}

// RSA, because old phones know nothing else. The server's certificate lasts
// less than the 398 days beyond which some clients refuse one.
const (
	keyBits     = 2048
	caLife      = 20 * 365 * 24 * time.Hour
	serverLife  = 365 * 24 * time.Hour
	renewBefore = 60 * 24 * time.Hour
	skew        = time.Hour // clocks of phones that have just booted
)

// CAFile is the authority's certificate, PEM: the file to load into phones.
func CAFile(dir string) string { return filepath.Join(dir, "ca.crt") }

// OpenOwn opens the authority in dir, made at the first start, and its
// certificate for the names, hosts and IP addresses alike.
func OpenOwn(dir string, names []string, log *slog.Logger, now func() time.Time) (*Own, error) {
	if now == nil {
		now = time.Now
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if len(names) == 0 {
		return nil, errors.New("certs: a certificate needs a name")
	}
	o := &Own{dir: dir, names: names, log: log, clock: now}
	if err := o.renew(); err != nil {
		return nil, err
	}
	return o, nil
}

// Run implements Source: it issues the next certificate in time.
func (o *Own) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := o.renew(); err != nil {
				o.log.Error("the certificate was not renewed", "error", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// renew uses the stored certificate while it is good, and issues one when not.
func (o *Own) renew() error {
	ca, caKey, err := o.authority()
	if err != nil {
		return err
	}
	certFile, keyFile := filepath.Join(o.dir, "server.crt"), filepath.Join(o.dir, "server.key")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err == nil && o.good(pair.Leaf, ca) {
		o.now.Store(&pair)
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.log.Warn("the stored certificate is no good and is replaced", "cert", certFile, "error", err)
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("certs: key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, o.template(), ca, key.Public(), caKey)
	if err != nil {
		return fmt.Errorf("certs: issue: %w", err)
	}
	if err := errors.Join(writeKey(keyFile, key), writeCert(certFile, der)); err != nil {
		return fmt.Errorf("certs: keep certificate: %w", err)
	}
	if pair, err = tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		return fmt.Errorf("certs: %w", err)
	}
	o.now.Store(&pair)
	o.log.Info("certificate issued by the installation's own authority", "names", o.names, "ca", CAFile(o.dir))
	return nil
}

// good tells a certificate of this authority for these names, with time left.
func (o *Own) good(c, ca *x509.Certificate) bool {
	now := o.clock()
	return c.CheckSignatureFrom(ca) == nil && now.After(c.NotBefore) && now.Add(renewBefore).Before(c.NotAfter) &&
		slices.Equal(slices.Sorted(slices.Values(names(c))), o.names)
}

func (o *Own) template() *x509.Certificate {
	now := o.clock()
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: o.names[0]},
		NotBefore: now.Add(-skew), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range o.names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	return t
}

// authority reads the authority or makes it. A half of it is an error: phones
// may trust the other half.
func (o *Own) authority() (*x509.Certificate, crypto.PrivateKey, error) {
	keyFile := filepath.Join(o.dir, "ca.key")
	pair, err := tls.LoadX509KeyPair(CAFile(o.dir), keyFile)
	switch {
	case err == nil:
		return pair.Leaf, pair.PrivateKey, nil
	case !missing(CAFile(o.dir)) || !missing(keyFile):
		return nil, nil, fmt.Errorf("certs: authority in %s: %w", o.dir, err)
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, nil, fmt.Errorf("certs: key: %w", err)
	}
	now := o.clock()
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{Organization: []string{"Perch"}, CommonName: "Perch CA " + now.UTC().Format("2006-01-02 15:04")},
		NotBefore: now.Add(-skew), NotAfter: now.Add(caLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("certs: make authority: %w", err)
	}
	if err := errors.Join(writeKey(keyFile, key), writeCert(CAFile(o.dir), der)); err != nil {
		return nil, nil, fmt.Errorf("certs: keep authority: %w", err)
	}
	o.log.Info("certification authority made", "ca", CAFile(o.dir))
	ca, err := x509.ParseCertificate(der)
	return ca, key, err
}

// serial is random, 127 bits (RFC 5280 section 4.1.2.2 allows 20 octets).
func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}
