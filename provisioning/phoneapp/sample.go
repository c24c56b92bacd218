package phoneapp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"rsc.io/qr"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/provisioning/brand"
)

// Samples names the pages that Sample draws.
func Samples() []string {
	return []string{"menu", "login", "pin", "takeover", "refused", "wait", "ready", "who", "directory", "people", "change-pin", "code"}
}

// ErrNoSample is wrapped where there is no such page, or the brand draws none.
var ErrNoSample = errors.New("phoneapp: no such page")

// Sample draws a page as a phone of the brand and model gets it, with people and a
// desk that are made up: for documents, and for who checks a dialect. The picture
// is the PNG that the page names, if it names one.
func Sample(b brand.Brand, model, page, language string) (brand.Drawn, []byte, error) {
	if b.Screen == nil {
		return brand.Drawn{}, nil, ErrNoSample
	}
	s := sample{language: language}
	h, err := New(Parts{Desk: s, Records: s, People: s, PINs: s, Codes: s, Key: make([]byte, 32), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return sampleTime }})
	if err != nil {
		return brand.Drawn{}, nil, err
	}
	out := brand.Drawn{}
	v := &visit{
		w: nowhere{http.Header{}}, r: &http.Request{Method: http.MethodGet}, ctx: context.Background(), start: sampleTime,
		home: "https://perch.example/app/token/001565aabb01/", device: directory.Device{ID: directory.DeviceID{Tenant: "acme"}, Desk: "Berlin 3.14"},
		tenant: directory.Tenant{Code: "acme", Language: language}, policy: directory.DefaultScreen(), language: language,
		items: b.MenuItems(), brand: b.Name, model: model, trace: "1a2b3c4d5e6f",
	}
	v.screen = func(p brand.Page, model string) brand.Drawn {
		out = b.Screen(p, model)
		return out
	}
	if !h.sample(v, page) {
		return brand.Drawn{}, nil, ErrNoSample
	}
	code, err := qr.Encode(s.Address("acme", sampleCode), qr.L)
	if err != nil {
		return out, nil, err
	}
	code.Scale = 4
	return out, code.PNG(), nil
}

var sampleTime = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

const sampleCode = "7K4M9X2B"

// sample shows one page.
func (h *Handler) sample(v *visit, page string) bool {
	no := &hotdesk.Refused{Why: hotdesk.AskFirst, Occupant: "1002", Since: sampleTime.Add(-70 * time.Minute)}
	switch page {
	case "menu":
		h.menu(v)
	case "login":
		v.show(h.loginForm(v, ""))
	case "pin":
		v.show(h.pinForm(v, "1001"))
	case "takeover":
		v.show(h.askPage(v, no, "sealed"))
	case "refused":
		v.show(h.refusal(v, &hotdesk.Refused{Why: hotdesk.BadCredentials}))
	case "wait":
		v.show(waiting(v, v.trace, 0, v.progress(trace.Trace{Steps: []trace.Step{{Name: trace.Fetched}}})))
	case "ready":
		v.show(h.ready(v, trace.Trace{Number: "1001"}))
	case "who":
		h.who(v)
	case "directory":
		h.directory(v)
	case "people":
		h.find(v)
	case "change-pin":
		v.show(h.changeForm(v, "", "1001", "", ""))
	case "code":
		v.show(h.codePage(v, sampleCode, 0, false))
	default:
		return false
	}
	return true
}

// sample is an office of three.
type sample struct{ language string }

func (sample) Login(context.Context, hotdesk.LoginRequest) (hotdesk.Outcome, error) {
	return hotdesk.Outcome{}, nil
}

func (sample) Logout(context.Context, hotdesk.LogoutRequest) (hotdesk.Outcome, error) {
	return hotdesk.Outcome{}, nil
}

func (sample) WhoSits(context.Context, directory.Seat) (hotdesk.Who, bool, error) {
	return hotdesk.Who{Name: "Ada Lovelace", Binding: hotdesk.Binding{Number: "1001", Since: sampleTime.Add(-time.Hour).UnixMilli()}}, true, nil
}

func (sample) Trace(context.Context, directory.DeviceID) (trace.Trace, error) {
	return trace.Trace{}, hotdesk.ErrNotFound
}

func (s sample) Tenant(context.Context, directory.TenantCode) (directory.Tenant, error) {
	return directory.Tenant{Code: "acme", Language: s.language}, nil
}

func (sample) People(context.Context, directory.TenantCode) ([]Person, error) {
	return []Person{{"1001", "Ada Lovelace"}, {"1003", "Alan Turing"}, {"1002", "Grace Hopper"}}, nil
}

func (sample) ChangePIN(context.Context, hotdesk.PINChange) error { return nil }

func (sample) New(context.Context, directory.Seat, string, string) error { return nil }

func (sample) Waits(context.Context, directory.TenantCode, string) (bool, error) { return true, nil }

func (sample) Address(t directory.TenantCode, code string) string {
	return strings.Join([]string{"https://perch.example/qr", string(t), code}, "/")
}

// nowhere takes an answer that nobody reads.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
