package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

func TestEveryPathNeedsTheToken(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/mapping", "/openapi.json", "/nowhere", "/events", "/export"} {
		for _, authorization := range []string{"", "Bearer", "Bearer " + token + "x", "Basic " + token, "Bearer " + token[1:]} {
			resp := w.send("GET", path, "", authorization)
			resp.Body.Close()
			if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") == "" || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s with %q: %d %v", path, authorization, resp.StatusCode, resp.Header)
			}
		}
	}
	if _, err := New(Parts{Token: "short"}); err == nil {
		t.Error("a short token was accepted")
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, nil)
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"no such path", "GET", "/nowhere", "", 404, "no_such_path"},
		{"wrong method", "GET", "/login", "", 405, "method"},
		{"unknown field", "POST", "/login", `{"tenant":"acme","extension":"1001","mac":"001565aabb01","pin":"4321"}`, 422, "pin"},
		{"no JSON", "POST", "/login", `{`, 400, ""},
		{"nothing", "POST", "/login", `{}`, 422, "extension"},
		{"no MAC address", "POST", "/login", `{"tenant":"acme","extension":"1001","mac":"zzzzzzzzzzzz"}`, 400, "hex digits"},
		{"unknown tenant", "POST", "/login", `{"tenant":"none","extension":"1001","mac":"001565aabb01"}`, 404, "no_such_tenant"},
		{"unknown extension", "POST", "/login", `{"tenant":"acme","extension":"9999","mac":"001565aabb01"}`, 404, "bad_credentials"},
		{"unknown device", "POST", "/login", `{"tenant":"acme","extension":"1001","mac":"001565ffffff"}`, 404, "unknown_device"},
		{"unknown device, no tenant", "POST", "/login", `{"extension":"1001","mac":"001565ffffff"}`, 404, "unknown_device"},
		{"another tenant's device", "POST", "/login", `{"tenant":"beta","extension":"1001","mac":"001565aabb01"}`, 404, "unknown_device"},
		{"hostile request id", "POST", "/login", `{"extension":"1001","mac":"001565aabb01","request_id":"a\r\nb00000"}`, 422, "request_id"},
		{"a door of its own", "POST", "/login", `{"extension":"1001","mac":"001565aabb01","door":"portal"}`, 422, "door"},
		{"huge body", "POST", "/login", `{"tenant":"` + strings.Repeat("a", 65<<10) + `"}`, 413, ""},
		{"nobody there", "POST", "/logout", `{"tenant":"acme","extension":"1001"}`, 409, "nobody_here"},
		{"nobody at the desk", "POST", "/logout", `{"mac":"001565aabb01"}`, 409, "nobody_here"},
		{"logout of nothing", "POST", "/logout", `{"tenant":"acme"}`, 400, "extension"},
		{"logout without tenant", "POST", "/logout", `{"extension":"1001"}`, 400, "tenant"},
		{"reload of nothing", "POST", "/reload", `{}`, 400, "mac or a tenant"},
		{"reload of both", "POST", "/reload", `{"mac":"001565aabb01","tenant":"acme"}`, 400, "mac or a tenant"},
		{"reload of no match", "POST", "/reload", `{"tenant":"acme","brand":"mitel"}`, 404, "no_device_matches"},
		{"reload of no brand", "POST", "/reload", `{"tenant":"acme","brand":"nokia"}`, 400, "brand"},
		{"reload unknown", "POST", "/reload", `{"mac":"001565ffffff"}`, 404, "unknown_device"},
		{"rate", "POST", "/reload", `{"tenant":"acme","rate":-1}`, 422, "rate"},
		{"waits and does not", "POST", "/reload", `{"tenant":"acme","force":true,"when_idle":true}`, 400, "choose one"},
		{"no trace", "GET", "/devices/" + desk1 + "/trace", "", 404, "no_trace"},
		{"no device", "GET", "/devices/001565ffffff/trace", "", 404, "unknown_device"},
		{"no MAC", "GET", "/devices/..%2f..%2f/trace", "", 400, "mac"},
		{"unknown query", "GET", "/mapping?tenat=acme", "", 422, "tenat"},
		{"unknown tenant", "GET", "/mapping?tenant=none", "", 404, "no_such_tenant"},
		{"foreign cursor", "GET", "/devices?cursor=%21", "", 400, "cursor"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, body := w.do(tc.method, tc.path, tc.body)
			var p Problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || code != tc.status || p.Status != code || p.Title == "" || !strings.Contains(body, tc.says) {
				t.Errorf("%d %s, want %d with %q", code, body, tc.status, tc.says)
			}
		})
	}
	if rows := read[[]Mapping](w, "/mapping"); len(rows) != 0 {
		t.Errorf("a refusal changed something: %+v", rows)
	}
}

// Every reason has a status, a title and something to do.
func TestEveryReasonHasItsProblem(t *testing.T) {
	table := problems()
	for _, why := range hotdesk.Reasons() {
		if say, ok := table[why]; !ok || say.status < 400 || say.title == "" || say.detail == "" {
			t.Errorf("%s: %+v", why, say)
		}
	}
	if len(table) != len(hotdesk.Reasons()) {
		t.Error("the table has reasons that do not exist")
	}
}

// engine fails in a given way.
type engine struct{ err error }

func (e engine) Login(context.Context, hotdesk.LoginRequest) (hotdesk.Outcome, error) {
	return hotdesk.Outcome{}, e.err
}

func (e engine) Logout(context.Context, hotdesk.LogoutRequest) (hotdesk.Outcome, error) {
	return hotdesk.Outcome{}, e.err
}

func TestFaults(t *testing.T) {
	for _, tc := range []struct {
		name       string
		err        error
		status     int
		retryAfter string
	}{
		{"store away", fmt.Errorf("hotdesk: login: %w", hotdesk.ErrUnavailable), 503, "2"},
		{"locked", &hotdesk.Refused{Why: hotdesk.Locked, RetryAfter: 90_500_000_000}, 429, "91"},
		{"taken", &hotdesk.Refused{Why: hotdesk.DeskTaken}, 409, ""},
		{"a reason of tomorrow", &hotdesk.Refused{Why: "new"}, 403, ""},
		{"anything else", errors.New("secret detail"), 500, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, func(p *Parts) { p.Engine = engine{tc.err} })
			resp := w.send("POST", "/login", `{"extension":"1001","mac":"`+desk1+`"}`, "Bearer "+token)
			defer resp.Body.Close()
			var p Problem
			if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tc.status || resp.Header.Get("Retry-After") != tc.retryAfter || strings.Contains(p.Detail, "secret") ||
				resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %v %+v", resp.StatusCode, resp.Header, p)
			}
		})
	}
}

func TestOpenAPINamesEveryRoute(t *testing.T) {
	w := newWorld(t, nil)
	doc := read[struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}](w, "/openapi.json")
	for _, path := range []string{"/login", "/logout", "/reload", "/mapping", "/devices", "/devices/{mac}/trace", "/registrations", "/events", "/apply", "/export"} {
		if len(doc.Paths[path]) != 1 {
			t.Errorf("%s: %v", path, doc.Paths[path])
		}
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.") {
		t.Error(doc.OpenAPI)
	}
}

func TestToken(t *testing.T) {
	dir := t.TempDir() + "/data"
	made := 0
	fresh := func() directory.Secret { made++; return token }
	for range 2 {
		if got, err := OpenToken(dir, fresh); err != nil || got != token {
			t.Fatal(got.Reveal(), err)
		}
	}
	if made != 1 {
		t.Errorf("%d tokens made", made)
	}
	if _, err := ReadToken(t.TempDir()); err == nil {
		t.Error("a token from nowhere")
	}
	if err := Announce(dir, "http://127.0.0.1:8000"); err != nil {
		t.Fatal(err)
	}
	if url, err := Announced(dir); err != nil || url != "http://127.0.0.1:8000" {
		t.Error(url, err)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add("/login", `{"tenant":"acme","extension":"1001","mac":"001565aabb01"}`)
	f.Add("/reload", `{"tenant":"acme","rate":1e309}`)
	f.Add("/apply?name=%0d%0a", "tenants: [{code: a}]")
	f.Add("/devices?cursor=AAAA&limit=1", "")
	h, err := New(Parts{Token: token, Engine: engine{hotdesk.ErrUnavailable}, Store: away{}, News: away{}, Applier: away{}, Log: discard()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://x/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Path, r.URL.RawQuery, _ = strings.Cut(Prefix+path, "?")
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Last-Event-ID", body)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code >= 500 && w.Code != http.StatusServiceUnavailable && w.Code != http.StatusInternalServerError {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
	})
}
