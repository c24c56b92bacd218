// Package desk says what a device's configuration is to hold right now: who
// sits there, the account that goes with it, the keys, the time zone. It is
// pure: the same records give the same brand.Desk, and so the same bytes. It
// knows no HTTP and no store.
package desk

import (
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// Secrets makes the passwords that a configuration carries.
type Secrets interface {
	SIPPassword(tenant directory.TenantCode, aor directory.AOR, mac directory.MAC, session directory.SessionID) directory.Secret
	AccountPassword(d directory.Device, aor directory.AOR) (directory.Secret, error)
	RotatedSecret(d directory.Device, turn int) (directory.Secret, error)
	SteadyToken(tenant directory.TenantCode, mac directory.MAC, gen, turn int) string
}

// Records are what is known of one device. Extension is that of the binding on
// line 1; it is zero at an idle device.
type Records struct {
	Tenant    directory.Tenant
	Device    directory.Device
	Phone     directory.Phone
	Seats     hotdesk.Seats
	Proofs    directory.Proofs // as they are stored
	Steady    bool             // the brand restarts when they change: they stay once it is enrolled
	Extension directory.Extension
}

// Seated gives the number whose extension Records needs, and false for an idle
// device.
func Seated(s hotdesk.Seats, now time.Time) (hotdesk.Binding, bool) {
	b, ok := s.At(1)
	if !ok || (b.Until > 0 && b.Until <= now.UnixMilli()) {
		return hotdesk.Binding{}, false
	}
	return b, true
}

// Turn gives the proofs that the file made from these records carries: who
// writes it keeps them, before the phone has it.
func (r Records) Turn(now time.Time) directory.Proofs {
	b, _ := Seated(r.Seats, now)
	return r.Proofs.Within(r.Device.TokenGen).Next(b.Session, r.Steady, r.Device.MadeSecret())
}

// Place is where the phone finds Perch.
type Place struct {
	Server brand.Server
	URL    string // of its configuration, ending in a slash
	Root   string // of the server, ending in a slash, where URL is empty; empty: as the phone's request came
	NTP    string // empty: the phone's own
}

// Of gives the desk and the session whose account it carries; the session is
// empty for the device account.
func Of(r Records, at Place, secrets Secrets, now time.Time) (brand.Desk, directory.SessionID, error) {
	mac := r.Device.ID.MAC
	proofs := r.Turn(now)
	made := 0
	if r.Device.MadeSecret() {
		made = proofs.Handed
	}
	password, err := secrets.RotatedSecret(r.Device, made)
	if err != nil {
		return brand.Desk{}, "", fmt.Errorf("desk: HTTP secret: %w", err)
	}
	site, _ := r.Tenant.Site(r.Device.Site)
	d := brand.Desk{
		MAC: mac, Model: model(r), Label: r.Device.Desk, Domain: r.Tenant.Domain(), Server: at.Server,
		FeatureCodes: r.Tenant.FeatureCodes, EmergencyNumbers: r.Tenant.EmergencyNumbers, TimeZone: site.TimeZone, NTPServer: at.NTP,
		Provisioning: brand.Provisioning{URL: at.URL, Root: at.Root, User: mac.String(), Password: password},
	}
	d.Provisioning.Token = directory.Secret(secrets.SteadyToken(r.Tenant.Code, mac, r.Device.TokenGen, proofs.Handed))
	b, bound := Seated(r.Seats, now)
	if !bound {
		r.Extension = directory.Extension{}
	}
	d.Custom = custom(r)
	policy := directory.Resolve(r.Tenant.Policy, site.Policy, r.Extension.Policy, r.Device.Policy)
	d.DoorKey = *policy.LoginKey
	// The extension has no say: its policy would change what the phone takes while it sits there.
	seats := directory.Resolve(r.Tenant.Policy, site.Policy, r.Device.Policy).Screen
	d.Push, d.IdleLogin = seats.Messages(), *seats.IdleLogin
	if !bound {
		d.Account, err = idle(r, secrets, site.Placeholder)
		return d, "", err
	}
	d.Bound, d.Keys = true, r.Extension.Keys
	d.Account = brand.Account{
		User: b.Number, AuthUser: mac.String(), DisplayName: r.Extension.Name,
		Password: secrets.SIPPassword(r.Tenant.Code, r.Tenant.AOR(b.Number), mac, b.Session),
	}
	return d, b.Session, nil
}

// idle is the device account: the phone nobody sits at, under the name that its
// site gives such a desk, if it does.
func idle(r Records, secrets Secrets, name string) (brand.Account, error) {
	mac := r.Device.ID.MAC
	password, err := secrets.AccountPassword(r.Device, r.Tenant.AOR(mac.String()))
	if err != nil {
		return brand.Account{}, fmt.Errorf("desk: device account: %w", err)
	}
	return brand.Account{User: mac.String(), AuthUser: mac.String(), Password: password, DisplayName: name, Label: name}, nil
}

// model is what the directory says, else what the phone said of itself.
func model(r Records) string {
	if r.Device.Model != "" {
		return r.Device.Model
	}
	return r.Phone.Model
}
