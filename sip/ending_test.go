package sip_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip"
	"perch/sip/handler"
)

// TestEnding: a session that is over opens nothing but an emergency call, is
// challenged and never forbidden, is no failure, and makes its reload due.
func TestEnding(t *testing.T) {
	who := make(chan handler.Identity, 1)
	armed := make(chan directory.DeviceID, 50)
	o := open(t, func(opts *sip.Options, o *office) {
		o.auth.Reloads = arms(armed)
		h := handler.Authenticated(o.auth, nil, func(_ context.Context, r *handler.Request) error {
			who <- r.Identity
			return handler.Refuse(503, "test")
		})
		opts.Handlers.Invite, opts.Handlers.Subscribe = h, h
	})
	mac := desk1.MAC.String()
	p := o.phone("udp", "1001", mac, o.login("1001", desk1))
	want(t, p.register(""), 200)
	_, err := o.store.Unbind(t.Context(), hotdesk.UnbindRequest{ID: "u", Now: time.Now(), Device: desk1, Line: 1, Trace: "t2", Door: hotdesk.CLI})
	o.must(err)

	for range 25 { // more than the lock needs
		r := p.register("")
		want(t, r, 401)
		p.challenged(r)
		if d := <-armed; d != desk1 {
			t.Fatalf("armed %v", d)
		}
	}
	want(t, p.send(p.message("SUBSCRIBE", p.authorization("SUBSCRIBE"))), 401)
	if d := <-armed; d != desk1 {
		t.Fatalf("armed %v", d)
	}
	invite := func(number string) response {
		text := p.message("INVITE", p.authorization("INVITE"))
		p.write(strings.Replace(text, "INVITE sip:acme.test", "INVITE sip:"+number+"@acme.test", 1))
		want(t, p.read(), 100)
		return p.read()
	}
	want(t, invite("1002"), 401)
	want(t, invite("%31%312"), 503)
	if id := <-who; id.Kind != handler.Ending || id.Number != "1001" {
		t.Errorf("identity %+v", id)
	}
	if len(armed) > 0 {
		t.Error("an INVITE armed the reload")
	}
}

type arms chan directory.DeviceID

func (a arms) ArmReload(_ context.Context, d directory.DeviceID, _ time.Time) error {
	a <- d
	return nil
}

// TestIdentity: whose request it is, for each kind of credential.
func TestIdentity(t *testing.T) {
	who := make(chan handler.Identity, 1)
	o := open(t, func(opts *sip.Options, o *office) {
		opts.Handlers.Subscribe = handler.Authenticated(o.auth, nil, func(_ context.Context, r *handler.Request) error {
			who <- r.Identity
			return r.Respond(489, "")
		})
	})
	mac1, mac2 := desk1.MAC.String(), desk2.MAC.String()
	session := o.login("1002", desk1)
	for _, tc := range []struct {
		user, username string
		password       directory.Secret
		want           string
	}{
		{mac1, mac1, o.account(desk1), "device " + mac1 + " line 1 caller 1002"},
		{mac2, strings.ToUpper(mac2), o.account(desk2), "device " + mac2 + " line 1 caller "},
		{"1002", mac1, session, "session 1002 line 1 caller 1002"},
		{"1001", "1001", "s3cret", "static 1001 line 0 caller 1001"},
	} {
		p := o.phone("tcp", tc.user, tc.username, tc.password)
		p.challenged(p.send(p.message("SUBSCRIBE", "")))
		want(t, p.send(p.message("SUBSCRIBE", p.authorization("SUBSCRIBE"))), 489)
		id := <-who
		if got := fmt.Sprintf("%s %s line %d caller %s", id.Kind, id.AOR.User, id.Line, id.Caller()); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.user, got, tc.want)
		}
		if id.HasDevice() != (tc.user != "1001") || id.AOR.Domain != "acme.test" {
			t.Errorf("%s: %+v", tc.user, id)
		}
	}
}
