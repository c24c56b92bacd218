package sip_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"testing"
	"time"

	"perch/sip"
	"perch/sip/flow"
)

// pbxCertificate is one for a name, and who vouches for it.
func pbxCertificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestReachTLS: a hop over TLS must have the certificate of its name, from
// somebody who is trusted.
func TestReachTLS(t *testing.T) {
	cert, pool := pbxCertificate(t, "pbx.test")
	o := open(t, func(opts *sip.Options, _ *office) {
		opts.HopTLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	})
	strict := open(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	accepted := make(chan net.Conn, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				if c.(*tls.Conn).Handshake() == nil {
					accepted <- c
				}
			}()
		}
	}()
	addr := netip.MustParseAddrPort(l.Addr().String())
	reach := func(o *office, name string) (f string, err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		got, err := o.sender.Reach(ctx, flow.Hop{Transport: "tls", Addr: addr, Host: name}, 100)
		return got.Transport, err
	}
	for _, tc := range []struct {
		o    *office
		name string
	}{{o, "other.test"}, {o, ""}, {strict, "pbx.test"}} {
		if _, err := reach(tc.o, tc.name); !errors.Is(err, flow.ErrNoWay) {
			t.Errorf("as %q: %v", tc.name, err)
		}
	}
	if tp, err := reach(o, "pbx.test"); tp != "tls" || err != nil {
		t.Fatal(tp, err)
	}
	pbx := &phone{t: t, tp: "tls", conn: <-accepted, user: "x", domain: "acme.test", callID: "123456789"}
	pbx.r = newReader(pbx.conn)
	want(t, pbx.send(pbx.message("OPTIONS", "")), 200)
}
