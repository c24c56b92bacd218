// Package torture sends messages with the faults of RFC 4475 and RFC 5118 to a
// whole Perch over UDP and TCP. It knows nothing but the wire; docs/rfc.md has
// the table of what comes back.
package torture

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"perch/internal/app"
	"perch/internal/config"
)

var update = flag.Bool("update", false, "rewrite the tables in docs/rfc.md")

func itoa(n int) string { return strconv.Itoa(n) }

const officeFile = `
tenants:
  - code: acme
    domains: [acme.test]
    extensions:
      - {number: "1001", name: Ada, pin: "4321"}
      - {number: "1002", name: Grace, pin: "8642"}
`

// start gives the addresses of a running Perch.
func start(t testing.TB) (udp, tcp string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "office.yaml")
	if err := os.WriteFile(file, []byte(officeFile), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.DataDir, c.Redis.URL = filepath.Join(dir, "data"), "memory:"
	c.SIP.Listen = []config.Listener{{Transport: "udp", Host: "127.0.0.1"}, {Transport: "tcp", Host: "127.0.0.1"}}
	c.Provisioning.Listen, c.Portal.Listen, c.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Apply = []string{file}
	a, err := app.Start(t.Context(), c, app.Build{Version: "torture"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, at := range a.Addresses().SIP {
		transport, addr, _ := strings.Cut(at, "://")
		if transport == "udp" {
			udp = addr
		} else {
			tcp = addr
		}
	}
	return udp, tcp
}

// exchange sends a message and a request after it, and tells what comes back
// before the answer to that: status codes, "none", "closed".
func exchange(t testing.TB, transport, addr string, m message, id string) string {
	t.Helper()
	conn, err := net.Dial(transport, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, m.text(strings.ToUpper(transport), id)); err != nil {
		t.Fatal(err)
	}
	probe := message{lines: of("OPTIONS sip:acme.test SIP/2.0", "Call-ID: probe-%B", "Via: SIP/2.0/%T client.acme.test;branch=z9hG4bKprobe%B;rport")}
	r := bufio.NewReaderSize(conn, 65536)
	got, probed := "", false
	wait := 5 * time.Second
	if m.answered(transport) == 0 {
		_, _ = io.WriteString(conn, probe.text(strings.ToUpper(transport), id))
		probed = true
		if transport == "tcp" && m.section == "3.1.2.2" {
			wait = 300 * time.Millisecond // the probe is part of the body that was announced
		}
	}
	for n := 0; ; n++ {
		if !probed && n >= m.answered(transport) {
			_, _ = io.WriteString(conn, probe.text(strings.ToUpper(transport), id))
			probed = true
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait))
		code, callID, err := response(r)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || err != nil && strings.Contains(err.Error(), "reset"):
			return strings.TrimSpace(got + " closed")
		case err != nil || strings.HasPrefix(callID, "probe-"):
			if got == "" {
				return "none"
			}
			return got
		}
		if code == "100" {
			n--
			continue
		}
		got = strings.TrimSpace(got + " " + code)
	}
}

// answered is the number of responses that are expected.
func (m message) answered(transport string) int {
	want := m.udp
	if transport == "tcp" {
		want = m.tcp
	}
	n := 0
	for _, w := range strings.Fields(want) {
		if w != "none" && w != "closed" {
			n++
		}
	}
	return n
}

// response reads one response.
func response(r *bufio.Reader) (code, callID string, err error) {
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" && code != "" {
			break
		}
		if rest, ok := strings.CutPrefix(line, "SIP/2.0 "); ok && code == "" {
			code, _, _ = strings.Cut(rest, " ")
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "call-id", "i":
				callID = strings.TrimSpace(value)
			case "content-length", "l":
				length, _ = strconv.Atoi(strings.TrimSpace(value))
			}
		}
	}
	_, err = r.Discard(length)
	return code, callID, err
}

// TestTorture: each message is accepted or refused as its RFC says, or the
// table names the difference.
func TestTorture(t *testing.T) {
	udp, tcp := start(t)
	for rfc, all := range map[string][]message{"RFC 4475": rfc4475(), "RFC 5118": rfc5118()} {
		for i, m := range all {
			for transport, addr := range map[string]string{"udp": udp, "tcp": tcp} {
				t.Run(fmt.Sprintf("%s %s %s %s", rfc, m.section, m.name, transport), func(t *testing.T) {
					t.Parallel()
					want := m.udp
					if transport == "tcp" {
						want = m.tcp
					}
					if got := exchange(t, transport, addr, m, fmt.Sprintf("%s%d%s", rfc[4:], i, transport)); got != want {
						t.Errorf("got %s, want %s", got, want)
					}
				})
			}
		}
	}
}

const (
	begin = "<!-- written by go test ./test/conformance/torture -update -->\n"
	end   = "<!-- end -->\n"
)

// TestTable: docs/rfc.md says what TestTorture sees.
func TestTable(t *testing.T) {
	name := filepath.Join("..", "..", "..", "docs", "rfc.md")
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/rfc.md has no place for the table")
	}
	var b strings.Builder
	b.WriteString("\n| section | message | what the RFC asks | UDP | TCP | where that differs |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, of := range []struct {
		rfc string
		all []message
	}{{"4475", rfc4475()}, {"5118", rfc5118()}} {
		for _, m := range of.all {
			fmt.Fprintf(&b, "| RFC %s %s | %s | %s | %s | %s | %s |\n", of.rfc, m.section, m.name, m.rule, m.udp, m.tcp, m.short)
		}
	}
	b.WriteString("\n")
	want := before + begin + b.String() + end + after
	if want == string(page) {
		return
	}
	if !*update {
		t.Fatal("the table of docs/rfc.md is not what the tests expect: run them with -update")
	}
	if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}
