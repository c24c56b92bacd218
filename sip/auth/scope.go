package auth

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/emergency"
	"perch/sip/handler"
	"perch/sip/location"
)

// scope is the tenant that a request is for.
type scope struct {
	known  bool // false: the realm opens nothing
	tenant directory.Tenant
	realm  string
	user   string // user part of the AOR, escapes resolved
}

// scopeOf finds the tenant: of a REGISTER by To, of everything else by From. A
// domain belongs to its tenant. Where the address is our own, the MAC in the
// user part decides, else the only tenant there is. Everything else is
// challenged under a realm of its own name, as if it existed.
func (a *Auth) scopeOf(ctx context.Context, r *handler.Request) (scope, error) {
	addr := r.SIP.From().Address
	switch {
	case r.SIP.Method == "REGISTER":
		addr = r.SIP.To().Address
	case strings.EqualFold(addr.Host, "anonymous.invalid"):
		// A caller who hides is of the tenant it asks.
		addr.User, addr.Host = "", r.SIP.Recipient.Host
	}
	aor, err := location.NewAOR(addr.User, addr.Host)
	if err != nil {
		return scope{}, &handler.Status{Code: 400, Reason: "Bad Address", Why: whyMalformed}
	}
	sc := scope{realm: aor.Domain, user: aor.User}
	t, err := a.Tenants.TenantByDomain(ctx, aor.Domain)
	if errors.Is(err, hotdesk.ErrNotFound) && a.own(aor.Domain) {
		t, err = a.tenantHere(ctx, aor.User)
	}
	switch {
	case errors.Is(err, hotdesk.ErrNotFound):
		return sc, nil
	case err != nil:
		return scope{}, err
	}
	sc.known, sc.tenant, sc.realm = true, t, t.Realm
	return sc, nil
}

// tenantHere finds the tenant of an AOR whose host is our own address.
func (a *Auth) tenantHere(ctx context.Context, user string) (directory.Tenant, error) {
	if mac, ok := username(user).mac(); ok {
		d, _, err := a.Directory.DeviceByMAC(ctx, mac)
		if err == nil {
			return a.Tenants.Tenant(ctx, d.ID.Tenant)
		}
		if !errors.Is(err, hotdesk.ErrNotFound) {
			return directory.Tenant{}, err
		}
	}
	return a.Tenants.OnlyTenant(ctx)
}

// own tells our own host: an advertised name, or any IP address. Which one does
// not matter: whoever reached us wrote it, perhaps before a NAT, and it only
// decides which realm is asked for.
func (a *Auth) own(host string) bool {
	if slices.Contains(a.Hosts, host) || host == "localhost" {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// uriFits compares the digest URI with what is asked for (RFC 3261 section
// 22.4 point 5; RFC 7616 section 3.4.6). The same text always fits. Clients are
// known to leave out port, parameters or user, and to write the address they
// send to instead of the domain: the host may be any name of ours, the user
// must be the same where there is one.
func (a *Auth) uriFits(at *attempt) bool {
	asked := &at.r.SIP.Recipient
	if at.creds.URI == asked.String() {
		return true
	}
	if handler.IsService(at.creds.URI) && isEmergency(at.r, at.scope.tenant) {
		return true // as it was sent, before it became an address of ours
	}
	u, err := location.ParseURI(at.creds.URI)
	if err != nil {
		return false
	}
	want, err := location.NewAOR(asked.User, asked.Host)
	if err != nil {
		return false
	}
	if u.Host != want.Domain && !at.scope.tenant.HasDomain(u.Host) && !a.own(u.Host) {
		return false
	}
	if u.User == "" {
		return true
	}
	got, err := location.NewAOR(u.User, u.Host)
	return err == nil && got.User == want.User
}

// isEmergency tells an INVITE to an emergency number of the tenant.
func isEmergency(r *handler.Request, t directory.Tenant) bool {
	if r.SIP.Method != "INVITE" {
		return false
	}
	aor, err := location.NewAOR(r.SIP.Recipient.User, r.SIP.Recipient.Host)
	return err == nil && emergency.IsNumber(aor.User, t.EmergencyNumbers)
}

// username is the digest username, or the user part of an AOR.
type username string

// mac reads the 12 hex digits of a device.
func (u username) mac() (directory.MAC, bool) {
	if len(u) != 12 {
		return directory.MAC{}, false
	}
	m, err := directory.ParseMAC(string(u))
	return m, err == nil
}
