package api

import (
	"context"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/location"
)

// Registration is one contact that is registered.
type Registration struct {
	AOR       string  `json:"aor"`
	Contact   string  `json:"contact" doc:"As the phone registered it"`
	UserAgent *string `json:"user_agent"`
	Transport string  `json:"transport"`
	Source    string  `json:"source" doc:"ip:port its REGISTER came from"`
	Node      *string `json:"node" doc:"Node that holds the flow to it"`
	MAC       *string `json:"mac" doc:"null: registered with a static password, by no device"`
	ExpiresIn int     `json:"expires_in" doc:"Seconds"`

	tenant directory.TenantCode
}

type registrationsOutput struct {
	Link string `header:"Link" doc:"The next part, rel=next"`
	Body []Registration
}

func (s *server) registrations(ctx context.Context, in *List) (*registrationsOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	rows := []Registration{}
	for _, t := range codes {
		some, err := s.registrationsOf(ctx, t, in.Site)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		rows = append(rows, some...)
	}
	rows, link, err := page(rows, func(r Registration) string {
		return string(r.tenant) + "\x00" + r.AOR + "\x00" + r.Contact + "\x00" + r.Source
	}, "/registrations", *in)
	if err != nil {
		return nil, err
	}
	return &registrationsOutput{link, rows}, nil
}

func (s *server) registrationsOf(ctx context.Context, t directory.TenantCode, site string) ([]Registration, error) {
	here := map[string]bool{}
	if site != "" {
		err := s.Store.EachDevice(ctx, t, func(d directory.Device) error {
			here[d.ID.MAC.String()] = d.Site == site
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	live, err := s.liveSessions(ctx, t)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	var rows []Registration
	err = s.Store.EachContact(ctx, t, func(_ string, c location.Contact) error {
		over := c.Session != "" && !live[c.Session]
		if !over && !c.Expired(now) && (site == "" || here[c.MAC]) {
			rows = append(rows, registration(t, c, now))
		}
		return nil
	})
	return rows, err
}

// liveSessions are those of everybody who sits somewhere. The contact of a
// session that has ended is kept to reach its phone by, until that registers
// otherwise; nobody is registered by it.
func (s *server) liveSessions(ctx context.Context, t directory.TenantCode) (map[directory.SessionID]bool, error) {
	all, err := s.Store.AllSeats(ctx, t)
	if err != nil {
		return nil, err
	}
	live := map[directory.SessionID]bool{}
	for _, seats := range all {
		for _, b := range seats.Bindings {
			live[b.Session] = true
		}
	}
	return live, nil
}

func registration(t directory.TenantCode, c location.Contact, now time.Time) Registration {
	left := time.UnixMilli(c.Expires).Sub(now)
	return Registration{
		AOR: c.AOR.String(), Contact: c.URI, UserAgent: text(c.UserAgent), Transport: c.Flow.Transport, Source: c.Flow.Remote,
		Node: text(c.Flow.Node), MAC: text(c.MAC), ExpiresIn: int((left + time.Second - 1) / time.Second), tenant: t,
	}
}
