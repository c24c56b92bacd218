package app

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"perch/internal/certs"
	"perch/internal/config"
)

// shown is what a listener with the configuration shows to a client that names
// no server, and its App.
func shown(t *testing.T, c config.Config) (*App, *x509.Certificate) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	a := &App{cfg: c, log: log, life: newLifecycle(log)}
	t.Cleanup(func() {
		if err := a.life.stop(5 * time.Second); err != nil {
			t.Error(err)
		}
	})
	conf, err := a.certificates()
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	defer client.Close()
	done := make(chan error, 1)
	go func() { done <- tls.Server(server, conf).Handshake(); _ = server.Close() }()
	session := tls.Client(client, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	if err := session.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return a, session.ConnectionState().PeerCertificates[0]
}

func secure(t *testing.T) config.Config {
	c := quiet(t)
	c.SIP.Listen = []config.Listener{{Transport: "tls", Host: "127.0.0.1"}}
	c.SIP.Advertise = "SIP.acme.test:5061"
	c.TLS.Names = []string{"acme.test"}
	return c
}

// TestOwnCertificate: it names the ways to this machine, and phones can fetch
// the authority that made it.
func TestOwnCertificate(t *testing.T) {
	a, c := shown(t, secure(t))
	for _, name := range []string{"acme.test", "sip.acme.test", "localhost"} {
		if !slices.Contains(c.DNSNames, name) {
			t.Errorf("%s is not in %v", name, c.DNSNames)
		}
	}
	if c.VerifyHostname("127.0.0.1") != nil {
		t.Error("no address in", c.IPAddresses)
	}
	rest := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := a.withAuthority(rest)
	get := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	w := get(http.MethodGet, "/ca.crt")
	roots := x509.NewCertPool()
	if w.Code != http.StatusOK || !roots.AppendCertsFromPEM(w.Body.Bytes()) {
		t.Fatalf("%d %q", w.Code, w.Body)
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: "acme.test"}); err != nil {
		t.Error(err)
	}
	for _, r := range [][2]string{{"POST", "/ca.crt"}, {"GET", "/"}, {"GET", "/ca.key"}, {"GET", "/t/x/ca.crt"}} {
		if w := get(r[0], r[1]); w.Code != http.StatusTeapot {
			t.Error(r, w.Code)
		}
	}
}

// TestConfiguredCertificate: files win, and no authority is made or given out.
func TestConfiguredCertificate(t *testing.T) {
	elsewhere := t.TempDir()
	if _, err := certs.OpenOwn(elsewhere, []string{"from.file"}, slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	conf := secure(t)
	conf.TLS.Cert, conf.TLS.Key = filepath.Join(elsewhere, "server.crt"), filepath.Join(elsewhere, "server.key")
	a, c := shown(t, conf)
	if !slices.Equal(c.DNSNames, []string{"from.file"}) || a.ownCA != "" {
		t.Error(c.DNSNames, a.ownCA)
	}
	if _, err := os.Stat(conf.TLSDir()); err == nil {
		t.Error("an authority that nobody asked for")
	}
	rest := http.NotFoundHandler()
	w := httptest.NewRecorder()
	a.withAuthority(rest).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ca.crt", nil))
	if w.Code != http.StatusNotFound {
		t.Error(w.Code)
	}
}

// TestNoCertificateIsMade where nothing shows one.
func TestNoCertificateIsMade(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	c := quiet(t)
	a := &App{cfg: c, log: log, life: newLifecycle(log)}
	if conf, err := a.certificates(); conf != nil || err != nil {
		t.Error(conf, err)
	}
	c = secure(t)
	c.TLS.Cert, c.TLS.Key = "none", "none"
	a.cfg = c
	if _, err := a.certificates(); err == nil {
		t.Error("started without its certificate")
	}
}
