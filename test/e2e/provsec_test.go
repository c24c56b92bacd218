package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perch/internal/config"
)

// guardedFile has a desk whose password Perch makes, one with a password of its
// own, and a tenant whose phones are all in one network.
const guardedFile = `
tenants:
  - code: acme
    domains: [acme.test]
    decoys: ["001565dec0de"]
    extensions:
      - {number: "1001", name: Ada Lovelace, pin: "4321"}
      - {number: "1002", name: Grace Hopper, pin: "8642"}
    devices:
      - {mac: "001565aabb01", brand: yealink, model: T46U, desk: "Desk 1"}
      - {mac: "001565aabb02", brand: yealink, model: T46U, desk: "Desk 2", secret: dev-001565aabb02}
      - {mac: "64167faabb08", brand: poly, model: VVX450, desk: "Desk 8"}
      - {mac: "8843e157ddcc", brand: cisco-spa, model: SPA504G, desk: "Desk 9"}
  - code: globex
    domains: [globex.test]
    networks: [127.0.0.0/30, "2001:db8::/32"]
    devices:
      - {mac: "001565cccc01", brand: yealink, model: T46U, desk: "Volcano", secret: dev-001565cccc01}
`

// enrolled gives a device's URL with the token of its enrolment.
func (o *office) enrolled(mac string) string {
	o.t.Helper()
	var out struct {
		URL string `json:"url"`
	}
	status, body := o.rest().ask(o.t.Context(), http.MethodPost, "/devices/"+mac+"/enrol", map[string]any{})
	if err := json.Unmarshal(body, &out); err != nil || status != http.StatusOK {
		o.t.Fatalf("enrol: %d %s", status, body)
	}
	_, path, ok := strings.Cut(out.URL, "/t/")
	if !ok {
		o.t.Fatalf("enrolled at %q", out.URL)
	}
	return httpURL(o.Addresses().Provisioning) + "/t/" + path
}

// TestTokensTurn: the token of the enrolment gives a file with the steady one,
// and dies when that was used; each login and logout hands out the next, and
// until the phone has shown it the former is good. So it is with the password
// that Perch made. What a directory file says stays.
func TestTokensTurn(t *testing.T) {
	t.Parallel()
	o := openWith(t, guardedFile)
	name := yealinkDesk + ".cfg"
	status := func(url string, args ...string) int {
		t.Helper()
		code, _ := curl(t, append(args, url)...)
		return code
	}
	fetch := func(url string, args ...string) (folder, password string) {
		t.Helper()
		code, body := curl(t, append(args, url+name)...)
		if code != 200 {
			t.Fatalf("%s: %d", name, code)
		}
		s := settingsOf(body)
		return s["static.auto_provision.server.url"], s["static.auto_provision.server.password"]
	}
	first := o.enrolled(yealinkDesk)
	steady, password := fetch(first)
	if steady == first || !strings.Contains(steady, "/t/") {
		t.Fatalf("the first file leads back to %s", steady)
	}
	if again, _ := fetch(first); again != steady {
		t.Error("the answer to a repeated first fetch is another")
	}
	if next, _ := fetch(steady); next != steady {
		t.Error("the steady token changes without a login")
	}
	if got := status(first + name); got != 404 {
		t.Errorf("the token of the enrolment still opens: %d", got)
	}
	user := func(p string) []string { return []string{"--user", yealinkDesk + ":" + p} }
	if got := status(httpURL(o.Addresses().Provisioning)+"/"+name, user(password)...); got != 200 {
		t.Errorf("its password: %d", got)
	}

	if got := o.rest().login(t.Context(), "1001", yealinkDesk); got != 200 {
		t.Fatalf("login: %d", got)
	}
	second, password2 := fetch(steady)
	if second == steady || password2 == password {
		t.Error("a login changes nothing")
	}
	if again, _ := fetch(steady); again != second {
		t.Error("a lost answer locks the phone out")
	}
	if got := status(httpURL(o.Addresses().Provisioning)+"/"+name, user(password)...); got != 200 {
		t.Errorf("the former password before the new one is used: %d", got)
	}
	if got := status(httpURL(o.Addresses().Provisioning)+"/"+name, user(password2)...); got != 200 {
		t.Errorf("the new password: %d", got)
	}
	for what, got := range map[string]int{
		"token": status(steady + name), "password": status(httpURL(o.Addresses().Provisioning)+"/"+name, user(password)...),
	} {
		if got != 404 {
			t.Errorf("the former %s after the new one was used: %d", what, got)
		}
	}
	if got := status(second + name); got != 200 {
		t.Errorf("the new token: %d", got)
	}

	// Enrolled anew, as after a factory reset: all before is over.
	third := o.enrolled(yealinkDesk)
	if got := status(second + name); got != 404 {
		t.Errorf("the old token after a new enrolment: %d", got)
	}
	if got := status(third + name); got != 200 {
		t.Errorf("the token of the new enrolment: %d", got)
	}

	// A password from the directory file is never changed.
	mine := "--user\n" + yealinkDesk2 + ":" + secretOf(yealinkDesk2).Reveal()
	for _, number := range []string{"", "1002", ""} {
		if number != "" {
			if got := o.rest().login(t.Context(), number, yealinkDesk2); got != 200 {
				t.Fatalf("login: %d", got)
			}
		}
		code, body := curl(t, append(strings.Split(mine, "\n"), httpURL(o.Addresses().Provisioning)+"/"+yealinkDesk2+".cfg")...)
		if got := settingsOf(body)["static.auto_provision.server.password"]; code != 200 || got != secretOf(yealinkDesk2).Reveal() {
			t.Errorf("its own password: %d %q", code, got)
		}
	}
	// Poly's phones restart when their server's settings change: once, and not at each login.
	poly := o.enrolled("64167faabb08")
	_, idle := curl(t, poly+"64167faabb08-perch.cfg")
	if got := o.rest().login(t.Context(), "1001", "64167faabb08"); got != 200 {
		t.Fatalf("login: %d", got)
	}
	_, bound := curl(t, poly+"64167faabb08-perch.cfg")
	if a, b := found(t, `device.prov.password="([^"]+)"`, idle), found(t, `device.prov.password="([^"]+)"`, bound); a != b {
		t.Error("a login changes device.prov.password")
	}
}

// TestAddressThatStays: a phone whose configuration does not say where it comes
// from goes on by the token that it has, whatever its screen and its phone book
// are asked for by.
func TestAddressThatStays(t *testing.T) {
	t.Parallel()
	o := openWith(t, guardedFile)
	const spa = "8843e157ddcc"
	url := o.enrolled(spa)
	for i, number := range []string{"", "1001", "1002"} {
		if number != "" {
			if got := o.rest().login(t.Context(), number, spa); got != 200 {
				t.Fatalf("login: %d", got)
			}
		}
		code, body := curl(t, url+spa+".xml")
		if code != 200 || number != "" && !strings.Contains(body, ">"+number+"<") {
			t.Fatalf("fetch %d: %d\n%s", i, code, body)
		}
		screen, book := found(t, `<XML_Application_Service_URL>([^<]+)<`, body), found(t, `<XML_Directory_Service_URL>([^<]+)<`, body)
		if code, body := curl(t, screen); code != 200 {
			t.Errorf("screen: %d\n%s", code, body)
		}
		if code, body := curl(t, book); code != 200 || !strings.Contains(body, "<Name>Grace Hopper</Name><Telephone>1002</Telephone>") {
			t.Errorf("phone book: %d\n%s", code, body)
		}
	}
}

// TestDriftAfterTurns: what a phone has fetched is what it would get, whatever
// token it came by.
func TestDriftAfterTurns(t *testing.T) {
	t.Parallel()
	o := openWith(t, guardedFile)
	drift := func() string {
		var rows []struct {
			MAC   string `json:"mac"`
			Drift *bool  `json:"drift"`
		}
		o.rest().list(t, "/devices?tenant=acme", &rows)
		for _, r := range rows {
			if r.MAC == yealinkDesk && r.Drift != nil {
				return fmt.Sprint(*r.Drift)
			}
		}
		return "unknown"
	}
	url := o.enrolled(yealinkDesk)
	for _, step := range []string{"", "1001", "1002"} {
		if step != "" {
			if got := o.rest().login(t.Context(), step, yealinkDesk); got != 200 {
				t.Fatalf("login: %d", got)
			}
			if got := drift(); got != "true" {
				t.Errorf("after the login of %s: drift %s", step, got)
			}
		}
		code, body := curl(t, url+yealinkDesk+".cfg")
		if code != 200 {
			t.Fatalf("fetch: %d", code)
		}
		eventually(t, "no drift", 30*time.Second, func() bool { return drift() == "false" })
		url = settingsOf(body)["static.auto_provision.server.url"]
	}
}

// TestClientCertificates: a phone with its maker's certificate needs nothing
// else, and gets no other phone's file.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	makers := filepath.Join(dir, "makers")
	if err := os.Mkdir(makers, 0o700); err != nil {
		t.Fatal(err)
	}
	ssl := func(args ...string) { t.Helper(); run(t, "openssl", args...) }
	authority := func(name string) {
		ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/O="+name+"/CN="+name+" Root", "-keyout", filepath.Join(dir, name+".key"), "-out", filepath.Join(dir, name+".pem"))
	}
	issue := func(ca, file, subject, days string) {
		csr := filepath.Join(dir, file+".csr")
		ssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", filepath.Join(dir, file+".key"), "-out", csr)
		args := []string{"x509", "-req", "-in", csr, "-CA", filepath.Join(dir, ca+".pem"), "-CAkey", filepath.Join(dir, ca+".key"), "-CAcreateserial", "-days", days, "-out", filepath.Join(dir, file+".crt")}
		ssl(args...)
	}
	authority("maker")
	authority("stranger")
	issue("maker", "phone", "/O=Yealink/CN=00:15:65:AA:BB:01", "2")
	issue("maker", "other", "/O=Polycom Inc./CN=64167FAABB08", "2")
	issue("maker", "ended", "/O=Yealink/CN=001565AABB01", "0")
	issue("stranger", "forged", "/O=Yealink/CN=001565AABB01", "2")
	ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", filepath.Join(dir, "server.key"), "-out", filepath.Join(dir, "server.crt"))

	o := openWith(t, guardedFile, func(c *config.Config) {
		c.Provisioning.TLS = config.PhoneTLS{Listen: "127.0.0.1:0", Cert: filepath.Join(dir, "server.crt"), Key: filepath.Join(dir, "server.key"), ClientCAs: makers}
	})
	base := "https://" + o.Addresses().ProvisioningTLS.String()
	ask := func(cert, path string, more ...string) int {
		t.Helper()
		args := []string{"--cacert", filepath.Join(dir, "server.crt")}
		if cert != "" {
			args = append(args, "--cert", filepath.Join(dir, cert+".crt"), "--key", filepath.Join(dir, cert+".key"))
		}
		code, _ := curl(t, append(append(args, more...), base+path)...)
		return code
	}
	file := "/" + yealinkDesk + ".cfg"
	if got := ask("phone", file); got != 401 {
		t.Errorf("before its maker is trusted: %d", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, "maker.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(makers, "maker.pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the folder is read again", time.Minute, func() bool { return ask("phone", file) == 200 })
	wrong := []string{"--user", yealinkDesk + ":wrong"}
	good := []string{"--user", yealinkDesk2 + ":" + secretOf(yealinkDesk2).Reveal()}
	for _, c := range []struct {
		name, cert, path string
		more             []string
		want             int
	}{
		{"its own file", "phone", file, nil, 200},
		{"its own file, in its tenant's folder", "phone", "/acme" + file, nil, 200},
		{"its own file, beside a wrong password", "phone", file, wrong, 200},
		{"in a foreign tenant's folder", "phone", "/globex" + file, nil, 404},
		{"another phone's file", "phone", "/" + yealinkDesk2 + ".cfg", nil, 404},
		{"another phone's file, with its password", "phone", "/" + yealinkDesk2 + ".cfg", good, 404},
		{"unknown phone's file", "phone", "/001565aabbee.cfg", nil, 404},
		{"another phone", "other", file, nil, 404},
		{"a stranger's authority", "forged", file, nil, 401},
		{"none", "", file, nil, 401},
		{"none, with a password", "", "/" + yealinkDesk2 + ".cfg", good, 200},
	} {
		if got := ask(c.cert, c.path, c.more...); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	eventually(t, "the certificate's end", time.Minute, func() bool { return ask("ended", file) == 401 })
	eventually(t, "an event of the contradiction", time.Minute, func() bool {
		return strings.Contains(o.redis("XRANGE", "{acme}:events", "-", "+"), `"reason":"contradiction"`)
	})
	if out, _ := try(t, "curl", "-sS", "http://"+o.Addresses().ProvisioningTLS.String()+file); strings.Contains(out, "account.1") {
		t.Error("the file comes over plain HTTP at the address of HTTPS")
	}
	if code, body := curl(t, append(good, httpURL(o.Addresses().Provisioning)+"/"+yealinkDesk2+".cfg")...); code != 200 || !strings.Contains(body, "server.url = http://") {
		t.Errorf("beside it, over HTTP: %d", code)
	}
	if _, body := curl(t, append([]string{"--cacert", filepath.Join(dir, "server.crt")}, append(good, base+"/"+yealinkDesk2+".cfg")...)...); !strings.Contains(body, "server.url = https://"+o.Addresses().ProvisioningTLS.String()) {
		t.Error("who came by HTTPS is told to come back by HTTP")
	}
	alone := openWith(t, guardedFile, func(c *config.Config) {
		c.Provisioning.TLS = config.PhoneTLS{Cert: filepath.Join(dir, "server.crt"), Key: filepath.Join(dir, "server.key")}
	})
	if code, _ := curl(t, append([]string{"--cacert", filepath.Join(dir, "server.crt")}, append(good, "https://"+alone.Addresses().Provisioning.String()+"/"+yealinkDesk2+".cfg")...)...); code != 200 {
		t.Errorf("HTTPS alone: %d", code)
	}
}

// TestNetworksAndDecoys: right credentials from elsewhere, and a request for a
// phone that nobody has.
func TestNetworksAndDecoys(t *testing.T) {
	t.Parallel()
	o := openWith(t, guardedFile, func(c *config.Config) {
		c.Limits.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.3/32")}
	})
	base := httpURL(o.Addresses().Provisioning)
	ask := func(from, path string, user ...string) int {
		t.Helper()
		args := []string{"--interface", from}
		if len(user) > 0 {
			args = append(args, "--user", user[0]+":"+secretOf(user[0]).Reveal())
		}
		code, _ := curl(t, append(args, base+path)...)
		return code
	}
	for from, want := range map[string]int{"127.0.0.1": 200, "127.0.0.2": 200, "127.0.0.9": 404} {
		if got := ask(from, "/001565cccc01.cfg", "001565cccc01"); got != want {
			t.Errorf("from %s: %d, want %d", from, got, want)
		}
	}
	mine := "/" + yealinkDesk2 + ".cfg"
	if got := ask("127.0.0.7", mine, yealinkDesk2); got != 200 {
		t.Fatalf("a phone before the decoy: %d", got)
	}
	decoy, unknown := o.whole([]string{"--interface", "127.0.0.7"}, "/001565dec0de.cfg"), o.whole([]string{"--interface", "127.0.0.8"}, "/001565dec0df.cfg")
	if decoy != unknown {
		t.Errorf("a decoy can be told from an unknown phone:\n%s\n%s", decoy, unknown)
	}
	eventually(t, "an event of the decoy", time.Minute, func() bool {
		return strings.Contains(o.redis("XRANGE", "{acme}:events", "-", "+"), `"reason":"decoy"`)
	})
	if got := ask("127.0.0.7", mine, yealinkDesk2); got != 200 {
		t.Errorf("a phone that was known there before: %d", got)
	}
	if got := ask("127.0.0.7", "/001565cccc01.cfg", "001565cccc01"); got != 404 {
		t.Errorf("another phone from there: %d", got)
	}
	if got := ask("127.0.0.7", mine); got != 401 {
		t.Errorf("without credentials: %d", got)
	}
	ask("127.0.0.3", "/001565dec0de.cfg")
	if got := ask("127.0.0.3", mine, yealinkDesk2); got != 200 {
		t.Errorf("a trusted address was barred: %d", got)
	}
	_, text := get(httpURL(o.Addresses().Metrics) + "/metrics")
	if !strings.Contains(text, `perch_provisioning_alarms_total{kind="decoy"} 2`) || !strings.Contains(text, `perch_provisioning_alarms_total{kind="network"} 1`) {
		t.Errorf("metrics:\n%s", text)
	}
}

// TestGuessing: wrong credentials for one phone after the other end in nothing,
// and do not end the phones of that address.
func TestGuessing(t *testing.T) {
	t.Parallel()
	o := openWith(t, guardedFile, func(c *config.Config) { c.Limits.Trusted = nil })
	base := httpURL(o.Addresses().Provisioning)
	good := []string{"--user", yealinkDesk2 + ":" + secretOf(yealinkDesk2).Reveal(), base + "/" + yealinkDesk2 + ".cfg"}
	if code, _ := curl(t, good...); code != 200 {
		t.Fatalf("%d", code)
	}
	var urls []string
	for i := range 130 {
		urls = append(urls, fmt.Sprintf("%s/0015651000%02x.cfg", base, i))
	}
	try(t, "curl", append([]string{"-sS", "-o", "/dev/null", "--user", "x:guess"}, urls...)...)
	eventually(t, "an alarm", time.Minute, func() bool {
		_, text := get(httpURL(o.Addresses().Metrics) + "/metrics")
		return !strings.Contains(text, `perch_provisioning_alarms_total{kind="guessing"} 0`)
	})
	if code, _ := curl(t, good...); code != 200 {
		t.Errorf("a phone that was known: %d", code)
	}
	if code, _ := curl(t, "--user", "001565cccc01:dev-001565cccc01", base+"/001565cccc01.cfg"); code != 404 {
		t.Errorf("a right guess after a hundred wrong ones: %d", code)
	}
}
