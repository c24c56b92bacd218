package interop

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var transports = []string{"udp", "tcp", "tls"}

// TestSipsakRegisters: it answers the challenge and takes the 200 for what it is.
func TestSipsakRegisters(t *testing.T) {
	p := start(t)
	for _, tp := range transports {
		at, _ := p.at(tp)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		// It compares the certificate with a host name that it has cut, so that
		// no certificate can be right.
		cmd, out := program(ctx, t, "sipsak", "-v", "-U", "-C", "sip:1005@127.0.0.1:9", "-x", "600", "-s", "sip:1005@"+at,
			"-u", "1005", "-a", password, "-E", tp, "--tls-ca-cert="+p.ca, "--tls-ignore-cert-failure")
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v\n%s", tp, err, out)
		}
		cancel()
		found := false
		for _, c := range p.contacts() {
			found = found || c.Flow.Transport == tp
		}
		if !found {
			t.Errorf("%s: no contact in %+v", tp, p.contacts())
		}
	}
}

// TestBaresipRegisters: and unregisters when it ends.
func TestBaresipRegisters(t *testing.T) {
	p := start(t)
	for _, tp := range transports {
		at, _ := p.at(tp)
		dir := t.TempDir()
		for name, text := range map[string]string{
			"config": strings.Join([]string{
				"sip_listen 127.0.0.1:0", "sip_cafile " + p.ca, "net_interface 127.0.0.1", "module_path /usr/lib/baresip/modules",
				"module g711.so", "module_tmp uuid.so", "module_tmp account.so", "module_app menu.so", "",
			}, "\n"),
			"accounts": fmt.Sprintf("<sip:1005@acme.test;transport=%s>;auth_user=1005;auth_pass=%s;outbound=\"sip:%s;transport=%s\";regint=600\n", tp, password, at, tp),
			"contacts": "",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cmd, out := program(ctx, t, "baresip", "-4", "-f", dir)
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = 10 * time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		p.registered(tp, out)
		if !wait(t, func() bool { return strings.Contains(out.String(), "200 OK (Perch) [1 binding]") }) {
			t.Errorf("%s: it was not told:\n%s", tp, out)
		}
		cancel()
		_ = cmd.Wait() // interrupted
		p.registered("", out)
	}
}

// TestLinphoneRegisters: over TLS it checks the certificate against the
// authority of this installation.
func TestLinphoneRegisters(t *testing.T) {
	p := start(t)
	for _, tp := range transports {
		_, port := p.at(tp)
		home := t.TempDir()
		for _, dir := range []string{".local/share/linphone", ".config/linphone"} {
			if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(home, "linphonerc")
		proxy := fmt.Sprintf("<sip:localhost:%s;transport=%s>", port, tp)
		text := strings.Join([]string{
			"[sip]", "sip_port=-1", "sip_tcp_port=-1", "sip_tls_port=-1", "root_ca=" + p.ca, "default_proxy=0",
			"[proxy_0]", "reg_proxy=" + proxy, "reg_identity=sip:1005@acme.test", "reg_expires=600", "reg_sendregister=1",
			"[auth_info_0]", "username=1005", "passwd=" + password, "realm=acme.test", "domain=acme.test", "",
		}, "\n")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd, out := program(ctx, t, "linphonec", "-c", file)
		cmd.Env = append(os.Environ(), "HOME="+home)
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		p.registered(tp, out)
		if _, err := io.WriteString(in, "quit\n"); err != nil {
			t.Error(err)
		}
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", tp, err, out)
		}
		cancel()
		p.registered("", out)
	}
}

// TestSIPpRegisters: over TLS through socat, since Debian's SIPp has none. The
// certificate is checked on the way.
func TestSIPpRegisters(t *testing.T) {
	p := start(t)
	scenario, err := filepath.Abs("testdata/register.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tp := range transports {
		at, _ := p.at(tp)
		flag := map[string]string{"udp": "u1", "tcp": "t1", "tls": "t1"}[tp]
		if tp == "tls" {
			at = p.tunnel(at)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		cmd, out := program(ctx, t, "sipp", at, "-sf", scenario, "-s", "1005", "-au", "1005", "-ap", password, "-t", flag, "-i", "127.0.0.1",
			"-m", "10", "-l", "2", "-timeout", "30s", "-timeout_error", "-nostdin")
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v\n%s", tp, err, out)
		}
		cancel()
		if c := p.contacts(); len(c) != 0 {
			t.Errorf("%s: left %+v", tp, c)
		}
	}
}

// tunnel gives the address of a socat that speaks TLS to a listener.
func (p *perch) tunnel(at string) string {
	p.t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	local := l.Addr().String()
	_, port, _ := net.SplitHostPort(local)
	_ = l.Close()
	ctx, cancel := context.WithCancel(p.t.Context())
	cmd, out := program(ctx, p.t, "socat", "TCP4-LISTEN:"+port+",bind=127.0.0.1,fork,reuseaddr", "OPENSSL:"+at+",cafile="+p.ca+",commonname=acme.test")
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed
		if p.t.Failed() {
			p.t.Logf("socat:\n%s", out)
		}
	})
	if !wait(p.t, func() bool {
		c, err := net.Dial("tcp4", local)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}) {
		p.t.Fatalf("socat does not listen:\n%s", out)
	}
	return local
}
