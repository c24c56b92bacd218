package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// shown is the certificate that a client sees, verified against the authority
// in dir.
func shown(t *testing.T, s Source, dir, name string) *x509.Certificate {
	t.Helper()
	pem, err := os.ReadFile(CAFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in", CAFile(dir))
	}
	a, b := net.Pipe()
	defer a.Close()
	server := tls.Server(b, Config(s))
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	client := tls.Client(a, &tls.Config{RootCAs: roots, ServerName: name, MaxVersion: tls.VersionTLS12})
	err = client.Handshake()
	_ = b.Close()
	if serverErr := <-done; err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	return client.ConnectionState().PeerCertificates[0]
}

func TestOwnAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	now := time.Now()
	clock := func() time.Time { return now }
	list := []string{"sip.acme.test", "127.0.0.1", "sip.acme.test", "::1"}
	o, err := OpenOwn(dir, list, quiet(), clock)
	if err != nil {
		t.Fatal(err)
	}
	first := shown(t, o, dir, "sip.acme.test")
	shown(t, o, dir, "127.0.0.1")
	for name, mode := range map[string]os.FileMode{"ca.key": 0o600, "server.key": 0o600, "ca.crt": 0o644, "server.crt": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Error("left over:", left)
	}

	again, err := OpenOwn(dir, list, quiet(), clock)
	if err != nil {
		t.Fatal(err)
	}
	if c := shown(t, again, dir, "sip.acme.test"); !c.Equal(first) {
		t.Error("a restart made another certificate")
	}
	more, err := OpenOwn(dir, append(list, "acme.test"), quiet(), clock)
	if err != nil {
		t.Fatal(err)
	}
	second := shown(t, more, dir, "acme.test")
	if second.Equal(first) {
		t.Error("a new name is in no certificate")
	}
	now = second.NotAfter.Add(-renewBefore + time.Minute)
	if err := more.renew(); err != nil {
		t.Fatal(err)
	}
	if c, _ := more.GetCertificate(nil); !c.Leaf.NotAfter.After(second.NotAfter) || c.Leaf.CheckSignatureFrom(authorityOf(t, dir)) != nil {
		t.Error("not renewed in time by the same authority")
	}
}

func authorityOf(t *testing.T, dir string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(CAFile(dir), filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

// TestHalfAnAuthority: what phones may trust is never replaced silently.
func TestHalfAnAuthority(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(CAFile(dir), []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenOwn(dir, []string{"a"}, quiet(), nil); err == nil || !strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
	if _, err := OpenOwn(t.TempDir(), nil, quiet(), nil); err == nil {
		t.Error("a certificate for nothing")
	}
}

// TestFilesAreReadAgain: a new pair is used without a restart, half a one is
// not, and the operator is told once.
func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	for _, d := range []string{one, two} {
		if _, err := OpenOwn(d, []string{"a.test"}, quiet(), nil); err != nil {
			t.Fatal(err)
		}
	}
	copyFile := func(from, to string) {
		t.Helper()
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if _, err := OpenFiles(cert, key, quiet()); err == nil {
		t.Fatal("opened without files")
	}
	copyFile(one+"/server.crt", cert)
	copyFile(one+"/server.key", key)
	var out bytes.Buffer
	f, err := OpenFiles(cert, key, slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	before := shown(t, f, one, "a.test")

	copyFile(two+"/server.crt", cert) // its key is still to come
	now := time.Now()
	f.look(now)
	f.look(now)
	if c := shown(t, f, one, "a.test"); !c.Equal(before) || strings.Count(out.String(), "the old one stays") != 1 {
		t.Errorf("half a pair is used, or not told of once:\n%s", out.String())
	}
	copyFile(two+"/server.key", key)
	f.look(now)
	if c := shown(t, f, two, "a.test"); c.Equal(before) {
		t.Error("the new pair is not used")
	}

	f.look(now.Add(360 * 24 * time.Hour))
	if !strings.Contains(out.String(), "ends soon") {
		t.Error("nobody is told that it ends")
	}
}

// TestFilesRun: by itself, and no longer than asked.
func TestFilesRun(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenOwn(dir, []string{"a.test"}, quiet(), nil); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFiles(dir+"/server.crt", dir+"/server.key", quiet())
	if err != nil {
		t.Fatal(err)
	}
	f.every = time.Millisecond
	old, _ := f.GetCertificate(nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	if _, err := OpenOwn(dir, []string{"b.test"}, quiet(), nil); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
		if c, _ := f.GetCertificate(nil); c != old {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("never read again")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestOldVersionsAreRefused: RFC 8996 ends TLS 1.0 and 1.1.
func TestOldVersionsAreRefused(t *testing.T) {
	dir := t.TempDir()
	o, err := OpenOwn(dir, []string{"a.test"}, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	done := make(chan error, 1)
	go func() { done <- tls.Server(b, Config(o)).Handshake(); _ = b.Close() }()
	client := tls.Client(a, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := client.Handshake(); err == nil || <-done == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

// TestACMEWiring: what a configuration says reaches the library; that an
// authority issues is not shown here.
func TestACMEWiring(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenOwn(dir, []string{"a.test"}, quiet(), nil); err != nil {
		t.Fatal(err)
	}
	m, err := OpenACME(ACME{Domains: []string{"a.test"}, Directory: "https://127.0.0.1:1/dir", Roots: CAFile(dir), HTTPPort: 8099, Dir: filepath.Join(dir, "acme")}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer m.cache.Stop()
	a, b := net.Pipe()
	go func() { _ = tls.Client(a, &tls.Config{ServerName: "a.test"}).Handshake(); _ = a.Close() }()
	if err := tls.Server(b, Config(m)).Handshake(); err == nil {
		t.Error("a certificate from nowhere")
	}
	_ = b.Close()
	for name, a := range map[string]ACME{
		"no domain":          {},
		"roots are away":     {Domains: []string{"a"}, Roots: dir + "/none"},
		"roots are no roots": {Domains: []string{"a"}, Roots: dir + "/server.key"},
	} {
		if _, err := OpenACME(a, quiet()); err == nil {
			t.Error(name)
		}
	}
}
