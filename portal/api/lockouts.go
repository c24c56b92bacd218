package api

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// Lockouts reads and ends what keeps people and addresses out.
type Lockouts interface {
	Lockouts(ctx context.Context, t directory.TenantCode) ([]hotdesk.Lockout, error)
	Lift(ctx context.Context, l hotdesk.Lift) (int, error)
	Bans(ctx context.Context) ([]Banned, error)
	LiftBan(ctx context.Context, a netip.Addr) (bool, error)
}

// Banned is an address to which SIP does not listen.
type Banned struct {
	Address netip.Addr
	Until   time.Time
}

// Kinds of a Lockout.
const (
	kindSource    = "source"
	kindExtension = "extension"
	kindBan       = "ban"
)

// Lockout is one thing that keeps somebody out, or will after more failures.
type Lockout struct {
	Kind      string     `json:"kind" enum:"source,extension,ban" doc:"source: failures of an extension from one source; extension: from all sources, which only delays answers; ban: an address to which SIP does not listen"`
	Tenant    *string    `json:"tenant"`
	Extension *string    `json:"extension" doc:"null: what was typed is no extension, and may be a PIN"`
	Source    *string    `json:"source" doc:"device:<mac> or an address"`
	Failures  *int       `json:"failures"`
	Locked    bool       `json:"locked" doc:"Attempts are refused now"`
	Until     *time.Time `json:"until" doc:"End of the lock or ban; null: not locked"`
	Forgets   *time.Time `json:"forgets" doc:"When the failures are forgotten"`
}

// LiftBody says what is lifted; at least one of the fields.
type LiftBody struct {
	Tenant    string `json:"tenant,omitempty" maxLength:"32" doc:"May be left out where there is only one"`
	Extension string `json:"extension,omitempty" maxLength:"32" doc:"All that is counted against this extension; with source, only from there"`
	Source    string `json:"source,omitempty" maxLength:"128" doc:"All that came from this source: device:<mac>, a MAC, or an address"`
	Address   string `json:"address,omitempty" maxLength:"64" doc:"The SIP ban of this address"`
	All       bool   `json:"all,omitempty" doc:"All that is counted in the tenant; bans stay"`
	Door      string `json:"door,omitempty" enum:"api,cli" doc:"Who asks; left out: api"`
}

// Lifted says how much was lifted.
type Lifted struct {
	Lockouts int `json:"lockouts"`
	Bans     int `json:"bans"`
}

func (s *server) lockoutRoutes(a huma.API) {
	if s.Lockouts == nil {
		return
	}
	huma.Register(a, op("lockouts", http.MethodGet, "/lockouts", "Failed PINs by extension and source, and banned addresses"), s.lockouts)
	huma.Register(a, op("lift", http.MethodPost, "/lockouts/lift", "Forget failures, end lockouts and bans"), s.lift)
}

type lockoutsInput struct {
	Tenant string `query:"tenant" maxLength:"32" doc:"Only this tenant; bans belong to none and are listed without"`
}

type lockoutsOutput struct{ Body []Lockout }

func (s *server) lockouts(ctx context.Context, in *lockoutsInput) (*lockoutsOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	out := &lockoutsOutput{Body: []Lockout{}}
	for _, t := range codes {
		list, err := s.Lockouts.Lockouts(ctx, t)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		for _, l := range list {
			out.Body = append(out.Body, lockoutOf(l, s.Now()))
		}
	}
	if in.Tenant != "" {
		return out, nil
	}
	bans, err := s.Lockouts.Bans(ctx)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	for _, b := range bans {
		until, address := b.Until.UTC(), b.Address.String()
		out.Body = append(out.Body, Lockout{Kind: kindBan, Source: &address, Locked: true, Until: &until})
	}
	return out, nil
}

func lockoutOf(l hotdesk.Lockout, now time.Time) Lockout {
	tenant, forgets, failures := string(l.Tenant), l.Forgets.UTC(), l.Failures
	out := Lockout{Kind: kindSource, Tenant: &tenant, Source: text(l.Source), Failures: &failures, Locked: l.Locked(now), Forgets: &forgets}
	if l.Known { // else it may be a PIN that was typed into the wrong field
		out.Extension = text(l.Number)
	}
	if l.Source == "" {
		out.Kind = kindExtension
	}
	if out.Locked {
		until := l.Until.UTC()
		out.Until = &until
	}
	return out
}

type liftInput struct{ Body LiftBody }

type liftOutput struct{ Body Lifted }

func (s *server) lift(ctx context.Context, in *liftInput) (*liftOutput, error) {
	b := in.Body
	if b.Extension == "" && b.Source == "" && b.Address == "" && !b.All {
		return nil, badRequest("Name an extension, a source, an address, or all.")
	}
	out := &liftOutput{}
	if b.Extension != "" || b.Source != "" || b.All {
		tenant, err := s.tenantFor(ctx, b.Tenant, directory.MAC{})
		if err == nil {
			out.Body.Lockouts, err = s.Lockouts.Lift(ctx, hotdesk.Lift{
				Tenant: tenant, Number: b.Extension, Source: sourceOf(b.Source), By: admin, Door: door(b.Door),
			})
		}
		if err != nil {
			return nil, s.fault(ctx, err)
		}
	}
	if b.Address == "" {
		return out, nil
	}
	address, err := netip.ParseAddr(b.Address)
	if err != nil {
		return nil, badRequest("address: is no IP address.")
	}
	was, err := s.Lockouts.LiftBan(ctx, address)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	if was {
		out.Body.Bans = 1
	}
	return out, nil
}

// sourceOf takes a MAC for the device it names.
func sourceOf(given string) string {
	if mac, err := directory.ParseMAC(given); err == nil {
		return "device:" + mac.String()
	}
	return given
}
