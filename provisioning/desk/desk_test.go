package desk

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

type secrets struct{ broken error }

func (s secrets) SIPPassword(_ directory.TenantCode, aor directory.AOR, mac directory.MAC, session directory.SessionID) directory.Secret {
	return directory.Secret(aor.String() + " " + mac.String() + " " + string(session))
}

func (s secrets) AccountPassword(_ directory.Device, aor directory.AOR) (directory.Secret, error) {
	return directory.Secret(aor.String()), s.broken
}

func (s secrets) RotatedSecret(_ directory.Device, turn int) (directory.Secret, error) {
	if turn > 0 {
		return directory.Secret(fmt.Sprintf("http %d", turn)), s.broken
	}
	return "http", s.broken
}

func (s secrets) SteadyToken(_ directory.TenantCode, _ directory.MAC, gen, turn int) string {
	return fmt.Sprintf("token %d.%d", gen, turn)
}

var now = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func records() Records {
	mac := directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1}
	return Records{
		Tenant: directory.Tenant{
			Code: "acme", Domains: []string{"acme.test", "acme.example"}, EmergencyNumbers: []string{"112"},
			Sites: []directory.Site{{Code: "berlin", TimeZone: "Europe/Berlin"}},
		},
		Device: directory.Device{ID: directory.DeviceID{Tenant: "acme", MAC: mac}, Desk: "Berlin 3.14", Site: "berlin"},
		Phone:  directory.Phone{Model: "T46U"},
		Extension: directory.Extension{
			ID: directory.ExtensionID{Tenant: "acme", Number: "1001"}, Name: "Ada",
			Keys: []directory.Key{{Type: "blf", Value: "1002"}},
		},
		Seats: hotdesk.Seats{Bindings: []hotdesk.Binding{{Session: "s1", Number: "1001", Line: 1}}},
	}
}

func TestOf(t *testing.T) {
	mac := "001565aabb01"
	cases := []struct {
		name    string
		edit    func(*Records)
		session directory.SessionID
		account brand.Account
		keys    int
		model   string
	}{
		{
			name: "bound", session: "s1", keys: 1, model: "T46U",
			account: brand.Account{User: "1001", AuthUser: mac, DisplayName: "Ada", Password: "sip:1001@acme.test 001565aabb01 s1"},
		},
		{
			name: "idle", edit: func(r *Records) { r.Seats = hotdesk.Seats{} }, model: "T46U",
			account: brand.Account{User: mac, AuthUser: mac, Password: "sip:001565aabb01@acme.test"},
		},
		{
			name: "idle, at a site with a name for it", edit: func(r *Records) {
				r.Seats, r.Tenant.Sites[0].Placeholder = hotdesk.Seats{}, "Free desk"
			}, model: "T46U",
			account: brand.Account{User: mac, AuthUser: mac, Password: "sip:001565aabb01@acme.test", DisplayName: "Free desk", Label: "Free desk"},
		},
		{
			name: "a binding that is over", edit: func(r *Records) { r.Seats.Bindings[0].Until = now.UnixMilli() }, model: "T46U",
			account: brand.Account{User: mac, AuthUser: mac, Password: "sip:001565aabb01@acme.test"},
		},
		{
			name: "somebody on another line only", edit: func(r *Records) { r.Seats.Bindings[0].Line = 2 }, model: "T46U",
			account: brand.Account{User: mac, AuthUser: mac, Password: "sip:001565aabb01@acme.test"},
		},
		{
			name: "the directory's model wins", edit: func(r *Records) { r.Device.Model = "T54W" }, session: "s1", keys: 1, model: "T54W",
			account: brand.Account{User: "1001", AuthUser: mac, DisplayName: "Ada", Password: "sip:1001@acme.test 001565aabb01 s1"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := records()
			if c.edit != nil {
				c.edit(&r)
			}
			d, session, err := Of(r, Place{URL: "http://perch.test/"}, secrets{}, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.account, d.Account); diff != "" || session != c.session {
				t.Errorf("session %q, account:\n%s", session, diff)
			}
			if len(d.Keys) != c.keys || d.Model != c.model || d.TimeZone != "Europe/Berlin" || d.Domain != "acme.test" {
				t.Errorf("desk %+v", d)
			}
			if d.Provisioning.User != mac || d.Provisioning.Password != "http" {
				t.Errorf("provisioning %+v", d.Provisioning)
			}
		})
	}
}

func TestOfSaysWhichSecretCannotBeRead(t *testing.T) {
	broken := errors.New("sealed by another key")
	if _, _, err := Of(records(), Place{}, secrets{broken}, now); !errors.Is(err, broken) {
		t.Errorf("err %v", err)
	}
}
