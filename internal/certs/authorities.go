package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Authorities are the certificates, in files of a folder, of whom phones may
// have theirs from. The folder is looked at again and again.
type Authorities struct {
	dir       string
	log       *slog.Logger
	every     time.Duration
	pool      atomic.Pointer[x509.CertPool]
	seen      string
	complaint string
}

// Bounds of the folder.
const (
	maxAuthorityFiles = 200
	maxAuthorityFile  = 1 << 20
)

// OpenAuthorities reads the folder: every file ending in .pem, .crt or .cer. One
// that holds no certificate is an error now and a warning later.
func OpenAuthorities(dir string, log *slog.Logger) (*Authorities, error) {
	a := &Authorities{dir: dir, log: log, every: lookEvery}
	seen, err := a.stamp()
	if err != nil {
		return nil, fmt.Errorf("certs: authorities: %w", err)
	}
	n, err := a.load()
	if err != nil {
		return nil, fmt.Errorf("certs: authorities: %w", err)
	}
	a.seen = seen
	if n == 0 {
		log.Warn("no authority of phones' certificates in the folder yet", "dir", dir)
	}
	return a, nil
}

// Run reads the folder again when it changes, until ctx ends.
func (a *Authorities) Run(ctx context.Context) error {
	tick := time.NewTicker(a.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.look()
		case <-ctx.Done():
			return nil
		}
	}
}

// look reads the folder if it has changed. What cannot be read leaves the
// authorities as they were.
func (a *Authorities) look() {
	seen, err := a.stamp()
	if err == nil && seen == a.seen {
		return
	}
	n := 0
	if err == nil {
		n, err = a.load()
	}
	if err != nil {
		if err.Error() != a.complaint {
			a.complaint = err.Error()
			a.log.Warn("the authorities of phones' certificates cannot be read; the old ones stay", "dir", a.dir, "error", err)
		}
		return
	}
	a.seen, a.complaint = seen, ""
	a.log.Info("authorities of phones' certificates read again", "dir", a.dir, "certificates", n)
}

// load reads all files of the folder.
func (a *Authorities) load() (int, error) {
	names, err := a.files()
	if err != nil {
		return 0, err
	}
	pool, n := x509.NewCertPool(), 0
	for _, name := range names {
		found, err := authoritiesIn(name)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		for _, c := range found {
			pool.AddCert(c)
			n++
		}
	}
	a.pool.Store(pool)
	return n, nil
}

func authoritiesIn(name string) ([]*x509.Certificate, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(f, maxAuthorityFile))
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for len(text) > 0 {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("holds a %s: only certificates belong here", strings.ToLower(block.Type))
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("holds no certificate in PEM")
	}
	return out, nil
}

func (a *Authorities) files() ([]string, error) {
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains([]string{".pem", ".crt", ".cer"}, strings.ToLower(filepath.Ext(e.Name()))) {
			out = append(out, filepath.Join(a.dir, e.Name()))
		}
	}
	if len(out) > maxAuthorityFiles {
		return nil, fmt.Errorf("more than %d files", maxAuthorityFiles)
	}
	return out, nil
}

// stamp tells one state of the folder from another.
func (a *Authorities) stamp() (string, error) {
	names, err := a.files()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String(), nil
}

// Trusted gives the certificate that a client showed, if one of the authorities
// stands behind it now. Makers set the purposes of device certificates in many
// ways, so those are not looked at. One that has ended proves nothing.
func (a *Authorities) Trusted(state *tls.ConnectionState) (*x509.Certificate, bool) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return nil, false
	}
	leaf := state.PeerCertificates[0]
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: a.pool.Load(), Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return leaf, err == nil
}

// AskClients makes a server's settings ask for a client's certificate. One that
// nobody stands behind does not end the handshake: the client then has shown
// nothing, and a phone with the certificate of a maker who is not in the folder
// can still come by another proof.
func (a *Authorities) AskClients(c *tls.Config) *tls.Config {
	asking := c.Clone()
	asking.ClientAuth = tls.RequestClientCert
	asking.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		each := asking.Clone()
		each.GetConfigForClient = nil
		each.ClientCAs = a.pool.Load() // named in the request: phones choose by it
		return each, nil
	}
	return asking
}
