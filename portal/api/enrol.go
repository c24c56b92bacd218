package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
	"perch/hotdesk/audit"
)

// Enrolled is how a phone of the directory finds its files from now on.
type Enrolled struct {
	Tenant   string `json:"tenant"`
	MAC      string `json:"mac"`
	Username string `json:"username" doc:"For the provisioning settings of the phone"`
	Secret   string `json:"secret" doc:"Password that goes with it, where Perch made it; told this once. Empty: that of the directory file"`
	URL      string `json:"url" doc:"Provisioning URL that needs no password; good until the phone has used the one that its first file names"`
}

type enrolInput struct {
	MAC string `path:"mac" minLength:"12" maxLength:"17" doc:"MAC address, in any form"`
}

type enrolOutput struct{ Body Enrolled }

func (s *server) enrolRoutes(a huma.API) {
	huma.Register(a, op("enrol", http.MethodPost, "/devices/{mac}/enrol", "Give a device a new address for its files, as after a factory reset: whatever it fetched them by before opens nothing any more"), s.enrol)
}

func (s *server) enrol(ctx context.Context, in *enrolInput) (*enrolOutput, error) {
	mac, err := parseMAC(in.MAC)
	if err != nil {
		return nil, err
	}
	id, err := s.deviceID(ctx, mac)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	d, secret, err := s.Applier.Enrol(audit.With(ctx, audit.Actor{By: admin, Door: string(hotdesk.API), Detail: "enrol " + mac.String()}), id)
	switch {
	case errors.Is(err, hotdesk.ErrNotFound):
		return nil, noDevice()
	case err != nil:
		return nil, s.fault(ctx, err)
	}
	out := &enrolOutput{Enrolled{Tenant: string(id.Tenant), MAC: mac.String(), Username: mac.String(), Secret: secret.Reveal()}}
	if s.Strangers != nil {
		out.Body.URL = s.Strangers.Address(id, d.TokenGen)
	}
	return out, nil
}
