package provisioning_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning"
	"perch/provisioning/brand"
	"perch/provisioning/brand/all"
	"perch/provisioning/device"
	"perch/sip/digest"
)

const (
	yealinkAgent = "Yealink SIP-T46U 108.86.0.90 00:15:65:aa:bb:01"
	snomAgent    = "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12 000413922D24 SXM:0 UXM:1)"
	secret       = "dev-s3cret"
)

// site is the world behind the handler: acme has a Yealink, a Snom, a Panasonic
// without templates and one phone of each brand that came later; globex has a
// Yealink.
type site struct {
	mu      sync.Mutex
	down    bool
	gone    bool
	bound   bool
	fetched []provisioning.Fetched
	codes   []string
	logs    bytes.Buffer
	deaf    bool // the witness fails
	uploads []string
}

var devices = map[string]directory.Device{
	"001565aabb01": {ID: id("acme", "001565aabb01"), Brand: "yealink", Desk: "Berlin 3.14"},
	"000413922d24": {ID: id("acme", "000413922d24"), Brand: "snom", Desk: "Berlin 3.15"},
	"0080f0aabbcc": {ID: id("acme", "0080f0aabbcc"), Brand: "panasonic"},
	"c074ad0b63ee": {ID: id("acme", "c074ad0b63ee"), Brand: "grandstream"},
	"482567b5313f": {ID: id("acme", "482567b5313f"), Brand: "polycom"},
	"1400e91f03ea": {ID: id("acme", "1400e91f03ea"), Brand: "aastra"},
	"0c383e2cd782": {ID: id("acme", "0c383e2cd782"), Brand: "fanvil"},
	"8843e157ddcc": {ID: id("acme", "8843e157ddcc"), Brand: "linksys"},
	"5486bc9a1122": {ID: id("acme", "5486bc9a1122"), Brand: "cisco-mpp"},
	"001fc11c22a9": {ID: id("acme", "001fc11c22a9"), Brand: "htek"},
	"0050585011de": {ID: id("acme", "0050585011de"), Brand: "sangoma"},
	"000fd30abc01": {ID: id("acme", "000fd30abc01"), Brand: "digium"},
	"000fd30abc02": {ID: id("acme", "000fd30abc02"), Brand: "sangoma-p"},
	"001565aabb02": {ID: id("globex", "001565aabb02"), Brand: "yealink"},
}

func id(tenant, mac string) directory.DeviceID {
	m, err := directory.ParseMAC(mac)
	if err != nil {
		panic(err)
	}
	return directory.DeviceID{Tenant: directory.TenantCode(tenant), MAC: m}
}

func (s *site) DeviceByMAC(_ context.Context, m directory.MAC) (device.Record, error) {
	if s.down {
		return device.Record{}, errors.New("connection refused")
	}
	d, ok := devices[m.String()]
	if !ok {
		return device.Record{}, device.ErrUnknown
	}
	return device.Record{Device: d, Secret: secret}, nil
}

func (s *site) TenantExists(_ context.Context, c directory.TenantCode) (bool, error) {
	return c == "acme" || c == "globex", nil
}

func (s *site) Shown(context.Context, directory.Device, int) error { return nil }

func (s *site) CheckDeviceToken(token string, t directory.TenantCode, m directory.MAC, _, _ int) bool {
	return !m.IsZero() && token == "token-"+m.String()
}

func (s *site) Desk(_ context.Context, d directory.Device) (brand.Desk, directory.SessionID, error) {
	if s.gone {
		return brand.Desk{}, "", provisioning.ErrGone
	}
	desk := brand.Desk{
		Label: d.Desk, Domain: "acme.test", FeatureCodes: directory.DefaultFeatureCodes(),
		Account: brand.Account{User: d.ID.MAC.String(), Password: "device-password"},
		Server:  brand.Server{Port: 5060, Transport: brand.UDP, Expires: 3600},
	}
	if !s.bound {
		return desk, "", nil
	}
	desk.Bound = true
	desk.Account = brand.Account{User: "1001", DisplayName: "Ada\nLovelace", Password: "session-password"}
	desk.Keys = []directory.Key{{Type: "blf", Value: "1002", Label: "]]>&\u2028"}}
	return desk, "5e55", nil
}

func (s *site) Fetched(_ context.Context, f provisioning.Fetched) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf {
		return errors.New("store away")
	}
	s.fetched = append(s.fetched, f)
	return nil
}

func (s *site) Request(brand string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes = append(s.codes, fmt.Sprintf("%s %d", brand, code))
}

func (s *site) Upload(result string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads = append(s.uploads, result)
}

func handler(t testing.TB, s *site, base string) *provisioning.Handler {
	t.Helper()
	nonces := digest.NewNonces([]byte("key"), "node", "boot", time.Minute, time.Now)
	h, err := provisioning.New(provisioning.Config{
		Brands: all.Brands(), Desks: s, Witness: s, Recorder: s, BaseURL: base,
		Door: device.NewDoor(device.Parts{Store: s, Tokens: s, Nonces: nonces}),
		Log:  slog.New(slog.NewTextHandler(&s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// ask sends one request to the handler.
func ask(t testing.TB, h http.Handler, method, path, auth string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://prov.acme.test:8080"+path, nil)
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestServesByEveryProof(t *testing.T) {
	s := &site{bound: true}
	srv := httptest.NewServer(handler(t, s, ""))
	defer srv.Close()
	for _, c := range []struct {
		name, path, agent, user string
		wantURL, wantType       string
		proof                   func(t *testing.T, req *http.Request) // nil: Basic
	}{
		{"basic", "/001565aabb01.cfg", yealinkAgent, "001565aabb01", "URL/", "text/plain; charset=utf-8", nil},
		{"basic in the tenant's folder", "/acme/001565aabb01.cfg", yealinkAgent, "00:15:65:AA:BB:01", "URL/acme/", "text/plain; charset=utf-8", nil},
		{"upper case, nested folders", "/acme/a/b/001565AABB01.cfg", yealinkAgent, "001565aabb01", "URL/acme/", "text/plain; charset=utf-8", nil},
		{"a folder of no tenant", "/snomD785/000413922D24.xml", snomAgent, "000413922D24", "URL/", "text/xml; charset=utf-8", nil},
		{"snom's long name", "/snomD785-000413922D24.htm", snomAgent, "000413922D24", "URL/", "text/xml; charset=utf-8", nil},
		{"snom's query", "/acme/snomD785.htm?mac=000413922D24", snomAgent, "000413922D24", "URL/acme/", "text/xml; charset=utf-8", nil},
		{"token", "/t/token-001565aabb01/001565aabb01.cfg", "", "", "URL/t/token-001565aabb01/", "text/plain; charset=utf-8", func(*testing.T, *http.Request) {}},
		{"digest", "/acme/001565aabb01.cfg", yealinkAgent, "", "URL/acme/", "text/plain; charset=utf-8", func(t *testing.T, req *http.Request) {
			t.Helper()
			first, err := http.Get(req.URL.String())
			if err != nil {
				t.Fatal(err)
			}
			defer first.Body.Close()
			cs := digest.ParseChallenges(first.Header.Values("WWW-Authenticate"))
			if len(cs) != 1 {
				t.Fatalf("challenges %v", cs)
			}
			a, err := digest.Answer(cs[0], "001565aabb01", secret, "GET", req.URL.RequestURI(), 1, "cnonce")
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", a.String())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodGet, srv.URL+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("User-Agent", c.agent)
			if c.proof == nil {
				req.Header.Set("Authorization", basic(c.user, secret))
			} else {
				c.proof(t, req)
			}
			res, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("%d %v", res.StatusCode, err)
			}
			if got := res.Header.Get("Content-Type"); got != c.wantType {
				t.Errorf("Content-Type %q", got)
			}
			if got := res.Header.Get("Cache-Control"); got != "private, no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			url := strings.Replace(c.wantURL, "URL", srv.URL, 1)
			if !bytes.Contains(body, []byte(url)) {
				t.Errorf("no %s in the file", url)
			}
			for _, want := range []string{"session-password", "1001", "acme.test", secret, "127.0.0.1"} {
				if !bytes.Contains(body, []byte(want)) {
					t.Errorf("no %s in the file", want)
				}
			}
		})
	}
	srv.Close() // waits for the handlers, which tell the witness after the last byte
	if len(s.fetched) != 8 {
		t.Fatalf("%d files witnessed", len(s.fetched))
	}
	for _, f := range s.fetched {
		if f.Session != "5e55" || len(f.Digest) != 64 || len(f.Keys) > 1 || f.Device.Tenant != "acme" {
			t.Errorf("%+v", f)
		}
	}
	if f := s.fetched[0]; f.Phone.Model != "T46U" || len(f.Keys) != 1 || f.Keys[0] != "1002" {
		t.Errorf("%+v", f)
	}
}

// page is an answer without what differs by design: the nonce.
func page(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	fmt.Fprintln(&b, w.Code)
	_ = w.Result().Header.Write(&b)
	b.Write(w.Body.Bytes())
	return regexp.MustCompile(`nonce="[^"]*"`).ReplaceAllString(b.String(), `nonce=""`)
}

// Strangers cannot tell which phones, tenants and brands exist.
func TestStrangersSeeOneAnswer(t *testing.T) {
	h := handler(t, &site{}, "")
	t.Run("no credentials", func(t *testing.T) {
		want := ""
		for _, path := range []string{
			"/001565aabb01.cfg", "/001565aabb99.cfg", "/acme/001565aabb01.cfg", "/globex/001565aabb01.cfg",
			"/nobody/001565aabb01.cfg", "/001565aabb01.boot", "/001565aabb99.boot", "/000413922D24.xml", "/0080f0aabbcc.cfg",
			"/cfg000b82462d97.xml", "/snomD785-000413922D24.htm", "/snomD785-000413922D99.htm", "/001565aabb01-local.cfg", "/001565aabb01.exe",
		} {
			got := page(ask(t, h, "GET", path, ""))
			if !strings.HasPrefix(got, "401\n") || want != "" && got != want {
				t.Fatalf("%s:\n%s\nothers:\n%s", path, got, want)
			}
			want = got
		}
		if !strings.Contains(want, "Basic realm=") || !strings.Contains(want, "Digest realm=") {
			t.Error(want)
		}
	})
	t.Run("credentials that open nothing", func(t *testing.T) {
		want := page(ask(t, h, "GET", "/nothing.txt", ""))
		if !strings.HasPrefix(want, "404\n") {
			t.Fatal(want)
		}
		for _, c := range []struct{ path, auth string }{
			{"/001565aabb01.cfg", basic("001565aabb01", "wrong")},
			{"/001565aabb99.cfg", basic("001565aabb99", secret)},
			{"/001565aabb01.cfg", basic("001565aabb02", secret)},
			{"/001565aabb01.cfg", basic("root", secret)},
			{"/globex/001565aabb01.cfg", basic("001565aabb01", secret)},
			{"/0080f0aabbcc.cfg", basic("0080f0aabbcc", secret)}, // right, but no templates
			{"/001565aabb01.xml", basic("001565aabb01", secret)}, // right, but no such file
			{"/001565aabb01-local.cfg", basic("001565aabb01", secret)},
			{"/t/token-001565aabb02/001565aabb01.cfg", ""},
			{"/t/x/001565aabb01.cfg", basic("001565aabb01", secret)},
			{"/t/x/001565aabb99.cfg", ""},
			{"/y000000000000.boot", ""},
			{"/y000000000108.cfg", basic("001565aabb01", secret)},
			{"/snomD785.htm", ""},
			{"/000000000000.cfg", basic("000000000000", secret)},
			{"/", ""},
			{"/acme/", basic("001565aabb01", secret)},
		} {
			if got := page(ask(t, h, "GET", c.path, c.auth)); got != want {
				t.Errorf("%s %q:\n%s\nwant\n%s", c.path, c.auth, got, want)
			}
		}
	})
}

func TestNotModified(t *testing.T) {
	s := &site{bound: true}
	h := handler(t, s, "")
	auth := basic("001565aabb01", secret)
	first := ask(t, h, "GET", "/001565aabb01.cfg", auth)
	etag := first.Header().Get("ETag")
	if first.Code != 200 || len(etag) != 34 {
		t.Fatalf("%d %q", first.Code, etag)
	}
	if again := ask(t, h, "GET", "/001565aabb01.cfg", auth); again.Body.String() != first.Body.String() {
		t.Error("the same desk gave other bytes")
	}
	for _, value := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
		got := ask(t, h, "GET", "/001565aabb01.cfg", auth, "If-None-Match", value)
		if got.Code != 304 || got.Body.Len() != 0 || got.Header().Get("ETag") != etag {
			t.Errorf("%s: %d", value, got.Code)
		}
	}
	if !s.fetched[2].Same || s.fetched[2].Digest != s.fetched[0].Digest {
		t.Errorf("%+v", s.fetched[2])
	}
	n := len(s.fetched)
	if head := ask(t, h, "HEAD", "/001565aabb01.cfg", auth); head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD %d %v", head.Code, head.Header())
	}
	if boot := ask(t, h, "GET", "/001565aabb01.boot", auth); boot.Code != 200 || !strings.Contains(boot.Body.String(), `"001565aabb01.cfg"`) {
		t.Errorf("boot %d %s", boot.Code, boot.Body)
	}
	if len(s.fetched) != n {
		t.Error("a HEAD or a boot file counts as the configuration")
	}
	s.bound = false
	if after := ask(t, h, "GET", "/001565aabb01.cfg", auth, "If-None-Match", etag); after.Code != 200 || strings.Contains(after.Body.String(), "session-password") {
		t.Errorf("after the logout: %d", after.Code)
	}
}

func TestStoreDown(t *testing.T) {
	s := &site{down: true}
	h := handler(t, s, "")
	for _, path := range []string{"/001565aabb01.cfg", "/001565aabb99.cfg"} {
		got := ask(t, h, "GET", path, basic("001565aabb01", secret))
		if got.Code != 503 || got.Header().Get("Retry-After") != "30" {
			t.Errorf("%s: %d %v", path, got.Code, got.Header())
		}
	}
	s.down, s.gone = false, true
	if got := ask(t, h, "GET", "/001565aabb01.cfg", basic("001565aabb01", secret)); got.Code != 404 {
		t.Errorf("a device that went away: %d", got.Code)
	}
	s.gone, s.deaf = false, true
	if got := ask(t, h, "GET", "/001565aabb01.cfg", basic("001565aabb01", secret)); got.Code != 200 || !strings.Contains(s.logs.String(), "store away") {
		t.Errorf("a deaf witness: %d", got.Code)
	}
}

func TestUploads(t *testing.T) {
	h := handler(t, &site{}, "")
	for _, c := range []struct {
		method, path string
		size         int
		want         int
	}{
		{"PUT", "/001565aabb01-local.cfg", 100, 200},
		{"POST", "/acme/001565aabb01-sys.log", 1 << 20, 200},
		{"PUT", "/001565aabb01-boot.log", 1<<20 + 1, 413},
		{"PUT", "/001565aabb01.cfg", 10, 404},
		{"PUT", "/anything.php", 10, 404},
		{"PUT", "/../001565aabb01-boot.log", 10, 404},
	} {
		r := httptest.NewRequest(c.method, "http://x"+c.path, strings.NewReader(strings.Repeat("x", c.size)))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.want)
		}
	}
	for _, method := range []string{"DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"} {
		if got := ask(t, h, method, "/001565aabb01.cfg", ""); got.Code != 405 || got.Header().Get("Allow") == "" {
			t.Errorf("%s: %d", method, got.Code)
		}
	}
}

func TestHostilePaths(t *testing.T) {
	s := &site{}
	srv := httptest.NewServer(handler(t, s, ""))
	defer srv.Close()
	client := srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{
		"/../../etc/passwd", "/%2e%2e/%2e%2e/001565aabb01.cfg", "/..%2f001565aabb01.cfg", "/%00001565aabb01.cfg",
		"/001565aabb01.cfg%00", "/%5c..%5c001565aabb01.cfg", "/%0d%0aX:%20y", "/acme/%2e%2e/001565aabb01.cfg", "/%ff001565aabb01.cfg",
		"/" + strings.Repeat("a/", 300) + "001565aabb01.cfg", "/t//001565aabb01.cfg/", "/%c2%85001565aabb01.cfg",
	} {
		req, err := http.NewRequest("GET", srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", basic("001565aabb01", secret))
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 404 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if len(s.fetched) != 0 {
		t.Error("something was served")
	}
}

func TestHostHeader(t *testing.T) {
	s := &site{}
	h := handler(t, s, "")
	for host, want := range map[string]string{
		"prov.acme.test": "http://prov.acme.test/", "192.0.2.5:8080": "http://192.0.2.5:8080/", "[2001:db8::1]:8080": "http://[2001:db8::1]:8080/",
		"[2001:db8::1]": "http://[2001:db8::1]/", "evil\nx = y": "http://localhost/", "a b": "http://localhost/", "": "http://localhost/",
		"x:99999": "http://localhost/", "user@evil": "http://localhost/", strings.Repeat("a", 300): "http://localhost/",
	} {
		r := httptest.NewRequest("GET", "/001565aabb01.cfg", nil)
		r.Host = host
		r.Header.Set("Authorization", basic("001565aabb01", secret))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if line := "server.url = " + want + "\n"; !strings.Contains(w.Body.String(), line) {
			t.Errorf("%q: no %q in the file", host, line)
		}
	}
	h = handler(t, s, "https://prov.example.com/phones")
	got := ask(t, h, "GET", "/acme/001565aabb01.cfg", basic("001565aabb01", secret))
	if !strings.Contains(got.Body.String(), "server.url = https://prov.example.com/phones/acme/\n") {
		t.Errorf("%s", got.Body)
	}
}

func TestBadBaseURL(t *testing.T) {
	for _, base := range []string{"prov.example.com", "ftp://x", "http://", "http://u:p@x/", "http://x/?a", "http://x/#a", "http://x\n"} {
		if _, err := provisioning.New(provisioning.Config{BaseURL: base}); err == nil {
			t.Errorf("%q was accepted", base)
		}
	}
}

// The log tells who came, and nothing that would let anybody in.
func TestLogAndCounters(t *testing.T) {
	s := &site{bound: true}
	h := handler(t, s, "")
	ask(t, h, "GET", "/001565aabb01.cfg", basic("001565aabb01", secret), "User-Agent", yealinkAgent)
	ask(t, h, "GET", "/t/token-001565aabb01/001565aabb01.cfg", "")
	ask(t, h, "GET", "/001565aabb01.cfg", basic("001565aabb01", "wr0ng"), "User-Agent", yealinkAgent)
	ask(t, h, "GET", "/0080f0aabbcc.cfg", basic("0080f0aabbcc", secret))
	ask(t, h, "GET", "/x%1b]0;evil.cfg", "")
	lines := strings.Split(strings.TrimSpace(s.logs.String()), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines:\n%s", len(lines), s.logs.String())
	}
	for _, word := range []string{secret, "token-", "wr0ng", "session-password", "\x1b", base64.StdEncoding.EncodeToString([]byte("001565aabb01:"))[:12]} {
		if strings.Contains(s.logs.String(), word) {
			t.Errorf("the log holds %q", word)
		}
	}
	for _, want := range []string{"level=INFO", "code=200", "brand=yealink", "model=T46U", "mac=001565aabb01", "tenant=acme", "by=basic"} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("no %s in %s", want, lines[0])
		}
	}
	if !strings.Contains(lines[2], "credentials_open_nothing=true") || strings.Contains(lines[2], "tenant=") {
		t.Error(lines[2])
	}
	if got := strings.Join(s.codes, ", "); got != "yealink 200, yealink 200, yealink 404, panasonic 404,  404" {
		t.Errorf("counted %s", got)
	}
}

func FuzzPath(f *testing.F) {
	for _, p := range []string{"/001565aabb01.cfg", "/t/x/y", "/a/b/c/../d", "/\x00", "//", "/t/token-001565aabb01/001565aabb01.cfg"} {
		f.Add(p, "mac=1", "Yealink SIP-T46U 1.2.3.4 x")
	}
	h := handler(f, &site{}, "")
	f.Fuzz(func(t *testing.T, path, query, agent string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.URL.RawQuery = path, query
		r.Header.Set("User-Agent", agent)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 401 && w.Code != 404 && !strings.HasPrefix(path, "/t/token-") {
			t.Fatalf("%q: %d", path, w.Code)
		}
	})
}

func BenchmarkServe(b *testing.B) {
	s := &site{bound: true}
	h := handler(b, s, "")
	r := httptest.NewRequest("GET", "/001565aabb01.cfg", nil)
	r.Header.Set("Authorization", basic("001565aabb01", secret))
	r.Header.Set("User-Agent", yealinkAgent)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
		s.fetched, s.codes = s.fetched[:0], s.codes[:0]
		s.logs.Reset()
	}
}
