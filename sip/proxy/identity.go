package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/calls"
	"perch/sip/handler"
	"perch/sip/location"
)

// caller is in whose name a request goes on.
type caller struct {
	tenant   directory.Tenant
	identity handler.Identity // zero: the upstream
	upstream bool
	number   string // of the extension; empty: an idle desk, or the upstream
	name     string // of the extension
	from     string // URI for From; empty: as it is
	display  string // for From, where from is set
	privacy  privacy
}

// caller finds out who calls by what was authenticated, not by what the request
// says.
func (p *Proxy) caller(ctx context.Context, r *handler.Request) (caller, error) {
	id := r.Identity
	c := caller{tenant: id.Tenant, identity: id, number: id.Caller(), privacy: privacyOf(r.Values("Privacy"))}
	if c.number != "" {
		e, err := p.Directory.Extension(ctx, directory.ExtensionID{Tenant: id.Tenant.Code, Number: c.number})
		if err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
			return c, fmt.Errorf("proxy: caller: %w", err)
		}
		c.name = e.Name
	}
	switch {
	case c.privacy.user || c.privacy.header:
		c.from, c.display = anonymous, "Anonymous"
	case id.Kind == handler.Device && c.number != "":
		// A bound device that still registers with its own account: calls are
		// its extension's all the same.
		c.from, c.display = id.Tenant.AOR(c.number).String(), c.name
	}
	return c, nil
}

// speaks tells whether the From of a phone is its own: the address that it
// registers with or the extension that sits there, or nobody's (RFC 3323).
func (c caller) speaks(r *handler.Request, own func(string) bool) bool {
	from := r.SIP.From().Address
	if strings.EqualFold(from.Host, "anonymous.invalid") {
		return true
	}
	aor, err := location.NewAOR(from.User, from.Host)
	if err != nil || !c.tenant.HasDomain(aor.Domain) && !own(aor.Domain) {
		return false
	}
	return aor.User != "" && (aor.User == c.number || aor.User == c.identity.Number || aor.User == c.identity.MAC())
}

// asserted is the P-Asserted-Identity of the caller (RFC 3325 section 9.1), from
// the binding; empty where there is none or it is not to be shown.
func (c caller) asserted() string {
	if c.number == "" || c.privacy.hides() {
		return ""
	}
	return assertion(c.tenant, c.number, c.name)
}

// assertion writes an identity.
func assertion(t directory.Tenant, number, name string) string {
	value := "<" + t.AOR(number).String() + ">"
	if name != "" {
		value = quoted(name) + " " + value
	}
	return value
}

// party is the caller as the tracker knows it.
func (c caller) party(r *handler.Request) calls.Party {
	p := calls.Party{Number: c.number, MAC: c.identity.MAC(), Display: c.name, Private: c.privacy.hides()}
	from := r.SIP.From()
	if p.URI = from.Address.String(); c.number != "" {
		p.URI = c.tenant.AOR(c.number).String()
	}
	if p.Display == "" {
		p.Display = from.DisplayName
	}
	return p
}

// leg is the caller's side of the dialog.
func (c caller) leg(r *handler.Request) leg {
	l := leg{Flow: r.Flow, Tenant: c.tenant.Code, MAC: c.identity.MAC(), Hop: c.upstream}
	if l.MAC == "" && !l.Hop {
		l.Number = c.number
	}
	return l
}
