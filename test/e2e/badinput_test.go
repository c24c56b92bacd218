package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSipsak: a program that nobody here wrote pings the server, throws
// rubbish at it, and pings it again.
func TestSipsak(t *testing.T) {
	t.Parallel()
	o := open(t)
	uri := "sip:" + o.sip("udp")
	ping := func() {
		t.Helper()
		run(t, "sipsak", "-s", uri)
	}
	ping()
	// Requests with characters replaced by others; sipsak gives up on the first
	// that gets no answer.
	for range 3 {
		try(t, "timeout", "3", "sipsak", "-R", "-t", "60", "-s", uri)
	}
	c, err := net.Dial("udp", o.sip("udp"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, text := range []string{
		"OPTIONS sip:acme.test SIP/2.0\r\nVia:\r\nFrom:\r\nTo:\r\nCall-ID:\r\nCSeq:\r\n\r\n",
		"REGISTER sip:acme.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\nContent-Length: 99999999\r\n\r\n",
		"REGISTER sip:acme.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\nCSeq: -1 REGISTER\r\n\r\n",
		strings.Repeat("INVITE sip:x SIP/2.0\r\n", 2000),
	} {
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	ping()
}

// TestRubbish: bytes of any kind on every port of every kind, and the server
// answers as before.
func TestRubbish(t *testing.T) {
	t.Parallel()
	o := open(t)
	random := rand.New(rand.NewPCG(1, 2))
	for _, network := range []string{"udp", "tcp"} {
		for _, at := range []string{o.sip(network), o.Addresses().Provisioning.String(), o.Addresses().Portal.String(), o.Addresses().Metrics.String()} {
			if network == "udp" && at != o.sip("udp") {
				continue
			}
			for range 50 {
				c, err := net.Dial(network, at)
				if err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 1+random.IntN(3000))
				for i := range b {
					b[i] = byte(random.Uint32())
				}
				if random.IntN(2) == 0 {
					copy(b, "REGISTER sip:acme.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK")
				}
				_, _ = c.Write(b)
				_ = c.Close()
			}
		}
	}
	if m := dialWire(t, o.sip("udp")).register(o.yealinkFile(bareDesk), 600); m.status() != "200" {
		t.Errorf("REGISTER: %s", m.line)
	}
	if status, body := get(httpURL(o.Addresses().Metrics) + "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

// TestNothingTells: who asks without the right credentials learns nothing, not
// even whether a phone or an extension exists.
func TestNothingTells(t *testing.T) {
	t.Parallel()
	o := open(t)
	base := httpURL(o.Addresses().Provisioning)
	auth := func(user, password string) []string { return []string{"--user", user + ":" + password} }
	good := auth(bareDesk, secretOf(bareDesk).Reveal())
	big := filepath.Join(t.TempDir(), "header")
	if err := os.WriteFile(big, []byte(strings.Repeat("X-Big: "+strings.Repeat("a", 30000)+"\n", 30)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		path string
		want int
	}{
		{"own file", good, "/" + bareDesk + ".cfg", 200},
		{"no credentials", nil, "/" + bareDesk + ".cfg", 401},
		{"no credentials, unknown MAC", nil, "/001565ffffff.cfg", 401},
		{"wrong secret", auth(bareDesk, "wrong"), "/" + bareDesk + ".cfg", 404},
		{"unknown MAC", auth("001565ffffff", "wrong"), "/001565ffffff.cfg", 404},
		{"another desk's file", good, "/" + bareDesk2 + ".cfg", 404},
		{"foreign tenant's folder", good, "/globex/" + bareDesk + ".cfg", 404},
		{"foreign tenant's desk", good, "/001565cccc01.cfg", 404},
		{"wrong token", nil, "/t/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/" + bareDesk + ".cfg", 404},
		{"traversal", good, "/../../../../etc/passwd", 404},
		{"traversal, encoded", good, "/..%2f..%2f..%2fetc%2fpasswd", 404},
		{"traversal, twice encoded", good, "/..%252f..%252fetc%252fpasswd", 404},
		{"traversal, with a MAC", good, "/%2e%2e/" + bareDesk + ".cfg%00/../../../etc/passwd", 404},
		{"server key", good, "/server.key", 404},
		{"newline", good, "/" + bareDesk + ".cfg%0d%0aX-Bad:%201", 404},
		{"huge name", good, "/" + strings.Repeat("a", 4000), 404},
		{"huge header", append([]string{"-H", "@" + big}, good...), "/" + bareDesk + ".cfg", 431},
		{"post", append([]string{"-X", "DELETE"}, good...), "/" + bareDesk + ".cfg", 405},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := curl(t, append(c.args, "--path-as-is", base+c.path)...)
			if status != c.want {
				t.Errorf("%s: %d, want %d", c.path, status, c.want)
			}
			if status != 200 && (strings.Contains(body, "root:") || strings.Contains(body, bareDesk)) {
				t.Errorf("%s tells:\n%s", c.path, body)
			}
		})
	}
	for _, pair := range [][2]string{
		{"/" + bareDesk + ".cfg", "/001565ffffff.cfg"},
	} {
		for _, args := range [][]string{nil, auth("001565fffffe", "wrong")} {
			a, b := o.whole(args, pair[0]), o.whole(args, pair[1])
			if a != b {
				t.Errorf("%v: the answers differ:\n%s\n%s", args, a, b)
			}
		}
	}
	for path, want := range map[string]int{"/mapping": 401, "/devices/" + bareDesk + "/trace": 401, "/export": 401, "/nothing": 401} {
		status, _ := curl(t, "-H", "Authorization: Bearer wrong", httpURL(o.Addresses().Portal)+"/api/v1"+path)
		if status != want {
			t.Errorf("REST %s with a wrong token: %d", path, status)
		}
	}
}

// whole is an answer with its headers, less what may differ: time and nonces.
func (o *office) whole(args []string, path string) string {
	o.t.Helper()
	out := run(o.t, "curl", append(append([]string{"-sS", "-i"}, args...), httpURL(o.Addresses().Provisioning)+path)...)
	var kept []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "Date:") {
			continue
		}
		if i := strings.Index(line, "nonce="); i >= 0 {
			line = line[:i]
		}
		kept = append(kept, strings.TrimSpace(line))
	}
	return strings.Join(kept, "\n")
}

// TestREGISTERTellsNothing: an unknown extension is challenged and refused as
// a known one with a wrong password is.
func TestREGISTERTellsNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	w := dialWire(t, o.sip("udp"))
	var seen []string
	for _, a := range []account{
		{user: "1005", auth: "1005", password: "wrong"},
		{user: "7777", auth: "7777", password: "wrong"},
		{user: bareDesk, auth: bareDesk, password: "wrong"},
		{user: "001565ffffff", auth: "001565ffffff", password: "wrong"},
		{user: "1001", auth: bareDesk, password: "wrong"},
	} {
		m := w.register(a, 600)
		seen = append(seen, fmt.Sprintf("%s, WWW-Authenticate: %v", m.line, m.header("WWW-Authenticate") != ""))
	}
	for i, s := range seen {
		if s != seen[0] || !strings.HasPrefix(s, "SIP/2.0 401 ") {
			t.Errorf("%d: %s, the first %s", i, s, seen[0])
		}
	}
	if m := w.register(account{user: "1005", auth: "1005", password: "hedys-own-password"}, 600); m.status() != "200" {
		t.Errorf("the right password: %s", m.line)
	}
}
