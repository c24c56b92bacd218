package sip_test

import (
	"crypto/tls"
	"log/slog"
	"sync/atomic"
	"testing"

	"perch/internal/certs"
	"perch/sip"
)

// TestRenewedCertificate: the next handshake shows it, at every listener that
// shows any, and who is connected stays.
func TestRenewedCertificate(t *testing.T) {
	var now atomic.Pointer[certs.Own]
	renew := func(name string) {
		own, err := certs.OpenOwn(t.TempDir(), []string{name}, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		now.Store(own)
	}
	renew("old.test")
	e := openEdge(t, "127.0.0.1", func(o *sip.Options, _ *office) {
		o.TLS = &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return now.Load().GetCertificate(h) },
		}
	})
	names := func(tp string) (*tls.Conn, string) {
		c, err := tls.Dial("tcp", e.at(tp), &tls.Config{InsecureSkipVerify: true})
		e.must(err)
		t.Cleanup(func() { _ = c.Close() })
		return c, c.ConnectionState().PeerCertificates[0].DNSNames[0]
	}
	before, name := names("tls")
	if name != "old.test" {
		t.Fatal(name)
	}
	renew("new.test")
	for _, tp := range []string{"tls", "wss"} {
		if _, name := names(tp); name != "new.test" {
			t.Errorf("%s still shows %s", tp, name)
		}
	}
	p := e.phoneBy("udp", "1", "1", "")
	p.conn, p.tp = before, "tls"
	p.r.Reset(before)
	want(t, p.send(p.message("OPTIONS", "")), 200)
}
