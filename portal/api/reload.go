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
	"perch/hotdesk/trace"
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
		if err := s.Store.OpenReload(ctx, story(id, d, b, now), intent(id, d, b, due), due); err != nil {
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

// target is a device and its brand, as the directory has it or the phone said.
type target struct {
	id    directory.DeviceID
	brand string
}

// targets gives the devices that match, in the order of their MACs.
func (s *server) targets(ctx context.Context, mac directory.MAC, b ReloadBody) ([]target, error) {
	if !mac.IsZero() {
		return s.single(ctx, mac)
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
	var all []target
	err = s.Store.EachDevice(ctx, codes[0], func(d directory.Device) error {
		t := target{d.ID, cmp.Or(d.Brand, phones[d.ID.MAC].Brand)}
		if name, _ := brand.ParseName(t.brand); want == "" || name == want {
			all = append(all, t)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b target) int { return slices.Compare(a.id.MAC[:], b.id.MAC[:]) })
	if err == nil && len(all) == 0 {
		err = notFound("no_device_matches", "No device matches", "The tenant has no such device: perch devices shows what there is.")
	}
	return all, err
}

func (s *server) single(ctx context.Context, mac directory.MAC) ([]target, error) {
	id, err := s.deviceID(ctx, mac)
	if err != nil {
		return nil, err
	}
	d, err := s.Store.Device(ctx, id)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return nil, noDevice()
	}
	if err != nil {
		return nil, err
	}
	p, err := s.Store.Phone(ctx, id)
	if err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
		return nil, err
	}
	return []target{{id, cmp.Or(d.Brand, p.Brand)}}, nil
}

func story(id string, d target, b ReloadBody, now time.Time) trace.Trace {
	return trace.Trace{
		ID: id, Kind: trace.Reload, Tenant: d.id.Tenant, MAC: d.id.MAC.String(), Line: 1, Door: string(door(b.Door)), Brand: d.brand,
		State: trace.Running, Started: now.UnixMilli(),
		Steps: []trace.Step{
			{Name: trace.Accepted, At: now.UnixMilli()},
			{Name: trace.Bound, At: now.UnixMilli(), Skipped: true, Detail: "a reload changes no seat"},
		},
	}
}

// intent counts the patience with calls and absent phones from when it is due.
func intent(id string, d target, b ReloadBody, due time.Time) reload.Intent {
	return reload.Intent{
		Trace: id, Tenant: d.id.Tenant, MAC: d.id.MAC.String(), Reason: "operator",
		Created: due.UnixMilli(), Force: b.Force, Reboot: b.Reboot,
	}
}
