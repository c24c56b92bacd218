package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/sip/location"
)

// DeviceState is how a device stands; the first that is true counts.
type DeviceState string

// The states.
const (
	StateUnknown DeviceState = "unknown" // it never fetched anything here and is not registered
	StateOffline DeviceState = "offline" // it was here, and has no contact that is still valid
	StateIdle    DeviceState = "idle"    // registered, and nobody sits there
	StateReady   DeviceState = "ready"   // somebody sits there, and its newest trace is ready
	StateBound   DeviceState = "bound"   // somebody sits there, and the phone has not followed yet
)

// Device is one row of the devices.
type Device struct {
	Tenant    string      `json:"tenant"`
	MAC       string      `json:"mac"`
	Brand     *string     `json:"brand"`
	Model     *string     `json:"model"`
	Firmware  *string     `json:"firmware"`
	Desk      *string     `json:"desk"`
	State     DeviceState `json:"state" enum:"unknown,offline,idle,ready,bound" doc:"unknown: never seen; offline: seen, but not registered now; idle: registered, nobody sits there; bound: somebody does and the phone has not followed yet; ready: it has"`
	Extension *string     `json:"extension" doc:"Who sits there, at the lowest line"`
	Drift     *bool       `json:"drift" doc:"Whether what it last fetched differs from what it would get now; null: not known"`

	Dropped *[]DroppedKey `json:"dropped" doc:"Keys of the sidecar that nobody sees on this phone; null: not known"`
	Faults  int           `json:"template_faults" doc:"Overrides of its file that were left out because they are broken"`

	device directory.Device
	phone  directory.Phone
}

type devicesOutput struct {
	Link string `header:"Link" doc:"The next part, rel=next"`
	Body []Device
}

func (s *server) devices(ctx context.Context, in *List) (*devicesOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	rows := []Device{}
	for _, t := range codes {
		some, err := s.devicesOf(ctx, t, in.Site)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		rows = append(rows, some...)
	}
	rows, link, err := page(rows, func(d Device) string { return d.Tenant + "\x00" + d.MAC }, "/devices", *in)
	if err != nil {
		return nil, err
	}
	if err := each(ctx, len(rows), func(ctx context.Context, i int) error { return s.drifted(ctx, &rows[i]) }); err != nil {
		return nil, s.fault(ctx, err)
	}
	return &devicesOutput{link, rows}, nil
}

func (s *server) devicesOf(ctx context.Context, t directory.TenantCode, site string) ([]Device, error) {
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
	live, err := s.registered(ctx, t, s.Now())
	if err != nil {
		return nil, err
	}
	var rows []Device
	err = s.Store.EachDevice(ctx, t, func(d directory.Device) error {
		if site != "" && d.Site != site {
			return nil
		}
		mac := d.ID.MAC
		phone, seen := phones[mac]
		who := lowest(seats[mac])
		rows = append(rows, Device{
			Tenant: string(t), MAC: mac.String(), Brand: text(cmp.Or(d.Brand, phone.Brand)), Model: text(cmp.Or(d.Model, phone.Model)),
			Firmware: text(phone.Firmware), Desk: text(d.Desk), Extension: text(who),
			State:  stateOf(seen, live[mac.String()], who != "", traces[mac].State),
			device: d, phone: phone,
		})
		return nil
	})
	return rows, err
}

// registered gives the devices that have a valid contact, under whatever AOR.
func (s *server) registered(ctx context.Context, t directory.TenantCode, now time.Time) (map[string]bool, error) {
	live := map[string]bool{}
	err := s.Store.EachContact(ctx, t, func(_ string, c location.Contact) error {
		if c.MAC != "" && !c.Expired(now) {
			live[c.MAC] = true
		}
		return nil
	})
	return live, err
}

func stateOf(seen, registered, bound bool, newest trace.State) DeviceState {
	switch {
	case !registered && !seen:
		return StateUnknown
	case !registered:
		return StateOffline
	case !bound:
		return StateIdle
	case newest == trace.Ready:
		return StateReady
	default:
		return StateBound
	}
}

func lowest(s hotdesk.Seats) string {
	if len(s.Bindings) == 0 {
		return ""
	}
	return slices.MinFunc(s.Bindings, func(a, b hotdesk.Binding) int { return cmp.Compare(a.Line, b.Line) }).Number
}

// drifted finds out about one device; a rendering that fails leaves null, and
// its reason in the log.
func (s *server) drifted(ctx context.Context, d *Device) error {
	if s.Standing == nil || d.phone.FetchedDigest == "" {
		return nil
	}
	stand, err := s.Standing(ctx, d.device, d.phone)
	switch {
	case errors.Is(err, hotdesk.ErrUnavailable), ctx.Err() != nil:
		return err
	case err != nil:
		s.Log.WarnContext(ctx, "drift not known", "tenant", d.Tenant, "mac", d.MAC, "err", err)
	case stand.Known:
		d.Drift, d.Faults = &stand.Drift, stand.TemplateFaults
		dropped := []DroppedKey{}
		for _, k := range stand.Dropped {
			dropped = append(dropped, DroppedKey{Type: k.Type, Value: k.Value, Label: k.Label})
		}
		d.Dropped = &dropped
	}
	return nil
}
