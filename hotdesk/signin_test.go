package hotdesk

import (
	"context"
	"errors"
	"testing"

	"perch/hotdesk/directory"
)

// passwords takes the text that is kept.
type passwords struct{ asked int }

func (p *passwords) CheckPassword(_ context.Context, kept directory.Kept, _ directory.ExtensionID, s directory.Secret) (bool, error) {
	p.asked++
	return kept.Value == s.Reveal(), nil
}

func TestSignIn(t *testing.T) {
	cases := []struct {
		name, number, password string
		prior                  int
		why                    Reason
	}{
		{name: "right", number: "1001", password: "horse"},
		{name: "wrong", number: "1001", password: "mule", why: BadCredentials},
		{name: "unknown", number: "1999", password: "horse", why: BadCredentials},
		{name: "has none, and none is sent", number: "1002", password: "", why: BadCredentials},
		{name: "no number", number: "1 001", password: "horse", why: BadCredentials},
		{name: "locked", number: "1001", password: "horse", prior: 5, why: Locked},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice()
			ada := o.exts["1001"]
			ada.Password = directory.Kept{Value: "horse"}
			o.exts["1001"] = ada
			o.fails["1001"+"192.0.2.7"] = c.prior
			p := &passwords{}
			err := o.engine().SignIn(t.Context(), p, SignInRequest{
				ID: "t1", Door: Portal, Extension: directory.ExtensionID{Tenant: acme, Number: c.number}, Password: directory.Secret(c.password), Source: "192.0.2.7",
			})
			no, refused := errors.AsType[*Refused](err)
			if c.why == "" {
				if err != nil || o.cleared != 1 || len(o.events) != 0 {
					t.Fatalf("%v, cleared %d, %+v", err, o.cleared, o.events)
				}
				return
			}
			if !refused || no.Why != c.why || len(o.events) != 1 {
				t.Fatalf("%v, events %+v", err, o.events)
			}
			if e := o.events[0]; e.Number != "" || e.MAC != "" || e.Reason != string(c.why) || e.Door != string(Portal) {
				t.Errorf("event %+v", e)
			}
			if (c.why == Locked || c.name == "no number") != (p.asked == 0) {
				t.Errorf("asked %d", p.asked)
			}
		})
	}
}

// Who was vouched for needs no PIN, and is held by every rule.
func TestVouched(t *testing.T) {
	o := newOffice()
	r := LoginRequest{ID: "t1", Door: Portal, Device: desk, Number: "1003", Vouched: true}
	if _, err := o.engine().Login(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if len(o.bound) != 1 || o.bound[0].Rules.OnOccupied != directory.Replace || o.checks != 0 {
		t.Errorf("%+v, %d PINs checked", o.bound, o.checks)
	}
	o.tenant.Policy.Sites = []string{"munich"}
	if _, err := o.engine().Login(t.Context(), r); !errors.As(err, new(*Refused)) {
		t.Errorf("a site that is not allowed: %v", err)
	}
	r.Number = "1999"
	o.tenant.Policy.Sites = nil
	if no, ok := errors.AsType[*Refused](func() error { _, err := o.engine().Login(t.Context(), r); return err }()); !ok || no.Why != BadCredentials {
		t.Errorf("nobody: %v", no)
	}
}
