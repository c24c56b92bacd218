package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/apply"
	"perch/internal/credential"
	"perch/internal/event"
	"perch/internal/store"
)

const (
	token = "token-of-the-test-with-enough-characters"
	desk1 = "001565aabb01"
	desk2 = "000413aabb02"
)

const office = `
tenants:
  - code: acme
    domains: [acme.test]
    sites: [{code: berlin}]
    extensions:
      - {number: "1001", name: Ada Lovelace, pin: "4321", template: senior}
      - {number: "1002", name: Grace Hopper, pin: "8642"}
    devices:
      - {mac: "00:15:65:aa:bb:01", brand: yealink, model: T46U, desk: "Desk 1", site: berlin}
      - {mac: "00:04:13:aa:bb:02", brand: snom, desk: "Desk 2"}
  - code: beta
    domains: [beta.test]
    devices: [{mac: "00:15:65:bb:bb:01"}]
`

// world is the API over the real engine and the in-process store.
type world struct {
	t       *testing.T
	url     string
	store   *store.Store
	parts   Parts
	closing chan struct{}
}

// news and written give the store the words of the interfaces.
type news struct{ *store.Store }

func (n news) Positions(ctx context.Context) (map[directory.TenantCode]string, error) {
	return n.Store.Positions(ctx)
}

func (n news) Follow(ctx context.Context, from map[directory.TenantCode]string, handle func(event.Event)) error {
	return n.Tail(ctx, from, handle)
}

type written struct{ *store.Store }

func (w written) Write(ctx context.Context, c directory.Changes, progress func(int)) error {
	var out store.Changes
	for _, t := range c.Tenants {
		if t.New != nil {
			out.Tenants = append(out.Tenants, *t.New)
		}
	}
	for _, e := range c.Extensions {
		if e.New != nil {
			out.Extensions = append(out.Extensions, *e.New)
		}
	}
	for _, d := range c.Devices {
		if d.New != nil {
			out.Devices = append(out.Devices, *d.New)
		}
	}
	for _, d := range c.Desks {
		if d.New != nil {
			out.Desks = append(out.Desks, *d.New)
		}
	}
	return w.WriteDirectory(ctx, out, progress)
}

func newWorld(t *testing.T, change func(*Parts)) *world {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	s, err := store.Open(t.Context(), store.Options{URL: store.Memory, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	key, err := credential.FromBytes(bytes.Repeat([]byte{7}, credential.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s, closing: make(chan struct{})}
	w.parts = Parts{
		Token: token, Store: s, News: news{s}, Log: quiet, Closing: w.closing,
		Applier: apply.New(written{s}, key, credential.DeviceSecret, []string{"yealink", "snom"}),
	}
	engine := hotdesk.New(hotdesk.Parts{
		Directory: s, Seating: s, Attempts: s, PINs: key, Keeper: s, News: s, Log: quiet, Session: credential.NewSessionID,
	})
	w.parts.Engine, w.parts.Policy = engine, engine
	if change != nil {
		change(&w.parts)
	}
	h, err := New(w.parts)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	w.url = srv.URL + Prefix
	if code, body := w.do("POST", "/apply?name=office.yaml", office); code != 200 || !strings.Contains(body, `"created":7`) {
		t.Fatalf("apply: %d %s", code, body)
	}
	return w
}

// do sends a request with the token and gives status and body.
func (w *world) do(method, path, body string) (int, string) {
	w.t.Helper()
	resp := w.send(method, path, body, "Bearer "+token)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (w *world) send(method, path, body, authorization string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(path, "/apply") {
			r.Header.Set("Content-Type", "application/yaml")
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

// read decodes the answer to a GET.
func read[T any](w *world, path string) T {
	w.t.Helper()
	code, body := w.do("GET", path, "")
	var out T
	if err := json.Unmarshal([]byte(body), &out); code != 200 || err != nil {
		w.t.Fatalf("GET %s: %d %s %v", path, code, body, err)
	}
	return out
}

func (w *world) login(ext, mac string) Change {
	w.t.Helper()
	code, body := w.do("POST", "/login", `{"tenant":"acme","extension":"`+ext+`","mac":"`+mac+`"}`)
	var out Change
	if err := json.Unmarshal([]byte(body), &out); code != 200 || err != nil {
		w.t.Fatalf("login: %d %s %v", code, body, err)
	}
	return out
}

func id(mac string) directory.DeviceID {
	m, _ := directory.ParseMAC(mac)
	return directory.DeviceID{Tenant: "acme", MAC: m}
}

// within fails a test that waits for too long.
func within[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
