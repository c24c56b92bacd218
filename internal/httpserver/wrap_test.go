package httpserver

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRecoveredAnswersAndCounts(t *testing.T) {
	var out lines
	count := 0
	h := Recovered(slog.New(slog.NewTextHandler(&out, nil)), func() { count++ }, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("the PIN 4321")
	}))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/t/s3cret/x.cfg", nil))
	if rec.Code != 500 || count != 1 || strings.Contains(rec.Body.String(), "4321") {
		t.Errorf("got %d %q, counted %d", rec.Code, rec.Body, count)
	}
	if log := out.String(); strings.Contains(log, "4321") || strings.Contains(log, "s3cret") || !strings.Contains(log, "wrap_test.go") {
		t.Errorf("log: %s", log)
	}
}

func TestRecoveredCutsOffAnAnswerThatHasBegun(t *testing.T) {
	var count atomic.Int32
	addr, _ := start(t, Config{}, Recovered(slog.New(slog.DiscardHandler), func() { count.Add(1) }, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("later")
	})), time.Second)
	resp, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("half an answer looks like a whole one")
	}
	if n := count.Load(); n != 1 {
		t.Errorf("counted %d", n)
	}
}

func TestLoggedHidesSecrets(t *testing.T) {
	var out lines
	h := Logged(slog.New(slog.NewTextHandler(&out, nil)), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "no")
	}))
	r := httptest.NewRequest("GET", "/t/s3cret/x.cfg?pin=4321", nil)
	r.Header.Set("Authorization", "Basic c2VjcmV0")
	h.ServeHTTP(httptest.NewRecorder(), r)
	log := out.String()
	for _, want := range []string{"method=GET", "path=/t/***/x.cfg", "status=404", "bytes=2", "client=192.0.2.1:1234", "took="} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in %s", want, log)
		}
	}
	for _, secret := range []string{"s3cret", "4321", "c2VjcmV0"} {
		if strings.Contains(log, secret) {
			t.Errorf("%s is in the log: %s", secret, log)
		}
	}
	if strings.Count(log, "\n") != 1 {
		t.Errorf("not one line: %s", log)
	}
}

func TestLoggedLevels(t *testing.T) {
	for status, want := range map[int]string{200: "INFO", 401: "INFO", 503: "INFO", 500: "WARN"} {
		var out lines
		Logged(slog.New(slog.NewTextHandler(&out, nil)), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		if !strings.Contains(out.String(), "level="+want) {
			t.Errorf("%d: %s", status, &out)
		}
	}
}

func TestSafePath(t *testing.T) {
	for path, want := range map[string]string{
		"/t/abcdef/001565aabb01.cfg":             "/t/***/001565aabb01.cfg",
		"/acme/t/abcdef":                         "/acme/t/***",
		"/t/":                                    "/t/",
		"/app/abcdef/001565aabb01/login/1a/1001": "/app/***/***/***/***/***",
		"/acme/app/x":                            "/acme/app/x",
		"/t/t/t/x":                               "/t/***/***/***",
		"/001565aabb01.cfg":                      "/001565aabb01.cfg",
		"/a\r\nb\u2028c\u0085\x00":               "/a??b?c??",
		"/" + strings.Repeat("x", 300):           "/" + strings.Repeat("x", maxLogged-1) + "...",
	} {
		if got := SafePath(path); got != want {
			t.Errorf("SafePath(%q) = %q, want %q", path, got, want)
		}
	}
}

func FuzzSafePath(f *testing.F) {
	f.Add("/t/token/file")
	f.Add("/a\nb")
	f.Add("\xff\xe2\x80\xa8")
	f.Fuzz(func(t *testing.T, path string) {
		got := SafePath(path)
		if len(got) > 3*(maxLogged+3) || strings.ContainsAny(got, "\r\n\x00\u0085\u2028\u2029") {
			t.Errorf("SafePath(%q) = %q", path, got)
		}
	})
}

func TestSecured(t *testing.T) {
	h := Secured(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Referrer-Policy", "same-origin")
	}))
	for _, url := range []string{"http://perch.test/", "https://perch.test/"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", url, nil))
		got := rec.Header()
		if !strings.Contains(got.Get("Content-Security-Policy"), "default-src 'none'") || got.Get("X-Content-Type-Options") != "nosniff" ||
			got.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %v", url, got)
		}
		if tls := strings.HasPrefix(url, "https"); tls != (got.Get("Strict-Transport-Security") != "") {
			t.Errorf("%s: Strict-Transport-Security %q", url, got.Get("Strict-Transport-Security"))
		}
	}
}

func TestUnavailable(t *testing.T) {
	for after, want := range map[time.Duration]string{0: "1", time.Second: "1", 1500 * time.Millisecond: "2", time.Minute: "60"} {
		rec := httptest.NewRecorder()
		Unavailable(rec, after)
		if rec.Code != 503 || rec.Header().Get("Retry-After") != want {
			t.Errorf("%v: %d %q", after, rec.Code, rec.Header().Get("Retry-After"))
		}
	}
}
