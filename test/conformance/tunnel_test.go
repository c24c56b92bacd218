package conformance

import (
	"bytes"
	"net"
	"os/exec"
	"testing"
	"time"

	"perch/internal/certs"
	"perch/internal/config"
)

// overTLS opens a TLS listener besides, and tells where its authority's
// certificate is: socat checks it.
func overTLS(ca *string) func(*config.Config) {
	return func(c *config.Config) {
		c.SIP.Listen = append(c.SIP.Listen, config.Listener{Transport: "tls", Host: "127.0.0.1"})
		c.TLS.Names = []string{"acme.test"}
		*ca = certs.CAFile(c.TLSDir())
	}
}

// tunnel gives the address of a socat that speaks TLS to a listener: Debian's
// SIPp has none.
func tunnel(t testing.TB, at, ca string) string {
	t.Helper()
	port := freePort(t)
	local := net.JoinHostPort("127.0.0.1", port)
	var out bytes.Buffer
	cmd := exec.Command("socat", "TCP4-LISTEN:"+port+",bind=127.0.0.1,fork,reuseaddr", "OPENSSL:"+at+",cafile="+ca+",commonname=acme.test")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal("socat is needed (Debian: socat):", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("socat:\n%s", out.String())
		}
	})
	tick, end := time.NewTicker(20*time.Millisecond), time.NewTimer(20*time.Second)
	defer tick.Stop()
	defer end.Stop()
	for {
		if c, err := net.Dial("tcp4", local); err == nil {
			_ = c.Close()
			return local
		}
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatal("socat does not listen")
		}
	}
}
