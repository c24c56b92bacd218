package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/internal/apply"
	"perch/portal/api"
)

// serving gives a client of a server that answers every request alike.
func serving(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return New(s.URL+"/", "the-token", nil)
}

func TestRequestsCarryTheToken(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token" || r.URL.Path != "/api/v1/mapping" || r.URL.Query().Get("tenant") != "a&b" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		fmt.Fprint(w, `[{"extension":"1001","name":null}]`)
	})
	rows, err := c.Mapping(t.Context(), Filter{Tenant: "a&b"})
	if err != nil || len(rows) != 1 || rows[0].Extension != "1001" || rows[0].Name != nil {
		t.Error(rows, err)
	}
}

func TestErrorsReadAsTheServerPutThem(t *testing.T) {
	for _, tc := range []struct {
		name, contentType, body string
		status                  int
		want                    string
	}{
		{"a problem", "application/problem+json", `{"title":"Desk taken","detail":"Log them out.","reason":"desk_taken"}`, 409, "Desk taken: Log them out."},
		{"a hostile one", "application/problem+json", `{"title":"a\u001b[2J","detail":"b\u2028c"}`, 400, "a?[2J: b?c"},
		{"details", "application/problem+json", `{"title":"Unprocessable Entity","errors":[{"message":"too long","location":"body.mac"},null]}`, 422, "body.mac: too long"},
		{"another server's page", "text/html", "<h1>no</h1>", 502, "the server answers 502 Bad Gateway"},
		{"no success", "application/json", "", 302, "the server answers 302 Found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := serving(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.contentType)
				w.Header().Set("Location", "http://elsewhere.test/") // is not followed: the token stays here
				w.WriteHeader(tc.status)
				fmt.Fprint(w, tc.body)
			})
			_, err := c.Login(t.Context(), api.LoginBody{})
			refused, ok := errors.AsType[*Refused](err)
			if !ok || refused.Status != tc.status || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c := New(s.URL, "the-token", nil)
	if _, err := c.Devices(t.Context(), Filter{}); !errors.Is(err, ErrNotRunning) || strings.Contains(err.Error(), "the-token") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Devices(ctx, Filter{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSomethingElseAnswers(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	if _, err := c.Trace(t.Context(), directory.MAC{1}); err == nil || !strings.Contains(err.Error(), "something else than Perch") {
		t.Error(err)
	}
}

func TestApply(t *testing.T) {
	for _, tc := range []struct{ name, answer, want string }{
		{"report", `{"phase":"write","done":1,"total":2}` + "\n" + `{"report":{"counts":{"created":2}}}`, ""},
		{"faults", `{"faults":[{"file":"f","line":3,"key":"k","message":"m"}]}`, "f:3: k: m"},
		{"problem", `{"problem":{"title":"Store unavailable","status":503}}`, "Store unavailable"},
		{"cut off", `{"phase":"write","done":1,"total":2}`, "apply the same file again"},
		{"nonsense", `nonsense`, "apply: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := serving(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if string(body) != "file" || r.URL.RawQuery != "dry_run=true&name=f" {
					t.Errorf("%s %s", body, r.URL.RawQuery)
				}
				fmt.Fprintln(w, tc.answer)
			})
			report, err := c.Apply(t.Context(), strings.NewReader("file"), ApplyOptions{Name: "f", DryRun: true}, func(string, int, int) {})
			if tc.want == "" && (err != nil || report.Counts.Created != 2) {
				t.Error(report, err)
			}
			if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Error(err)
			}
			if _, faulty := errors.AsType[*apply.Faulty](err); faulty != (tc.name == "faults") {
				t.Errorf("%T", err)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Last-Event-ID") != "acme 1-0" || r.URL.RawQuery != "mac=001565aabb01" {
			t.Errorf("%v %s", r.Header, r.URL)
		}
		fmt.Fprint(w, "retry: 1000\n\n: alive\n\nid: acme 2-0\nevent: trace.ready\ndata: {\"type\":\"trace.ready\",\"ms\":5}\n\n")
	})
	e, err := c.Events(t.Context(), "", "001565aabb01", "acme 1-0")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if ev, err := e.Next(); err != nil || ev.Type != "trace.ready" || ev.Millis != 5 || e.Last() != "acme 2-0" {
		t.Error(ev, err, e.Last())
	}
	if _, err := e.Next(); err == nil {
		t.Error("the end of the stream is no event")
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("id: a\ndata: {}\n\n")
	f.Add("data: \n\ndata: {\"at\":1}\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, stream) }))
		defer s.Close()
		e, err := New(s.URL, "the-token", nil).Events(t.Context(), "", "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		for range 1000 {
			if _, err := e.Next(); err != nil {
				return
			}
		}
	})
}
