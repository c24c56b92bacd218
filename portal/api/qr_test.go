package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// codes has one code, for desk 1, and a person called 1001 with a password.
type codes struct {
	there bool
	away  error
}

func (c *codes) Take(_ context.Context, t directory.TenantCode, code string) (QRCode, func(context.Context) error, error) {
	if c.away != nil {
		return QRCode{}, nil, c.away
	}
	if !c.there || code != "ABCDEFGH" || t != "acme" {
		return QRCode{}, nil, hotdesk.ErrNotFound
	}
	c.there = false
	mac, _ := directory.ParseMAC(desk1)
	seat := directory.Seat{Device: directory.DeviceID{Tenant: t, MAC: mac}, Line: 1}
	return QRCode{Seat: seat, Trace: "trace-of-code"}, func(context.Context) error { c.there = true; return nil }, nil
}

func (c *codes) signIn(_ context.Context, r hotdesk.SignInRequest) error {
	switch {
	case c.away != nil:
		return c.away
	case r.Source == "" || r.Door != hotdesk.Portal:
		return errors.New("no source")
	case r.Password == "locked":
		return &hotdesk.Refused{Why: hotdesk.Locked, RetryAfter: time.Minute}
	case r.Extension.Number != "1001" || r.Password != "horse":
		return &hotdesk.Refused{Why: hotdesk.BadCredentials}
	}
	return nil
}

func TestConfirmCode(t *testing.T) {
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	bearer := "Bearer " + token
	cases := []struct {
		name, code, auth, body string
		gone                   bool
		away                   error
		status                 int
		left                   bool
	}{
		{name: "a person", code: "abcd-efgh", auth: basic("1001@acme", "horse"), body: `{}`, status: 200},
		{name: "a wrong password", auth: basic("1001@acme", "mule"), body: `{}`, status: 401, left: true},
		{name: "locked", auth: basic("1001@acme", "locked"), body: `{}`, status: 429, left: true},
		{name: "another tenant", auth: basic("1001@beta", "horse"), body: `{}`, status: 404, left: true},
		{name: "no tenant", auth: basic("1001", "horse"), body: `{}`, status: 401, left: true},
		{name: "for somebody else", auth: basic("1001@acme", "horse"), body: `{"extension":"1002"}`, status: 400, left: true},
		{name: "in another tenant", auth: basic("1001@acme", "horse"), body: `{"tenant":"beta"}`, status: 400, left: true},
		{name: "an admin", auth: bearer, body: `{"tenant":"acme","extension":"1002"}`, status: 200},
		{name: "an admin for nobody", auth: bearer, body: `{"tenant":"acme"}`, status: 400, left: true},
		{name: "an admin of no tenant", auth: bearer, body: `{"extension":"1002"}`, status: 400, left: true},
		{name: "an admin for an extension that is none", auth: bearer, body: `{"tenant":"acme","extension":"1999"}`, status: 404},
		{name: "another token", auth: "Bearer no", body: `{"tenant":"acme","extension":"1002"}`, status: 401, left: true},
		{name: "nobody", auth: "", body: `{}`, status: 401, left: true},
		{name: "used", auth: bearer, body: `{"tenant":"acme","extension":"1002"}`, gone: true, status: 404},
		{name: "no code", code: "x", auth: bearer, body: `{"tenant":"acme","extension":"1002"}`, status: 422, left: true},
		{name: "the store is away", auth: basic("1001@acme", "horse"), body: `{}`, away: hotdesk.ErrUnavailable, status: 503, left: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := &codes{there: !c.gone, away: c.away}
			w := newWorld(t, func(p *Parts) { p.Codes, p.SignIn = k, k.signIn })
			code := c.code
			if code == "" {
				code = "ABCDEFGH"
			}
			res := w.send(http.MethodPost, "/qr/"+code, c.body, c.auth)
			defer res.Body.Close()
			if res.StatusCode != c.status || k.there != c.left {
				t.Errorf("%d, the code is there: %v", res.StatusCode, k.there)
			}
			if c.status >= 429 && res.StatusCode != 422 && res.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
	w := newWorld(t, func(p *Parts) { k := &codes{there: true}; p.Codes, p.SignIn = k, k.signIn })
	for _, path := range []string{"/mapping", "/devices", "/qr"} {
		res := w.send(http.MethodGet, path, "", basic("1001@acme", "horse"))
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("a person reads %s: %d", path, res.StatusCode)
		}
	}
}
