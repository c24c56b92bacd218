package api

import (
	"context"
	"crypto/rand"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// admin is who did it, in bindings and events.
const admin = "admin"

// LoginBody asks for a login.
type LoginBody struct {
	Tenant    string `json:"tenant,omitempty" maxLength:"32" doc:"Tenant; may be left out: that of the device"`
	Extension string `json:"extension" minLength:"1" maxLength:"32" doc:"Number to log in"`
	MAC       string `json:"mac" minLength:"12" maxLength:"17" doc:"Device to log in at"`
	Line      int    `json:"line,omitempty" minimum:"0" maximum:"255" doc:"Line of the device; left out: 1"`
	Force     bool   `json:"force,omitempty" doc:"The reload does not wait for calls"`
	Door      string `json:"door,omitempty" enum:"api,cli" doc:"Who asks; left out: api"`
	RequestID string `json:"request_id,omitempty" pattern:"^[A-Za-z0-9_-]{8,64}$" doc:"Your id of this request: sent again, it gets the first answer and changes nothing. It becomes the trace's id"`
}

// LogoutBody asks for a logout: of an extension at one device, of an extension
// wherever it is, or of whoever sits at a device.
type LogoutBody struct {
	Tenant    string `json:"tenant,omitempty" maxLength:"32" doc:"Tenant; may be left out: that of the device, or the only one"`
	Extension string `json:"extension,omitempty" maxLength:"32" doc:"Number to log out; without mac, at every desk it is logged in at"`
	MAC       string `json:"mac,omitempty" maxLength:"17" doc:"Device to log out at; without extension, whoever sits there"`
	Line      int    `json:"line,omitempty" minimum:"0" maximum:"255" doc:"Line of the device; left out: 1"`
	Force     bool   `json:"force,omitempty" doc:"The reload does not wait for calls"`
	Door      string `json:"door,omitempty" enum:"api,cli" doc:"Who asks; left out: api"`
	RequestID string `json:"request_id,omitempty" pattern:"^[A-Za-z0-9_-]{8,64}$" doc:"Your id of this request; needs mac"`
}

// Change is what a login or logout did at one device. It is durable when it is
// answered; the trace tells when the phone has followed.
type Change struct {
	Trace     string  `json:"trace" doc:"Id of the device's trace"`
	Tenant    string  `json:"tenant"`
	MAC       string  `json:"mac"`
	Line      int     `json:"line"`
	Extension *string `json:"extension" doc:"Who sits there now; null: nobody"`
	Already   bool    `json:"already" doc:"It was so before: nothing changed"`
	Ended     []Ended `json:"ended" doc:"Bindings that this ended"`
	With      []Ended `json:"with" doc:"The other seats of the desk, which were taken together with this one"`
}

// Ended is a binding that is over.
type Ended struct {
	Extension string `json:"extension"`
	MAC       string `json:"mac"`
	Line      int    `json:"line"`
}

type loginInput struct{ Body LoginBody }

type changeOutput struct{ Body Change }

type changesOutput struct{ Body []Change }

func (s *server) login(ctx context.Context, in *loginInput) (*changeOutput, error) {
	b := in.Body
	mac, err := parseMAC(b.MAC)
	if err != nil {
		return nil, err
	}
	tenant, err := s.tenantFor(ctx, b.Tenant, mac)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	seat := directory.Seat{Device: directory.DeviceID{Tenant: tenant, MAC: mac}, Line: max(b.Line, 1)}
	out, err := s.Engine.Login(ctx, hotdesk.LoginRequest{
		ID: requestID(b.RequestID), At: s.Now(), Door: door(b.Door), Device: seat.Device, Line: seat.Line,
		Number: b.Extension, Admin: true, By: admin, Force: b.Force,
	})
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return &changeOutput{changeOf(seat, out)}, nil
}

type logoutInput struct{ Body LogoutBody }

func (s *server) logout(ctx context.Context, in *logoutInput) (*changesOutput, error) {
	b := in.Body
	mac, err := parseMAC(b.MAC)
	if err != nil {
		return nil, err
	}
	switch {
	case mac.IsZero() && b.Extension == "":
		return nil, badRequest("Name the extension, the mac, or both.")
	case mac.IsZero() && (b.RequestID != "" || b.Line > 0):
		return nil, badRequest("line and request_id need a mac.")
	}
	tenant, err := s.tenantFor(ctx, b.Tenant, mac)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	seats := []directory.Seat{{Device: directory.DeviceID{Tenant: tenant, MAC: mac}, Line: max(b.Line, 1)}}
	if mac.IsZero() {
		if seats, err = s.seatsOf(ctx, directory.ExtensionID{Tenant: tenant, Number: b.Extension}); err != nil {
			return nil, s.fault(ctx, err)
		}
	}
	return s.leave(ctx, seats, b)
}

// seatsOf gives every seat of an extension, at least one.
func (s *server) seatsOf(ctx context.Context, id directory.ExtensionID) ([]directory.Seat, error) {
	if _, err := directory.ParseNumber(id.Number); err != nil {
		return nil, badRequest("extension: " + err.Error() + ".")
	}
	seats, err := s.Store.Logins(ctx, id)
	if err == nil && len(seats) == 0 {
		err = &hotdesk.Refused{Why: hotdesk.NobodyHere}
	}
	return seats, err
}

// leave empties the seats. When one fails, those before it stay empty; the
// same request again does the rest.
func (s *server) leave(ctx context.Context, seats []directory.Seat, b LogoutBody) (*changesOutput, error) {
	out := &changesOutput{Body: []Change{}}
	gone := map[directory.Seat]bool{} // left with another seat of the desk
	for _, seat := range seats {
		if gone[seat] {
			continue
		}
		o, err := s.Engine.Logout(ctx, hotdesk.LogoutRequest{
			ID: requestID(b.RequestID), At: s.Now(), Door: door(b.Door), Device: seat.Device, Line: seat.Line,
			Number: b.Extension, By: admin, Force: b.Force,
		})
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		out.Body = append(out.Body, changeOf(seat, o))
		for _, e := range o.Ended {
			gone[e.Seat] = true
		}
	}
	return out, nil
}

func changeOf(seat directory.Seat, o hotdesk.Outcome) Change {
	c := Change{
		Trace: o.Trace, Tenant: string(seat.Device.Tenant), MAC: seat.Device.MAC.String(), Line: seat.Line,
		Already: o.Already, Ended: []Ended{}, With: []Ended{},
	}
	if o.Binding != nil {
		c.Extension = text(o.Binding.Number)
	}
	for _, e := range o.Ended {
		c.Ended = append(c.Ended, Ended{e.Binding.Number, e.Seat.Device.MAC.String(), e.Seat.Line})
	}
	for _, e := range o.With {
		c.With = append(c.With, Ended{e.Binding.Number, e.Seat.Device.MAC.String(), e.Seat.Line})
	}
	return c
}

func requestID(given string) string {
	if given == "" {
		return rand.Text()
	}
	return given
}

func door(name string) hotdesk.Door {
	if name == string(hotdesk.CLI) {
		return hotdesk.CLI
	}
	return hotdesk.API
}
