package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
)

// Mapping is one row of who sits where.
type Mapping struct {
	Tenant    string    `json:"tenant"`
	Extension string    `json:"extension"`
	Name      *string   `json:"name"`
	MAC       string    `json:"mac"`
	Line      int       `json:"line"`
	Brand     *string   `json:"brand"`
	Model     *string   `json:"model"`
	Template  *string   `json:"template" doc:"The named template in force: the person's, the device's, or the brand's default; null: none"`
	Desk      *string   `json:"desk"`
	Door      string    `json:"door"`
	Since     time.Time `json:"since"`
	State     *string   `json:"state" doc:"Of the device's newest trace: running, ready, failed"`
}

type mappingOutput struct {
	Link string `header:"Link" doc:"The next part, rel=next"`
	Body []Mapping
}

func (s *server) mapping(ctx context.Context, in *List) (*mappingOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	rows := []Mapping{}
	for _, t := range codes {
		some, err := s.mapped(ctx, t, in.Site)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		rows = append(rows, some...)
	}
	rows, link, err := page(rows, func(m Mapping) string {
		return fmt.Sprintf("%s\x00%s\x00%s\x00%03d", m.Tenant, m.Extension, m.MAC, m.Line)
	}, "/mapping", *in)
	if err != nil {
		return nil, err
	}
	if err := each(ctx, len(rows), func(ctx context.Context, i int) error {
		if err := s.named(ctx, &rows[i]); err != nil {
			return err
		}
		return s.byDefault(ctx, &rows[i])
	}); err != nil {
		return nil, s.fault(ctx, err)
	}
	return &mappingOutput{link, rows}, nil
}

// mapped gives the rows of a tenant, without what the extension adds.
func (s *server) mapped(ctx context.Context, t directory.TenantCode, site string) ([]Mapping, error) {
	seats, err := s.Store.AllSeats(ctx, t)
	if err != nil {
		return nil, err
	}
	traces, err := s.Store.AllTraces(ctx, t)
	if err != nil {
		return nil, err
	}
	phones, err := s.Store.Phones(ctx, t)
	if err != nil {
		return nil, err
	}
	var rows []Mapping
	err = s.Store.EachDevice(ctx, t, func(d directory.Device) error {
		if site != "" && d.Site != site {
			return nil
		}
		for _, b := range seats[d.ID.MAC].Bindings {
			rows = append(rows, row(d, phones[d.ID.MAC], b, traces))
		}
		return nil
	})
	return rows, err
}

func row(d directory.Device, p directory.Phone, b hotdesk.Binding, traces map[directory.MAC]trace.Trace) Mapping {
	return Mapping{
		Tenant: string(d.ID.Tenant), Extension: b.Number, MAC: d.ID.MAC.String(), Line: max(b.Line, 1),
		Brand: text(cmp.Or(d.Brand, p.Brand)), Model: text(cmp.Or(d.Model, p.Model)), Template: text(d.Template), Desk: text(d.Desk),
		Door: string(b.Door), Since: b.SinceTime().UTC(), State: text(traces[d.ID.MAC].State),
	}
}

// named adds the name, and the person's own template, which goes before the
// device's.
func (s *server) named(ctx context.Context, m *Mapping) error {
	e, err := s.Store.Extension(ctx, directory.ExtensionID{Tenant: directory.TenantCode(m.Tenant), Number: m.Extension})
	if errors.Is(err, hotdesk.ErrNotFound) { // removed meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	m.Name = text(e.Name)
	if e.Template != "" {
		m.Template = text(e.Template)
	}
	return nil
}

// byDefault adds the brand's own template where nobody chose one.
func (s *server) byDefault(ctx context.Context, m *Mapping) error {
	if m.Template != nil || m.Brand == nil || s.Templates == nil {
		return nil
	}
	t, err := s.Store.Tenant(ctx, directory.TenantCode(m.Tenant))
	if errors.Is(err, hotdesk.ErrNotFound) { // removed meanwhile
		return nil
	}
	if err == nil {
		m.Template = text(s.Templates.Chosen(t, *m.Brand))
	}
	return err
}
