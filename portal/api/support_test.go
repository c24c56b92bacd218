package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
)

func TestSupportCode(t *testing.T) {
	w := newWorld(t, nil)
	mac, _ := directory.ParseMAC(desk1)
	engine := w.parts.Engine
	_, err := engine.Login(t.Context(), hotdesk.LoginRequest{
		ID: "aabbccdd0011223344", Door: hotdesk.PhoneApp, Device: directory.DeviceID{Tenant: "acme", MAC: mac}, Number: "1001", PIN: "0000", Source: "device:" + desk1,
	})
	if err == nil {
		t.Fatal("a wrong PIN logs in")
	}
	code, body := w.do("GET", "/support/AABBCCDD", "")
	if code != http.StatusOK || !strings.Contains(body, `"reason":"bad_credentials"`) || !strings.Contains(body, `"trace":null`) || strings.Contains(body, "0000") {
		t.Errorf("%d %s", code, body)
	}
	if code, body = w.do("GET", "/support/99999999", ""); code != http.StatusNotFound || !strings.Contains(body, "no_such_code") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ = w.do("GET", "/support/short", ""); code != http.StatusUnprocessableEntity {
		t.Errorf("a short code: %d", code)
	}
	if code, body = w.do("POST", "/login", `{"extension":"1001","mac":"`+desk1+`","request_id":"feedface00112233"}`); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	if code, body = w.do("GET", "/support/feedface?tenant=acme", ""); code != http.StatusOK || !strings.Contains(body, `"state":"running"`) || !strings.Contains(body, "binding.created") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ = w.do("GET", "/support/feedface?tenant=beta", ""); code != http.StatusNotFound {
		t.Errorf("another tenant's: %d", code)
	}
}

type screens struct {
	err  error
	text string
}

func (s *screens) Show(_ context.Context, _ directory.DeviceID, text string) error {
	s.text = text
	return s.err
}

func TestMessage(t *testing.T) {
	s := &screens{}
	w := newWorld(t, func(p *Parts) { p.Screens = s })
	for _, c := range []struct {
		name, body string
		err        error
		status     int
	}{
		{"taken", `{"mac":"` + desk1 + `","text":"hello"}`, nil, http.StatusNoContent},
		{"not shown", `{"mac":"` + desk1 + `","text":"hello"}`, reload.ErrNoScreen, http.StatusConflict},
		{"store away", `{"mac":"` + desk1 + `","text":"hello"}`, hotdesk.ErrUnavailable, http.StatusServiceUnavailable},
		{"unknown", `{"mac":"001565ffffff","text":"hello"}`, nil, http.StatusNotFound},
		{"no text", `{"mac":"` + desk1 + `","text":""}`, nil, http.StatusUnprocessableEntity},
		{"too long", `{"mac":"` + desk1 + `","text":"` + strings.Repeat("x", 201) + `"}`, nil, http.StatusUnprocessableEntity},
		{"a fault", `{"mac":"` + desk1 + `","text":"hello"}`, errors.New("boom"), http.StatusInternalServerError},
	} {
		s.err = c.err
		if code, body := w.do("POST", "/message", c.body); code != c.status {
			t.Errorf("%s: %d %s", c.name, code, body)
		}
	}
	if s.text != "hello" {
		t.Errorf("shown %q", s.text)
	}
}
