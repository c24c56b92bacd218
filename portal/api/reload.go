package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/provisioning/brand"
)

// ReloadBody asks for reloads: of one device, or of all that match.
type ReloadBody struct {
	MAC    string  `json:"mac,omitempty" maxLength:"17" doc:"One device"`
	Tenant string  `json:"tenant,omitempty" maxLength:"32" doc:"Every device of the tenant"`
	Brand  string  `json:"brand,omitempty" maxLength:"64" doc:"With tenant: only this brand"`
	Reboot bool    `json:"reboot,omitempty" doc:"Begin with what makes the phone reboot"`
	Rate   float64 `json:"rate,omitempty" minimum:"0" maximum:"10000" doc:"With tenant: so many devices in a second; 0 is 10"`
	// WhenIdle is what a reload does anyway; Force is its opposite.
	WhenIdle bool   `json:"when_idle,omitempty" doc:"Wait for a device's calls to end, as reloads do unless forced"`
	Force    bool   `json:"force,omitempty" doc:"Do not wait for calls"`
	Door     string `json:"door,omitempty" enum:"api,cli" doc:"Who asks; left out: api"`
}

// Reloading is what was begun.
type Reloading struct {
	Count int `json:"count" doc:"Devices that will be reloaded"`
	// Seconds until the last of them is due.
	Seconds float64  `json:"seconds" doc:"Until the last of them is due"`
	Traces  []string `json:"traces" doc:"Ids of the traces, in the order in which they are due; at most 1000"`
}

// defaultRate is how many reloads of a tenant begin in a second unless said
// otherwise; maxTraces bounds the ids in an answer.
const (
	defaultRate = 10
	maxTraces   = 1000
)

type reloadInput struct{ Body ReloadBody }

type reloadOutput struct{ Body Reloading }

func (s *server) reload(ctx context.Context, in *reloadInput) (*reloadOutput, error) {
	b := in.Body
	mac, err := parseMAC(b.MAC)
	switch {
	case err != nil:
		return nil, err
	case mac.IsZero() == (b.Tenant == ""):
		return nil, badRequest("Name either a mac or a tenant.")
	case !mac.IsZero() && (b.Brand != "" || b.Rate > 0):
		return nil, badRequest("brand and rate need a tenant.")
	case b.WhenIdle && b.Force:
		return nil, badRequest("when_idle waits for calls and force does not: choose one.")
	}
	targets, err := s.targets(ctx, mac, b)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	out := &reloadOutput{Reloading{Traces: []string{}}}
	gap := time.Duration(float64(time.Second) / cmp.Or(b.Rate, defaultRate))
	now := s.Now()
	for n, d := range targets {
		id, due := rand.Text(), now.Add(time.Duration(n)*gap)
		err := s.reloads.Request(ctx, reload.Order{ID: id, Device: d, Line: 1, Door: door(b.Door), Force: b.Force, Reboot: b.Reboot, Due: due})
		if errors.Is(err, hotdesk.ErrNotFound) && mac.IsZero() {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		out.Body.Count++
		out.Body.Seconds = due.Sub(now).Seconds()
		if n < maxTraces {
			out.Body.Traces = append(out.Body.Traces, id)
		}
	}
	return out, nil
}

// targets gives the devices that match, in the order of their MACs.
func (s *server) targets(ctx context.Context, mac directory.MAC, b ReloadBody) ([]directory.DeviceID, error) {
	if !mac.IsZero() {
		id, err := s.deviceID(ctx, mac)
		return []directory.DeviceID{id}, err
	}
	want := brand.Name("")
	if b.Brand != "" {
		var ok bool
		if want, ok = brand.ParseName(b.Brand); !ok {
			return nil, badRequest("brand: Perch knows none of that name.")
		}
	}
	codes, err := s.scope(ctx, b.Tenant)
	if err != nil {
		return nil, err
	}
	phones, err := s.Store.Phones(ctx, codes[0])
	if err != nil {
		return nil, err
	}
	var all []directory.DeviceID
	err = s.Store.EachDevice(ctx, codes[0], func(d directory.Device) error {
		if name, _ := brand.ParseName(cmp.Or(d.Brand, phones[d.ID.MAC].Brand)); want == "" || name == want {
			all = append(all, d.ID)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b directory.DeviceID) int { return slices.Compare(a.MAC[:], b.MAC[:]) })
	if err == nil && len(all) == 0 {
		err = notFound("no_device_matches", "No device matches", "The tenant has no such device: perch devices shows what there is.")
	}
	return all, err
}
