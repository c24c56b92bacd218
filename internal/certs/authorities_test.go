package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// maker is an authority with a device certificate: those of this package issue
// what a phone's maker would.
func maker(t *testing.T) (dir string, ca []byte, phone tls.Certificate) {
	t.Helper()
	dir = t.TempDir()
	o, err := OpenOwn(dir, []string{"001565aabb01"}, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if ca, err = os.ReadFile(CAFile(dir)); err != nil {
		t.Fatal(err)
	}
	c, err := o.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return dir, ca, *c
}

func put(t *testing.T, dir, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAuthorities(t *testing.T) {
	makerDir, ca, phone := maker(t)
	_, strangerCA, stranger := maker(t)
	dir := t.TempDir()
	put(t, dir, "README", []byte("not a certificate, and not looked at"))
	var log bytes.Buffer
	a, err := OpenAuthorities(dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "no authority") {
		t.Errorf("an empty folder is not told of: %s", &log)
	}
	trusts := func(c tls.Certificate) bool {
		_, ok := a.Trusted(&tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.Leaf}})
		return ok
	}
	if trusts(phone) {
		t.Error("trusted before its maker is")
	}
	put(t, dir, "maker.pem", ca)
	a.look()
	if !trusts(phone) || trusts(stranger) {
		t.Errorf("phone %v, stranger %v", trusts(phone), trusts(stranger))
	}
	put(t, dir, "half.crt", strangerCA[:len(strangerCA)/2])
	a.look()
	a.look()
	if !trusts(phone) || strings.Count(log.String(), "the old ones stay") != 1 {
		t.Errorf("a broken file ends the others, or is told of again and again:\n%s", &log)
	}
	put(t, dir, "half.crt", strangerCA)
	a.look()
	if !trusts(stranger) {
		t.Error("the mended file is not read")
	}
	for _, none := range []*tls.ConnectionState{nil, {}} {
		if _, ok := a.Trusted(none); ok {
			t.Error("nobody is trusted")
		}
	}
	key, err := os.ReadFile(filepath.Join(makerDir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "key.pem", key)
	if _, err := OpenAuthorities(dir, quiet()); err == nil || !strings.Contains(err.Error(), "only certificates belong here") {
		t.Errorf("a private key: %v", err)
	}
	if _, err := OpenAuthorities(filepath.Join(dir, "nowhere"), quiet()); err == nil {
		t.Error("a folder that is not there is no fault")
	}
}

// A client's certificate is asked for and never demanded.
func TestClientsAreAsked(t *testing.T) {
	_, ca, phone := maker(t)
	_, _, stranger := maker(t)
	dir := t.TempDir()
	put(t, dir, "maker.pem", ca)
	a, err := OpenAuthorities(dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	server := a.AskClients(&tls.Config{Certificates: []tls.Certificate{phone}, MinVersion: tls.VersionTLS12})
	for name, c := range map[string]struct {
		show []tls.Certificate
		want bool
	}{"its own": {[]tls.Certificate{phone}, true}, "a stranger's": {[]tls.Certificate{stranger}, false}, "none": {nil, false}} {
		left, right := net.Pipe()
		s := tls.Server(right, server)
		done := make(chan error, 1)
		go func() { done <- s.Handshake() }()
		client := tls.Client(left, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(c.show) == 0 {
				return &tls.Certificate{}, nil
			}
			return &c.show[0], nil // some phones show theirs whoever is asked for
		}})
		if err := client.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		err := client.Handshake()
		if serverErr := <-done; err != nil || serverErr != nil {
			t.Fatalf("%s: %v, %v", name, err, serverErr)
		}
		state := s.ConnectionState()
		if _, ok := a.Trusted(&state); ok != c.want {
			t.Errorf("%s: trusted %v", name, ok)
		}
		_, _ = left.Close(), right.Close()
	}
}
