package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk/directory"
	held "perch/sip/upstream/registration"
)

// Upstreams knows what goes on with the PBXs behind the tenants, and what an
// emergency call would find.
type Upstreams interface {
	// Registrations reads what Perch holds at a tenant's PBX.
	Registrations(ctx context.Context, t directory.TenantCode) ([]held.Record, error)
	// Hops lists the next hops of a tenant's upstream as this node sees them; the
	// tenant has one entry with a Fault where there is none.
	Hops(ctx context.Context, t directory.TenantCode) ([]UpstreamHop, error)
	// EmergencyTest says for each desk of a tenant what an emergency call from
	// there would have. Nobody is called.
	EmergencyTest(ctx context.Context, t directory.TenantCode, site string) ([]EmergencyDesk, error)
}

// UpstreamHop is a next hop of a tenant's upstream.
type UpstreamHop struct {
	Tenant string     `json:"tenant"`
	URI    string     `json:"uri" doc:"Of the upstream"`
	Hop    *string    `json:"hop" doc:"transport:address:port; null: none was found"`
	State  string     `json:"state" enum:"up,down,unknown,unresolved" doc:"unknown: not asked yet"`
	Since  *time.Time `json:"since"`
	Reason *string    `json:"reason" doc:"Why it is down, or was not found"`
	Millis *int64     `json:"ms" doc:"Time of its last answer"`
}

// UpstreamRegistration is what Perch holds at a PBX for one extension.
type UpstreamRegistration struct {
	Tenant    string    `json:"tenant"`
	Extension string    `json:"extension"`
	Username  string    `json:"username" doc:"At the PBX"`
	State     string    `json:"state" enum:"registering,registered,failed,unregistering"`
	Since     time.Time `json:"since"`
	ExpiresIn *int      `json:"expires_in" doc:"Seconds for which the PBX holds it; null: it does not"`
	Hop       *string   `json:"hop" doc:"That answered last"`
	Contact   *string   `json:"contact" doc:"Where the PBX sends its calls"`
	Node      *string   `json:"node" doc:"That refreshes it"`
	Status    *int      `json:"status" doc:"Of the last answer; null: none came"`
	Reason    *string   `json:"reason" doc:"Of a failure"`
}

// Upstream is both.
type Upstream struct {
	Hops          []UpstreamHop          `json:"hops"`
	Registrations []UpstreamRegistration `json:"registrations"`
}

// EmergencyDesk is what an emergency call from one desk would have.
type EmergencyDesk struct {
	Tenant   string   `json:"tenant"`
	MAC      string   `json:"mac"`
	Desk     *string  `json:"desk"`
	Site     *string  `json:"site"`
	Route    *string  `json:"route" doc:"First next hop; null: there is none, and the call gets 503"`
	Location *string  `json:"location" doc:"The address on one line; null: the call says nothing of where it is"`
	CallerID *string  `json:"caller_id" doc:"That rings this desk; null: there is none to call back"`
	Faults   []string `json:"faults" doc:"What is missing; none: the desk passes"`
}

type upstreamOutput struct{ Body Upstream }

type emergencyOutput struct{ Body []EmergencyDesk }

func (s *server) upstreamRoutes(a huma.API) {
	if s.Upstreams == nil {
		return
	}
	huma.Register(a, op("upstream", http.MethodGet, "/upstream", "The PBXs behind the tenants: which next hops answer, and who is registered there"), s.upstream)
	huma.Register(a, op("emergency-test", http.MethodGet, "/emergency-test", "What an emergency call from each desk would have; nobody is called"), s.emergencyTest)
}

func (s *server) upstream(ctx context.Context, in *struct {
	Tenant string `query:"tenant" maxLength:"32" doc:"Only this tenant"`
},
) (*upstreamOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	out := Upstream{Hops: []UpstreamHop{}, Registrations: []UpstreamRegistration{}}
	for _, t := range codes {
		hops, err := s.Upstreams.Hops(ctx, t)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		records, err := s.Upstreams.Registrations(ctx, t)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		out.Hops = append(out.Hops, hops...)
		for _, r := range records {
			out.Registrations = append(out.Registrations, upstreamRegistration(r, s.Now()))
		}
	}
	slices.SortFunc(out.Registrations, func(a, b UpstreamRegistration) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Extension, b.Extension))
	})
	return &upstreamOutput{out}, nil
}

func upstreamRegistration(r held.Record, now time.Time) UpstreamRegistration {
	out := UpstreamRegistration{
		Tenant: string(r.Tenant), Extension: r.Number, Username: r.Username, State: string(r.State), Since: time.UnixMilli(r.Since).UTC(),
		Hop: text(r.Hop), Node: text(r.Node), Reason: text(r.Why),
	}
	if at := r.Expires(); at.After(now) {
		left := int((at.Sub(now) + time.Second - 1) / time.Second)
		out.ExpiresIn, out.Contact = &left, text(r.Contacts[0].URI)
	}
	if r.Status != 0 {
		out.Status = &r.Status
	}
	return out
}

func (s *server) emergencyTest(ctx context.Context, in *struct {
	Tenant string `query:"tenant" maxLength:"32" doc:"Only this tenant"`
	Site   string `query:"site" maxLength:"255" doc:"Only desks of this site"`
},
) (*emergencyOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	rows := []EmergencyDesk{}
	for _, t := range codes {
		some, err := s.Upstreams.EmergencyTest(ctx, t, in.Site)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		rows = append(rows, some...)
	}
	slices.SortFunc(rows, func(a, b EmergencyDesk) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.MAC, b.MAC))
	})
	return &emergencyOutput{rows}, nil
}
