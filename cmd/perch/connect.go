package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"perch/internal/config"
	"perch/portal/api"
	"perch/portal/client"
)

// connect finds the running server by its configuration: the token and the
// address are in its data_dir.
func (e *env) connect() (*client.Client, error) {
	cfg, err := config.Load(e.config, e.environ)
	if err != nil {
		return nil, err
	}
	base := address(cfg)
	token, err := api.ReadToken(cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		dir, _ := filepath.Abs(cfg.DataDir) // for the message only
		return nil, fmt.Errorf("perch serve is not running at %s: there is no token in %s (start it, or pass --config)", base, dir)
	}
	if err != nil {
		return nil, err
	}
	transport, err := believing(cfg.Portal.TLS.Cert)
	if err != nil {
		return nil, err
	}
	return client.New(base, token, transport), nil
}

// explain puts the error of a request into words a newcomer can use.
func explain(err error, c *client.Client) error {
	if errors.Is(err, client.ErrNotRunning) {
		return fmt.Errorf("perch serve is not running at %s (start it, or pass --config)", c.Base())
	}
	return err
}

// address is where the server last opened its API, else where its configuration
// says that it would.
func address(cfg config.Config) string {
	scheme, at := "http", cfg.Portal.Listen
	if cfg.Portal.TLS.Cert != "" {
		scheme = "https"
	}
	if text, err := api.Announced(cfg.DataDir); err == nil {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			scheme, at = u.Scheme, u.Host
		}
	}
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		host, port = "127.0.0.1", "8000"
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1" // open on every address, this machine's included
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// believing gives a transport that believes exactly the certificate the server
// is configured with: its name need not be that of the loopback address, and
// nobody else's is believed.
func believing(certFile string) (http.RoundTripper, error) {
	t := &http.Transport{Proxy: nil} // the server is this machine's: never through a proxy
	if certFile == "" {
		return t, nil
	}
	text, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("portal.tls.cert: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("portal.tls.cert: %s holds no PEM certificate", certFile)
	}
	t.TLSClientConfig = &tls.Config{
		InsecureSkipVerify: true, // the next lines verify more strictly than a chain would
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return x509.UnknownAuthorityError{}
			}
			return nil
		},
	}
	return t, nil
}
