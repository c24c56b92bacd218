package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestStrangeRequests: what scanners, browsers and confused phones send to the
// phones' web server, and what each gets. The server's answer to a phone's name
// is the same however it is written, and to everything else it says nothing.
func TestStrangeRequests(t *testing.T) {
	t.Parallel()
	o := open(t)
	base := httpURL(o.Addresses().Provisioning)
	good := []string{"--user", yealinkDesk + ":" + secretOf(yealinkDesk).Reveal()}
	agent := func(s string) []string { return append([]string{"-A", s}, good...) }
	for _, c := range []struct {
		name string
		args []string
		path string
		want int
		file bool // the phone's own file comes
	}{
		// The same phone, however its name is written.
		{"as it should be", good, "/001565aabb01.cfg", 200, true},
		{"upper case", good, "/001565AABB01.CFG", 200, true},
		{"mixed case, in the tenant's folder", good, "/acme/001565aAbB01.cfg", 200, true},
		{"folders that phones add", good, "/acme/yealink/T46U/001565aabb01.cfg", 200, true},
		{"a folder of no tenant", good, "/nowhere/001565aabb01.cfg", 200, true},
		{"doubled slashes", good, "//acme///001565aabb01.cfg", 200, true},
		{"an encoded letter", good, "/%61cme/001565aabb0%31.cfg", 200, true},
		{"a query", good, "/001565aabb01.cfg?x=1&y=%00", 200, true},
		{"a fragment's sign, encoded", good, "/001565aabb01.cfg%23", 404, false},
		{"separators in the name", good, "/00:15:65:aa:bb:01.cfg", 404, false},
		{"dashes in the name", good, "/00-15-65-aa-bb-01.cfg", 404, false},
		{"an encoded slash", good, "/acme%2f001565aabb01.cfg", 200, true},
		{"a slash at its end", good, "/001565aabb01.cfg/", 404, false},
		{"a blank at its end", good, "/001565aabb01.cfg%20", 404, false},
		{"another suffix", good, "/001565aabb01.cfg.bak", 404, false},
		{"zeros", good, "/000000000000.cfg", 404, false},
		{"eleven digits", good, "/01565aabb01.cfg", 404, false},
		{"thirteen digits", good, "/0001565aabb01.cfg", 404, false},

		// Others' phones, and phones that are none.
		{"a MAC of another tenant", good, "/001565cccc01.cfg", 404, false},
		{"the same in its folder", good, "/globex/001565cccc01.cfg", 404, false},
		{"its own file in a foreign folder", good, "/globex/001565aabb01.cfg", 404, false},
		{"another brand's name of its own", good, "/001565aabb01.xml", 404, false},
		{"a User-Agent of another brand", agent("Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 000413AABB03)"), "/001565aabb01.cfg", 200, true},
		{"a User-Agent with another MAC", agent("Yealink SIP-T46U 108.86.0.90 00:15:65:cc:cc:01"), "/001565aabb01.cfg", 200, true},
		{"a User-Agent that is rubbish", agent("\x01\x02%n%n ${jndi:ldap://x} '\"<script>"), "/001565aabb01.cfg", 400, false},
		{"a User-Agent that is an attack", agent("${jndi:ldap://x} %n '\"<script>;DROP"), "/001565aabb01.cfg", 200, true},
		{"a User-Agent's MAC alone", append([]string{"-A", "Yealink SIP-T46U 108.86.0.90 00:15:65:aa:bb:01"}, good...), "/y000000000108.cfg", 404, false},

		// Ways out.
		{"traversal", good, "/../../../etc/passwd", 404, false},
		{"traversal before the name", good, "/x/../001565aabb01.cfg", 404, false},
		{"a dot folder", good, "/./001565aabb01.cfg", 404, false},
		{"traversal, encoded", good, "/%2e%2e/%2e%2e/001565aabb01.cfg", 404, false},
		{"traversal, encoded twice", good, "/%252e%252e%252f001565aabb01.cfg", 404, false},
		{"traversal, overlong", good, "/%c0%ae%c0%ae/001565aabb01.cfg", 404, false},
		{"backslashes", good, "/..%5c..%5c001565aabb01.cfg", 404, false},
		{"a NUL", good, "/001565aabb01.cfg%00.png", 404, false},
		{"a NUL before", good, "/%00/001565aabb01.cfg", 404, false},
		{"a line end", good, "/001565aabb01.cfg%0d%0aSet-Cookie:%20a=b", 404, false},
		{"not UTF-8", good, "/%ff%fe/001565aabb01.cfg", 404, false},
		{"a right-to-left mark", good, "/%e2%80%ae001565aabb01.cfg", 404, false},
		{"a very long path", good, "/" + strings.Repeat("a/", 400) + "001565aabb01.cfg", 404, false},

		// Scanners and browsers: nothing is there, whoever asks.
		{"root", nil, "/", 404, false},
		{"icon", nil, "/favicon.ico", 404, false},
		{"robots", nil, "/robots.txt", 404, false},
		{"PHP", nil, "/index.php?id=1'%20OR%201=1--", 404, false},
		{"git", nil, "/.git/config", 404, false},
		{"environment", nil, "/.env", 404, false},
		{"CGI", nil, "/cgi-bin/luci", 404, false},
		{"proxy", nil, "/http://192.0.2.1/", 404, false},
		{"the REST API", []string{"-H", "Authorization: Bearer " + o.Token().Reveal()}, "/api/v1/devices", 404, false},
		{"the REST API's document", nil, "/api/v1/openapi.json", 404, false},
		{"metrics", nil, "/metrics", 404, false},
		{"readiness", nil, "/readyz", 404, false},
		{"profiles", nil, "/debug/pprof/heap", 404, false},
		{"an HTTP method of a web disk", []string{"-X", "PROPFIND"}, "/001565aabb01.cfg", 405, false},
		{"a method of nobody", append([]string{"-X", "HACK"}, good...), "/001565aabb01.cfg", 405, false},
		{"delete", append([]string{"-X", "DELETE"}, good...), "/001565aabb01.cfg", 405, false},
		{"trace", append([]string{"-X", "TRACE"}, good...), "/001565aabb01.cfg", 405, false},
		{"an upload of no phone", []string{"-T", "/etc/hostname"}, "/shell.php", 404, false},
		{"an upload over its configuration", append([]string{"-T", "/etc/hostname"}, good...), "/001565aabb01.cfg", 404, false},

		// Credentials that are none.
		{"half a scheme", []string{"-H", "Authorization: Basic"}, "/001565aabb01.cfg", 401, false},
		{"broken base64", []string{"-H", "Authorization: Basic ////="}, "/001565aabb01.cfg", 401, false},
		{"another scheme", []string{"-H", "Authorization: Negotiate abc"}, "/001565aabb01.cfg", 401, false},
		{"a digest of nothing", []string{"-H", `Authorization: Digest username="001565aabb01"`}, "/001565aabb01.cfg", 401, false},
		{"a huge one", []string{"-H", "Authorization: Basic " + strings.Repeat("A", 8000)}, "/001565aabb01.cfg", 401, false},
		{"an empty secret", []string{"--user", "001565aabb01:"}, "/001565aabb01.cfg", 404, false},
		{"a forged address", []string{"-H", "X-Forwarded-For: 127.0.0.1", "-H", "Forwarded: for=127.0.0.1"}, "/001565aabb01.cfg", 401, false},
		{"a token of nobody", nil, "/t/" + strings.Repeat("a", 26) + "/001565aabb01.cfg", 404, false},
		{"a token that is too long", nil, "/t/" + strings.Repeat("a", 65) + "/001565aabb01.cfg", 404, false},
		{"an empty token", nil, "/t//001565aabb01.cfg", 401, false},
	} {
		code, body := curl(t, append(append([]string{"--path-as-is"}, c.args...), base+c.path)...)
		if code != c.want || c.file != strings.Contains(body, "account.1.password = ") {
			t.Errorf("%s: %d, want %d\n%.200s", c.name, code, c.want, body)
		}
	}
	if _, body := curl(t, "-I", "-A", "sqlmap/1.7", base+"/"); strings.Contains(strings.ToLower(body), "server:") {
		t.Errorf("the server says what it is:\n%s", body)
	}
	log := o.log.String()
	for _, bad := range []string{"\x1b", "jndi", secretOf(yealinkDesk).Reveal(), strings.Repeat("a", 26)} {
		if strings.Contains(log, bad) {
			t.Errorf("the log holds %q", bad)
		}
	}
}

// TestSlowAndEndless: who sends a byte at a time, or without end, is cut off, and
// the others do not wait for him.
func TestSlowAndEndless(t *testing.T) {
	t.Parallel()
	o := open(t)
	at := o.Addresses().Provisioning.String()
	dial := func(text string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() }) // the server may have been faster
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range 200 {
		dial("GET /001565aabb01.cfg HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	}
	slow := dial("GET /001565aabb01.cfg HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	began := time.Now()
	o.yealinkFile(yealinkDesk)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("a phone waited %s for two hundred slow clients", took)
	}
	if err := slow.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(slow)
	if err != nil {
		t.Errorf("a slow request is not cut off: %v", err)
	}
	if strings.Contains(string(text), "account") {
		t.Errorf("a slow request gets\n%s", text)
	}

	endless := dial("PUT /001565aabb01-boot.log HTTP/1.1\r\nHost: x\r\nContent-Length: 1099511627776\r\n\r\n")
	block := make([]byte, 64<<10)
	sent := 0
	for ; sent < 64<<20; sent += len(block) {
		if err := endless.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := endless.Write(block); err != nil {
			break
		}
	}
	if sent >= 64<<20 {
		t.Error("an upload of a terabyte is taken")
	}
	chunked := dial("PUT /001565aabb01-boot.log HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	go func() { // ends with the connection
		for range 64 {
			if _, err := fmt.Fprintf(chunked, "%x\r\n%s\r\n", len(block), block); err != nil {
				return
			}
		}
	}()
	if err := chunked.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if res, err := http.ReadResponse(bufio.NewReader(chunked), nil); err == nil {
		defer res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("chunks without end: %d", res.StatusCode)
		}
	}
	o.yealinkFile(yealinkDesk)
}
