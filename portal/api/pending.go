package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
	"perch/internal/apply"
	"perch/provisioning/brand"
)

// Pending is a phone that asked for its configuration and is in no directory.
type Pending struct {
	MAC       string    `json:"mac"`
	Brand     *string   `json:"brand" doc:"As far as its request tells"`
	Model     *string   `json:"model"`
	Firmware  *string   `json:"firmware"`
	UserAgent *string   `json:"user_agent" doc:"Its own words"`
	Source    string    `json:"source" doc:"Address it asked from"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

type pendingOutput struct{ Body []Pending }

func (s *server) pending(ctx context.Context, _ *struct{}) (*pendingOutput, error) {
	out := &pendingOutput{Body: []Pending{}}
	if s.Strangers == nil {
		return out, nil
	}
	waiting, err := s.Strangers.Strangers(ctx)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	for _, p := range waiting {
		out.Body = append(out.Body, Pending{
			MAC: p.MAC.String(), Brand: text(p.Brand), Model: text(p.Model), Firmware: text(p.Firmware),
			UserAgent: text(p.UserAgent), Source: p.Source, First: p.First.UTC(), Last: p.Last.UTC(),
		})
	}
	return out, nil
}

// AdoptBody takes a phone into a tenant. Brand and model may be left out where
// the phone told them.
type AdoptBody struct {
	MAC    string `json:"mac" minLength:"12" maxLength:"17"`
	Tenant string `json:"tenant,omitempty" maxLength:"32" doc:"May be left out where there is only one"`
	Brand  string `json:"brand,omitempty" maxLength:"64"`
	Model  string `json:"model,omitempty" maxLength:"64"`
	Desk   string `json:"desk,omitempty" maxLength:"255" doc:"Label of the desk"`
	Site   string `json:"site,omitempty" maxLength:"32"`
}

// Adopted is a device of the directory now.
type Adopted struct {
	Tenant   string `json:"tenant"`
	MAC      string `json:"mac"`
	Username string `json:"username" doc:"For the provisioning settings of the phone"`
	Secret   string `json:"secret" doc:"Password that goes with it; told this once"`
	URL      string `json:"url" doc:"Provisioning URL that needs no password"`
}

type adoptInput struct{ Body AdoptBody }

type adoptOutput struct{ Body Adopted }

func (s *server) adopt(ctx context.Context, in *adoptInput) (*adoptOutput, error) {
	b := in.Body
	mac, err := parseMAC(b.MAC)
	if err != nil {
		return nil, err
	}
	tenant, err := s.tenantFor(ctx, b.Tenant, directory.MAC{})
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	d := directory.Device{
		ID: directory.DeviceID{Tenant: tenant, MAC: mac}, Brand: b.Brand, Model: b.Model, Desk: b.Desk, Site: b.Site,
	}
	if err := s.complete(ctx, &d); err != nil {
		return nil, s.fault(ctx, err)
	}
	secret, err := s.Applier.Adopt(audit.With(ctx, audit.Actor{By: admin, Door: string(hotdesk.API), Detail: "adopt " + mac.String()}), d)
	var faulty *apply.Faulty
	switch {
	case errors.Is(err, apply.ErrExists), errors.As(err, &faulty):
		return nil, problem(http.StatusConflict, "exists", "Device exists", "The directory has a device with that MAC address, in this tenant or another.")
	case errors.Is(err, hotdesk.ErrNotFound):
		return nil, notFound("no_such_site", "No such site", "The tenant has no site of that code.")
	case err != nil:
		return nil, s.fault(ctx, err)
	}
	out := &adoptOutput{Adopted{Tenant: string(tenant), MAC: mac.String(), Username: mac.String(), Secret: secret.Reveal()}}
	if s.Strangers != nil {
		out.Body.URL = s.Strangers.Address(d.ID, 0)
	}
	return out, nil
}

// complete checks the brand, and takes brand and model from what the phone said
// where the admin did not.
func (s *server) complete(ctx context.Context, d *directory.Device) error {
	if s.Strangers != nil && (d.Brand == "" || d.Model == "") {
		waiting, err := s.Strangers.Strangers(ctx)
		if err != nil {
			return fmt.Errorf("api: adopt: %w", err)
		}
		for _, p := range waiting {
			if p.MAC != d.ID.MAC || (d.Brand != "" && d.Brand != p.Brand) {
				continue
			}
			d.Brand = p.Brand
			if d.Model == "" {
				d.Model = p.Model
			}
		}
	}
	if d.Brand == "" {
		return nil
	}
	name, ok := brand.ParseName(d.Brand)
	if !ok {
		return badRequest("brand: Perch knows none of that name.")
	}
	d.Brand = string(name)
	return nil
}
