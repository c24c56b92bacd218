package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/sip/calls"
	"perch/sip/emergency"
	"perch/sip/handler"
	"perch/sip/location"
)

// town is a directory, a store of callbacks and a reader of events.
type town struct {
	tenants []directory.Tenant
	people  map[string]directory.Extension
	in      map[string]bool // logged in
	backs   map[string]directory.MAC

	mu   sync.Mutex
	news []event.Event
}

func (w *town) Tenants(context.Context) ([]directory.Tenant, error) { return w.tenants, nil }

func (w *town) Extension(_ context.Context, id directory.ExtensionID) (directory.Extension, error) {
	e, ok := w.people[id.Number]
	if !ok {
		return e, fmt.Errorf("no such: %w", hotdesk.ErrNotFound)
	}
	e.ID = id
	return e, nil
}

func (w *town) IsLoggedIn(_ context.Context, e directory.ExtensionID) (bool, error) {
	return w.in[e.Number], nil
}

func (w *town) Contacts(context.Context, directory.TenantCode, string) (location.Set, error) {
	return location.Set{}, nil
}

func (w *town) RememberCallback(_ context.Context, _ directory.TenantCode, id string, mac directory.MAC, _ time.Duration) error {
	w.backs[id] = mac
	return nil
}

func (w *town) Callback(_ context.Context, _ directory.TenantCode, id string) (directory.MAC, bool, error) {
	mac, ok := w.backs[id]
	return mac, ok, nil
}

func (w *town) Append(_ context.Context, events ...event.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.news = append(w.news, events...)
	return nil
}

// Place implements Desks.
func (w *town) Place(_ context.Context, t directory.Tenant, d directory.Device) (emergency.Place, error) {
	s, _ := t.Site(d.Site)
	return emergency.PlaceOf(d, directory.Desk{}, s), nil
}

var deskMAC = directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1}

func newTown(t testing.TB) (*town, *Router) {
	t.Helper()
	w := &town{
		tenants: []directory.Tenant{
			{
				Code: "acme", Domains: []string{"acme.test"}, EmergencyNumbers: []string{"112"},
				Upstream: &directory.Upstream{URI: "sip:pbx.test", Trusted: []string{"192.0.2.10", "2001:db8::/32"}, Emergency: true},
				Sites:    []directory.Site{{Code: "hq", EmergencyCallerID: "+4930", FrontDesk: "1000", Address: directory.Address{Country: "DE", City: "Berlin"}}},
			},
			{Code: "globex", Domains: []string{"globex.test"}, Upstream: &directory.Upstream{URI: "sip:pbx.test", Trusted: []string{"192.0.2.0/24"}}},
			{Code: "alone", Domains: []string{"alone.test"}},
		},
		people: map[string]directory.Extension{
			"1000": {}, "1001": {Name: `Ada "L"`, Upstream: &directory.UpstreamIdentity{Username: "ada"}}, "1002": {LoggedOut: &directory.LoggedOut{Forward: "1001"}},
			"1003": {LoggedOut: &directory.LoggedOut{Status: 486}}, "1004": {LoggedOut: &directory.LoggedOut{Forward: "1002"}},
			"1005": {LoggedOut: &directory.LoggedOut{Voicemail: true}}, "1006": {LoggedOut: &directory.LoggedOut{Forward: "0301"}},
			"1007": {LoggedOut: &directory.LoggedOut{Forward: "1008"}}, "1008": {LoggedOut: &directory.LoggedOut{Forward: "1007"}}, "9": {},
		},
		in: map[string]bool{}, backs: map[string]directory.MAC{},
	}
	tenants := NewTenants(w, slog.New(slog.DiscardHandler))
	if err := tenants.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := &fakePBX{t: t}
	r := NewRouter(RouterOptions{
		Client: f.client(), Tenants: tenants, People: w, Callbacks: w, Secrets: f, News: w, Log: slog.New(slog.DiscardHandler), Hosts: []string{"sip.here"},
	})
	return w, r
}

func TestFrom(t *testing.T) {
	_, r := newTown(t)
	for _, tc := range []struct{ source, uri, want string }{
		{"192.0.2.10:5060", "sip:1001@acme.test", "acme"},
		{"[2001:db8::5]:5060", "sip:1001@ACME.test.", "acme"},
		{"192.0.2.11:5060", "sip:1001@acme.test", ""},
		{"192.0.2.11:5060", "sip:1001@globex.test", "globex"},
		{"192.0.2.11:5060", "sip:1001@198.51.100.1", "globex"}, // the one that trusts it
		{"192.0.2.10:5060", "sip:1001@198.51.100.1", ""},       // two do
		{"192.0.2.10:5060", "sip:1001@sip.here;perch-tenant=acme", "acme"},
		{"192.0.2.10:5060", "sip:1001@[2001:db8::1];perch-tenant=globex", "globex"},
		{"192.0.2.11:5060", "sip:1001@sip.here;perch-tenant=acme", ""},
		{"192.0.2.10:5060", "sip:1001@sip.here;perch-tenant=alone", ""},
		{"192.0.2.10:5060", "sip:1001@elsewhere.test", ""},
		{"203.0.113.1:5060", "sip:1001@acme.test", ""},
		{"192.0.2.10:5060", "sip:1001@alone.test", ""},
		{"nonsense", "sip:1001@acme.test", ""},
	} {
		var uri sip.Uri
		if err := sip.ParseUri(tc.uri, &uri); err != nil {
			t.Fatal(err)
		}
		req := &handler.Request{SIP: sip.NewRequest(sip.INVITE, uri), Flow: location.Flow{Remote: tc.source}}
		got, ok, err := r.From(t.Context(), req)
		if string(got.Code) != tc.want || ok != (tc.want != "") || err != nil {
			t.Errorf("%s for %s: %q %t %v", tc.source, tc.uri, got.Code, ok, err)
		}
	}
}

func phone(number string) handler.Identity {
	return handler.Identity{Kind: handler.Static, Number: number}
}

func TestWay(t *testing.T) {
	w, r := newTown(t)
	acme, alone := w.tenants[0], w.tenants[2]
	for _, tc := range []struct {
		name    string
		asked   Asked
		uri     string // empty: there is no way
		from    string
		asserts string
	}{
		{"an account there", Asked{acme, phone("1001"), "030 1", location.Flow{}}, "", "", ""},
		{"a number", Asked{acme, phone("1001"), "0301", location.Flow{}}, "sip:0301@pbx.test", "sip:ada@pbx.test", `"Ada \"L\"" <sip:ada@pbx.test>`},
		{"no account there", Asked{acme, phone("9"), "*5#", location.Flow{}}, "sip:*5%23@pbx.test", "sip:9@pbx.test", "<sip:9@pbx.test>"},
		{"from there", Asked{acme, handler.Identity{}, "0301", location.Flow{}}, "", "", ""},
		{"no upstream", Asked{alone, phone("1001"), "0301", location.Flow{}}, "", "", ""},
		{"a device of ours", Asked{acme, phone("1001"), deskMAC.String(), location.Flow{}}, "", "", ""},
		{"long", Asked{acme, phone("1001"), strings.Repeat("1", 100), location.Flow{}}, "", "", ""},
	} {
		way, ok, err := r.Way(t.Context(), tc.asked)
		if err != nil || ok != (tc.uri != "") || way.URI != tc.uri || way.From != tc.from {
			t.Errorf("%s: %+v %t %v", tc.name, way, ok, err)
		}
		if ok && (way.Headers[0].Value != tc.asserts || len(way.Hops) != 2 || way.Answer == nil) {
			t.Errorf("%s: %+v", tc.name, way)
		}
	}
}

// TestAnswering: with a password a challenge is answered once, and again when
// only the nonce was old; without one the operator hears of it.
func TestAnswering(t *testing.T) {
	w, r := newTown(t)
	challenge := func(headers ...string) *sip.Response {
		res, _ := says(407, headers...)(nil)
		return res
	}
	req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", User: "0301", Host: "pbx.test"})
	way, _, err := r.Way(t.Context(), Asked{w.tenants[0], phone("1001"), "0301", location.Flow{}})
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		header string
		want   bool
	}{{proxyAnswer, true}, {`Proxy-Authenticate: Digest realm="pbx", nonce="n", stale=true`, true}, {proxyAnswer, false}, {"X: y", false}} {
		fields, ok := way.Answer(t.Context(), req, challenge(step.header))
		if ok != step.want || ok && (fields[0].Name != "Proxy-Authorization" || !strings.Contains(fields[0].Value, `username="ada"`)) {
			t.Errorf("step %d: %v %t", i, fields, ok)
		}
	}
	way, _, _ = r.Way(t.Context(), Asked{w.tenants[0], phone("9"), "0301", location.Flow{}})
	if _, ok := way.Answer(t.Context(), req, challenge(proxyAnswer)); ok {
		t.Error("answered without a password")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var why []string
	for _, e := range w.news {
		if e.Type != event.UpstreamChallenged || strings.Contains(fmt.Sprintf("%+v", e), "secret") {
			t.Errorf("%+v", e)
		}
		why = append(why, e.Number+" "+e.Reason)
	}
	slices.Sort(why)
	if want := []string{"1001 credentials", "1001 credentials", "9 no_password"}; !slices.Equal(why, want) {
		t.Error(why)
	}
}

func TestAway(t *testing.T) {
	w, r := newTown(t)
	w.in["1001"] = true
	acme := w.tenants[0]
	for _, tc := range []struct {
		number string
		caller handler.Identity
		rings  string
		uri    string
		status int
	}{
		{number: "9", caller: phone("1001")},
		{number: "1002", caller: phone("9"), rings: "1001"},
		{number: "1003", caller: phone("9"), status: 486},
		{number: "1004", caller: phone("9"), rings: "1001"},
		{number: "1005", caller: phone("9"), uri: "sip:1005@pbx.test"},
		{number: "1005"},
		{number: "1006", caller: phone("9"), uri: "sip:0301@pbx.test"},
		{number: "1006"},
		{number: "1007", caller: phone("9"), status: 480},
	} {
		way, ok, err := r.Away(t.Context(), Asked{Tenant: acme, Caller: tc.caller, Number: tc.number}, directory.Extension{
			ID: directory.ExtensionID{Tenant: "acme", Number: tc.number}, LoggedOut: w.people[tc.number].LoggedOut,
		})
		status := 0
		if s, is := errors.AsType[*handler.Status](err); is {
			status = s.Code
		}
		if status != tc.status || ok != (tc.rings != "" || tc.uri != "") || way.Extension != tc.rings || way.URI != tc.uri {
			t.Errorf("%s: %+v %t %v", tc.number, way, ok, err)
		}
	}
}

func TestCalled(t *testing.T) {
	w, r := newTown(t)
	w.backs["4940"] = deskMAC
	for number, want := range map[string]string{
		"1001": "1001", "+4940": deskMAC.String(), "004940": deskMAC.String(), "+4930": "1000", "0301": "0301", "ada": "ada",
	} {
		if got, err := r.Called(t.Context(), w.tenants[0], number); got != want || err != nil {
			t.Errorf("%s is %s, %v", number, got, err)
		}
	}
}

// TestHelp: an emergency call leaves in the name of its desk, and never without
// telling.
func TestHelp(t *testing.T) {
	w, r := newTown(t)
	h := &Help{Router: r, Desks: w}
	acme := w.tenants[0]
	desk := handler.Identity{Kind: handler.Ending, Number: "1001", Tenant: acme, Device: directory.Device{ID: directory.DeviceID{Tenant: "acme", MAC: deskMAC}, Site: "hq", Desk: "3.14"}}
	way, ok, err := h.Way(t.Context(), Asked{Tenant: acme, Caller: desk, Number: "112"})
	if err != nil || !ok || way.From != "sip:+4930@pbx.test" || way.Kind != calls.Emergency || len(way.Hops) != 2 {
		t.Fatalf("%+v %t %v", way, ok, err)
	}
	kind, body := way.Body("application/sdp", []byte("v=0\r\n"))
	if !strings.HasPrefix(kind, "multipart/mixed") || !strings.Contains(string(body), "Berlin") || w.backs["4930"] != deskMAC {
		t.Errorf("%s\n%s\n%v", kind, body, w.backs)
	}
	if way, ok, err = h.Way(t.Context(), Asked{Tenant: acme, Caller: phone("1001"), Number: "sos.police"}); err != nil || !ok || way.URI != "sip:112@pbx.test" || way.Body != nil || way.From != "sip:ada@pbx.test" {
		t.Errorf("a softphone: %+v %t %v", way, ok, err)
	}
	for _, a := range []Asked{{Tenant: acme, Caller: desk, Number: "113"}, {Tenant: acme, Number: "112"}} {
		if _, ok, err := h.Way(t.Context(), a); ok || err != nil {
			t.Errorf("%s: %t %v", a.Number, ok, err)
		}
	}
	acme.Upstream = &directory.Upstream{URI: "sip:pbx.test"}
	_, ok, err = h.Way(t.Context(), Asked{Tenant: acme, Caller: desk, Number: "112"})
	if s, is := errors.AsType[*handler.Status](err); !ok || !is || s.Code != 503 {
		t.Errorf("without a route: %t %v", ok, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range w.news {
		got = append(got, string(e.Type))
	}
	slices.Sort(got)
	if want := []string{"emergency.called", "emergency.called", "emergency.failed"}; !slices.Equal(got, want) {
		t.Error(got)
	}
}

func BenchmarkWay(b *testing.B) {
	w, r := newTown(b)
	a := Asked{w.tenants[0], phone("1001"), "0301", location.Flow{}}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := r.Way(context.Background(), a); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
