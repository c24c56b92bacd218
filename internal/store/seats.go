package store

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts
	"encoding/hex"
	"encoding/json"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

var (
	//go:embed lua/seat.lua
	luaSeat string
	//go:embed lua/bind.lua
	luaBind string
	//go:embed lua/unbind.lua
	luaUnbind string

	seatKeys = []string{
		kEvents, kDevices, kExtensions, kPhones, kSeats, kSeated, kLogins, kContacts, kContactExpiry, kContactRev,
		kTraces, kReloads, kReloadDue, kDialogs, kTimers, kWarned, kDesks, kDeskOf,
	}
	bindScript   = newScript("bind", luaSeat+luaBind, seatKeys, "request")
	unbindScript = newScript("unbind", luaSeat+luaUnbind, seatKeys, "request")
)

var _ hotdesk.Seating = (*Store)(nil)

// bindArgs is the request as bind.lua reads it.
type bindArgs struct {
	MAC      directory.MAC   `json:"mac"`
	Binding  hotdesk.Binding `json:"binding"`
	Max      int             `json:"max"`
	Conflict string          `json:"conflict"`
	Occupied string          `json:"occupied"`
	Force    bool            `json:"force,omitempty"`
	Seed     string          `json:"seed"` // for session ids of owners who return
}

// unbindArgs is the request as unbind.lua reads it.
type unbindArgs struct {
	MAC          directory.MAC       `json:"mac"`
	Line         int                 `json:"line"`
	Number       string              `json:"number,omitempty"`
	Session      directory.SessionID `json:"session,omitempty"`
	Reason       hotdesk.End         `json:"reason,omitempty"`
	Trace        string              `json:"trace"`
	Door         hotdesk.Door        `json:"door,omitempty"`
	By           string              `json:"by,omitempty"`
	Force        bool                `json:"force,omitempty"`
	OwnerSession directory.SessionID `json:"owner_session"`
}

// seatAnswer is what both scripts answer.
type seatAnswer struct {
	Refused  hotdesk.Reason  `json:"refused"`
	Occupant string          `json:"occupant"`
	Since    int64           `json:"since"`
	Outcome  hotdesk.Outcome `json:"outcome"`
}

func (a seatAnswer) result() (hotdesk.Outcome, error) {
	if a.Refused == "" {
		return a.Outcome, nil
	}
	r := &hotdesk.Refused{Why: a.Refused, Occupant: a.Occupant}
	if a.Since > 0 {
		r.Since = time.UnixMilli(a.Since)
	}
	return hotdesk.Outcome{}, r
}

// Bind commits a login: who must make room is ended, the binding is written, and
// the reload of every device concerned is opened, in one step. Errors are a
// *hotdesk.Refused, or wrap hotdesk.ErrUnavailable.
func (s *Store) Bind(ctx context.Context, r hotdesk.BindRequest) (hotdesk.Outcome, error) {
	r.Binding.Line = max(r.Binding.Line, 1)
	if r.Binding.Since == 0 {
		r.Binding.Since = r.Now.UnixMilli()
	}
	args := bindArgs{
		MAC: r.Device.MAC, Binding: r.Binding, Max: max(r.Rules.MaxLogins, 1),
		Conflict: r.Rules.OnConflict, Occupied: r.Rules.OnOccupied, Force: r.Force, Seed: rand.Text(),
	}
	return s.changeSeat(ctx, bindScript, r.Device.Tenant, r.Now, r.ID, args)
}

// Unbind commits a logout. The desk's owner, if logged in nowhere, is seated in
// the same step. By "directory" ends a binding because its extension or device
// was removed, and then needs nobody's leave; remove the device first, or its
// owner returns to it. Errors are as for Bind.
func (s *Store) Unbind(ctx context.Context, r hotdesk.UnbindRequest) (hotdesk.Outcome, error) {
	if r.OwnerSession == "" {
		r.OwnerSession = newSession()
	}
	args := unbindArgs{
		MAC: r.Device.MAC, Line: max(r.Line, 1), Number: r.Number, Session: r.Session, Reason: r.Reason, Trace: r.Trace,
		Door: r.Door, By: r.By, Force: r.Force, OwnerSession: r.OwnerSession,
	}
	return s.changeSeat(ctx, unbindScript, r.Device.Tenant, r.Now, r.ID, args)
}

func (s *Store) changeSeat(ctx context.Context, sc script, t directory.TenantCode, now time.Time, id string, args any) (hotdesk.Outcome, error) {
	if id == "" {
		id = rand.Text()
	}
	var a seatAnswer
	if err := s.changeJSON(ctx, &a, sc, t, now, []string{keyRequest(t, id)}, asJSON{args}); err != nil {
		return hotdesk.Outcome{}, err
	}
	return a.result()
}

// Seats reads who sits at a device; nobody at an unknown one.
func (s *Store) Seats(ctx context.Context, d directory.DeviceID) (hotdesk.Seats, error) {
	var v hotdesk.Seats
	_, err := s.field(ctx, "seats", key(d.Tenant, kSeats), d.MAC.String(), &v)
	return v, err
}

// AllSeats reads the mapping of a tenant: who sits where, by device. Devices at
// which nobody sits are absent. It is read in parts: a change meanwhile may be
// seen at one device and not yet at another.
func (s *Store) AllSeats(ctx context.Context, t directory.TenantCode) (map[directory.MAC]hotdesk.Seats, error) {
	all := map[directory.MAC]hotdesk.Seats{}
	err := s.fields(ctx, "all_seats", key(t, kSeats), func(field, value string) error {
		mac, err := directory.ParseMAC(field)
		if err != nil {
			return err
		}
		var v hotdesk.Seats
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			return err
		}
		all[mac] = v
		return nil
	})
	return all, err
}

// Logins reads where an extension is logged in.
func (s *Store) Logins(ctx context.Context, e directory.ExtensionID) ([]directory.Seat, error) {
	var list []struct {
		MAC  directory.MAC `json:"mac"`
		Line int           `json:"line"`
	}
	if _, err := s.field(ctx, "logins", key(e.Tenant, kLogins), e.Number, &list); err != nil {
		return nil, err
	}
	seats := make([]directory.Seat, len(list))
	for i, l := range list {
		seats[i] = directory.Seat{Device: directory.DeviceID{Tenant: e.Tenant, MAC: l.MAC}, Line: l.Line}
	}
	return seats, nil
}

// newSession makes a session id: 128 random bits.
func newSession() directory.SessionID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return directory.SessionID(hex.EncodeToString(b[:]))
}
