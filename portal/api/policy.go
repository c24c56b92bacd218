package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// Policy says which level decided what, and changes people's PINs. Refusals are a
// *hotdesk.Refused; what does not exist wraps hotdesk.ErrNotFound.
type Policy interface {
	Why(ctx context.Context, q hotdesk.Question) (hotdesk.Answer, error)
	ChangePIN(ctx context.Context, r hotdesk.PINChange) error
}

// Places reads the desks.
type Places interface {
	EachDesk(ctx context.Context, t directory.TenantCode, f func(directory.Desk) error) error
}

func (s *server) policyRoutes(a huma.API) {
	huma.Register(a, op("why", http.MethodGet, "/why", "Which level of the policy decided each setting, and what that makes of a login"), s.why)
	huma.Register(a, op("desks", http.MethodGet, "/desks", "The desks, the devices at each, and who sits there"), s.desks)
	huma.Register(a, op("pin", http.MethodPost, "/pin", "Give an extension another PIN, as an admin"), s.pin)
}

// Why is the policy as it is in force for an extension, a device, or both.
type Why struct {
	Tenant    string              `json:"tenant"`
	Extension *string             `json:"extension" doc:"Null: nobody sits at the device"`
	MAC       *string             `json:"mac"`
	Line      *int                `json:"line"`
	Desk      *string             `json:"desk" doc:"Code of the desk that lists the seat; null: none does"`
	Class     *string             `json:"class" doc:"Of that desk"`
	Site      *string             `json:"site"`
	TimeZone  string              `json:"time_zone"`
	Settings  []directory.Setting `json:"settings" doc:"Every setting with the value in force, empty where there is none, and the level that decided it: default, tenant, site, extension or device"`
	Sessions  []Session           `json:"sessions" doc:"Where the extension is logged in, or who is logged in at the device"`
	Login     *WouldBe            `json:"login" doc:"What a login would get now; null unless both extension and device are known"`
}

// Session is one binding with its end.
type Session struct {
	Extension string     `json:"extension"`
	MAC       string     `json:"mac"`
	Line      int        `json:"line"`
	Desk      *string    `json:"desk" doc:"Code of the desk whose seats were taken together"`
	Door      string     `json:"door"`
	By        *string    `json:"by"`
	Since     time.Time  `json:"since"`
	Until     *time.Time `json:"until" doc:"Null: it has no end"`
	Ends      *string    `json:"ends" doc:"What sets until: max_session, logout_at, shift, guest, reserved"`
	Rule      *string    `json:"rule" doc:"The setting behind it, with value and level"`
}

// WouldBe is what a login would get, the PIN being right.
type WouldBe struct {
	Refused    *string    `json:"refused" doc:"Reason; null: the policy lets them in. Who sits there may still have to make room"`
	Rule       *string    `json:"rule" doc:"The setting behind the refusal"`
	Until      *time.Time `json:"until" doc:"Null: the session would have no end"`
	Ends       *string    `json:"ends"`
	EndRule    *string    `json:"end_rule"`
	WarnBefore *string    `json:"warn_before" doc:"How long before its end the person is warned"`
	IdleLogout *string    `json:"idle_logout"`
}

type whyInput struct {
	Tenant    string `query:"tenant" maxLength:"32" doc:"Tenant; may be left out: that of the device, or the only one"`
	Extension string `query:"extension" maxLength:"32" doc:"Number; left out: whoever sits at the device"`
	MAC       string `query:"mac" maxLength:"17" doc:"Device; left out: settings of site and device are not among them"`
	Line      int    `query:"line" minimum:"0" maximum:"255" doc:"Line of the device; left out: 1"`
}

type whyOutput struct{ Body Why }

func (s *server) why(ctx context.Context, in *whyInput) (*whyOutput, error) {
	mac, err := parseMAC(in.MAC)
	if err != nil {
		return nil, err
	}
	if mac.IsZero() && in.Extension == "" {
		return nil, badRequest("Name the extension, the mac, or both.")
	}
	tenant, err := s.tenantFor(ctx, in.Tenant, mac)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	q := hotdesk.Question{Tenant: tenant, Number: in.Extension, Line: max(in.Line, 1)}
	if !mac.IsZero() {
		q.Device = directory.DeviceID{Tenant: tenant, MAC: mac}
	}
	a, err := s.Policy.Why(ctx, q)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	out := Why{
		Tenant: string(tenant), Extension: text(a.Number), Site: text(a.Site), TimeZone: a.Zone.String(), Settings: a.Settings,
		Sessions: []Session{}, Login: wouldBe(a.Would),
	}
	if a.Desk.ID.Code != "" {
		out.Desk, out.Class = text(a.Desk.ID.Code), text(a.Desk.Kind())
	}
	if !mac.IsZero() {
		m := mac.String()
		out.MAC, out.Line = &m, &q.Line
	}
	out.Sessions, err = s.sessions(ctx, q, a)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return &whyOutput{out}, nil
}

// sessions gives who sits at the device, or where the extension is.
func (s *server) sessions(ctx context.Context, q hotdesk.Question, a hotdesk.Answer) ([]Session, error) {
	out := []Session{}
	if !q.Device.MAC.IsZero() {
		if a.Binding != nil {
			out = append(out, sessionOf(q.Device.MAC, *a.Binding))
		}
		return out, nil
	}
	seats, err := s.Store.Logins(ctx, directory.ExtensionID{Tenant: q.Tenant, Number: q.Number})
	if err != nil {
		return nil, err
	}
	for _, seat := range seats {
		b, err := s.Policy.Why(ctx, hotdesk.Question{Tenant: q.Tenant, Device: seat.Device, Line: seat.Line})
		if err != nil && !errors.Is(err, hotdesk.ErrNotFound) { // removed meanwhile
			return nil, err
		}
		if err == nil && b.Binding != nil && b.Binding.Number == q.Number {
			out = append(out, sessionOf(seat.Device.MAC, *b.Binding))
		}
	}
	return out, nil
}

func sessionOf(mac directory.MAC, b hotdesk.Binding) Session {
	s := Session{
		Extension: b.Number, MAC: mac.String(), Line: max(b.Line, 1), Desk: text(b.Desk), Door: string(b.Door), By: text(b.By),
		Since: b.SinceTime().UTC(), Ends: text(b.Ends), Rule: text(b.Rule),
	}
	if b.Until > 0 {
		until := moment(b.Until)
		s.Until = &until
	}
	return s
}

func wouldBe(w *hotdesk.Would) *WouldBe {
	if w == nil {
		return nil
	}
	out := &WouldBe{Refused: text(w.Refused), Rule: text(w.Rule), Ends: text(w.Ends), EndRule: text(w.EndRule)}
	if !w.Until.IsZero() {
		until := w.Until.UTC()
		out.Until = &until
	}
	if w.Warn > 0 {
		out.WarnBefore = text(w.Warn.String())
	}
	if w.Idle > 0 {
		out.IdleLogout = text(w.Idle.String())
	}
	return out
}

// PlaceRow is one desk. A label that no desk has, at devices only, is a desk too.
type PlaceRow struct {
	Tenant    string              `json:"tenant"`
	Code      *string             `json:"code" doc:"Null: only devices have this label, and they do not move together"`
	Label     string              `json:"label"`
	Site      *string             `json:"site"`
	Floor     *string             `json:"floor"`
	Position  *directory.Position `json:"position"`
	Class     string              `json:"class" enum:"shared,owned,reserved,emergency-only"`
	Owner     *string             `json:"owner"`
	Devices   []string            `json:"devices" doc:"MAC of each, with /2 behind it for a second line"`
	Extension *string             `json:"extension" doc:"Who sits there; null: nobody"`
	Since     *time.Time          `json:"since"`
	Until     *time.Time          `json:"until"`
}

type desksOutput struct {
	Link string `header:"Link" doc:"The next part, rel=next"`
	Body []PlaceRow
}

func (s *server) desks(ctx context.Context, in *List) (*desksOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	rows := []PlaceRow{}
	for _, t := range codes {
		some, err := s.places(ctx, t, in.Site)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		rows = append(rows, some...)
	}
	rows, link, err := page(rows, func(r PlaceRow) string {
		return r.Tenant + "\x00" + deref(r.Site) + "\x00" + r.Label + "\x00" + deref(r.Code) + "\x00" + strings.Join(r.Devices, " ")
	}, "/desks", *in)
	if err != nil {
		return nil, err
	}
	return &desksOutput{link, rows}, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// places gives the desks of a tenant: those of the directory, then the labels of
// devices that are at none of them.
func (s *server) places(ctx context.Context, t directory.TenantCode, site string) ([]PlaceRow, error) {
	seats, err := s.Store.AllSeats(ctx, t)
	if err != nil {
		return nil, err
	}
	var rows []PlaceRow
	seated := map[directory.MAC]bool{}
	err = s.Store.EachDesk(ctx, t, func(d directory.Desk) error {
		row := PlaceRow{
			Tenant: string(t), Code: text(d.ID.Code), Label: d.Name(), Site: text(d.Site), Floor: text(d.Floor), Class: string(d.Kind()),
			Owner: text(d.Owner), Devices: []string{},
		}
		if d.Position != (directory.Position{}) {
			row.Position = &d.Position
		}
		for _, seat := range d.Seats {
			seated[seat.MAC] = true
			row.add(seat, seats[seat.MAC])
		}
		if site == "" || d.Site == site {
			rows = append(rows, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	labels := map[[2]string]*PlaceRow{}
	err = s.Store.EachDevice(ctx, t, func(d directory.Device) error {
		if seated[d.ID.MAC] || d.Desk == "" || site != "" && d.Site != site {
			return nil
		}
		at := [2]string{d.Site, d.Desk}
		if labels[at] == nil {
			labels[at] = &PlaceRow{Tenant: string(t), Label: d.Desk, Site: text(d.Site), Class: string(directory.Shared), Devices: []string{}}
		}
		if d.Owner != "" {
			labels[at].Owner = text(d.Owner)
		}
		labels[at].add(directory.DeskSeat{MAC: d.ID.MAC, Line: 1}, seats[d.ID.MAC])
		return nil
	})
	for _, row := range labels {
		slices.Sort(row.Devices)
		rows = append(rows, *row)
	}
	return rows, err
}

// add adds a seat, and who sits there.
func (r *PlaceRow) add(seat directory.DeskSeat, s hotdesk.Seats) {
	name := seat.MAC.String()
	if seat.Line > 1 {
		name = fmt.Sprintf("%s/%d", name, seat.Line)
	}
	r.Devices = append(r.Devices, name)
	b, ok := s.At(max(seat.Line, 1))
	if !ok || r.Extension != nil {
		return
	}
	since := b.SinceTime().UTC()
	r.Extension, r.Since = text(b.Number), &since
	if b.Until > 0 {
		until := moment(b.Until)
		r.Until = &until
	}
}

// PINBody asks for another PIN.
type PINBody struct {
	Tenant    string `json:"tenant,omitempty" maxLength:"32" doc:"Tenant; may be left out: the only one"`
	Extension string `json:"extension" minLength:"1" maxLength:"32" doc:"Whose PIN"`
	PIN       string `json:"pin" minLength:"1" maxLength:"32" doc:"The new one. The rules pin_min and pin_weak hold for admins too"`
	Door      string `json:"door,omitempty" enum:"api,cli" doc:"Who asks; left out: api"`
}

// PINChanged says whose PIN was changed; it is durable.
type PINChanged struct {
	Tenant    string `json:"tenant"`
	Extension string `json:"extension"`
}

type pinInput struct{ Body PINBody }

type pinOutput struct{ Body PINChanged }

func (s *server) pin(ctx context.Context, in *pinInput) (*pinOutput, error) {
	b := in.Body
	tenant, err := s.tenantFor(ctx, b.Tenant, directory.MAC{})
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	err = s.Policy.ChangePIN(ctx, hotdesk.PINChange{
		ID: requestID(""), Door: door(b.Door), Extension: directory.ExtensionID{Tenant: tenant, Number: b.Extension},
		New: directory.Secret(b.PIN), Admin: true, By: admin,
	})
	if errors.Is(err, hotdesk.ErrChanged) {
		return nil, problem(http.StatusConflict, "changed", "Changed meanwhile", "Somebody else changed this PIN at the same moment: ask again.")
	}
	if no, ok := errors.AsType[*hotdesk.Refused](err); ok && no.Why == hotdesk.WeakPIN {
		return nil, problem(http.StatusUnprocessableEntity, string(no.Why), "PIN too weak", cmp.Or(no.Rule, "It is against the PIN rules of the policy")+": choose another.")
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return &pinOutput{PINChanged{string(tenant), b.Extension}}, nil
}
