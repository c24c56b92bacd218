package auth

import (
	"context"
	"errors"
	"slices"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/handler"
)

// maxCandidates bounds the hashes of one request: a DECT base has many seats.
const maxCandidates = 64

// maxUser bounds a username, in bytes: longer ones name nobody.
const maxUser = 64

// verify finds the identity whose password made the answer. Every way to "no"
// hashes at least once, so that the time does not tell an unknown user.
func (a *Auth) verify(ctx context.Context, at *attempt) (handler.Identity, string, error) {
	if !at.scope.known || len(at.creds.Username) > maxUser {
		return a.nobody(at)
	}
	if mac, ok := username(at.creds.Username).mac(); ok {
		return a.verifyDevice(ctx, at, mac)
	}
	return a.verifyStatic(ctx, at)
}

// nobody spends what checking one password costs.
func (a *Auth) nobody(at *attempt) (handler.Identity, string, error) {
	t := at.scope.tenant
	at.fits(a.Secrets.SIPPassword(t.Code, t.AOR("0"), directory.MAC{}, ""))
	if !at.offered() {
		return handler.Identity{}, whyAlgorithm, nil
	}
	return handler.Identity{}, whyUnknown, nil
}

// fits checks one password.
func (at *attempt) fits(s directory.Secret) bool {
	return at.creds.Verify(s.Reveal(), at.r.Method(), at.algs...)
}

// offered tells whether the answer's algorithm is among those offered.
func (at *attempt) offered() bool { return slices.Contains(at.algs, at.creds.Algorithm) }

func (a *Auth) verifyDevice(ctx context.Context, at *attempt, mac directory.MAC) (handler.Identity, string, error) {
	d, seats, err := a.Directory.DeviceByMAC(ctx, mac)
	if errors.Is(err, hotdesk.ErrNotFound) || err == nil && d.ID.Tenant != at.scope.tenant.Code {
		return a.nobody(at)
	}
	if err != nil {
		return handler.Identity{}, "", err
	}
	if len(d.Digest) > 0 {
		at.algs = algorithms(d.Digest)
	}
	if !at.offered() {
		return handler.Identity{}, whyAlgorithm, nil
	}
	base := handler.Identity{Tenant: at.scope.tenant, Device: d, Seats: seats}
	for _, c := range candidates(seats, at.scope.user) {
		id := base
		id.Kind, id.Number, id.Line, id.Session = c.kind, c.number, c.line, c.session
		id.AOR = at.scope.tenant.AOR(c.number)
		if c.kind == handler.Device {
			id.AOR = at.scope.tenant.AOR(mac.String())
		}
		password, err := a.password(id)
		if err != nil {
			return handler.Identity{}, "", err
		}
		if at.fits(password) {
			return id, "", nil
		}
	}
	return handler.Identity{}, whyPassword, nil
}

func (a *Auth) password(id handler.Identity) (directory.Secret, error) {
	if id.Kind == handler.Device {
		return a.Secrets.AccountPassword(id.Device, id.AOR)
	}
	return a.Secrets.SIPPassword(id.Tenant.Code, id.AOR, id.Device.ID.MAC, id.Session), nil
}

// candidate is one credential that a device may hold now.
type candidate struct {
	kind    handler.Kind
	number  string
	line    int
	session directory.SessionID
}

// candidates lists what a device may answer with, the likeliest first: the
// live session that the AOR names, other live ones, the device's own account,
// sessions that are ending.
func candidates(seats hotdesk.Seats, user string) []candidate {
	out := make([]candidate, 0, 1+len(seats.Bindings)+len(seats.Ending))
	for _, b := range seats.Bindings {
		c := candidate{handler.Session, b.Number, b.Line, b.Session}
		if b.Number == user {
			out = slices.Insert(out, 0, c)
		} else {
			out = append(out, c)
		}
	}
	account := candidate{kind: handler.Device, line: 1}
	if _, ok := username(user).mac(); ok {
		out = slices.Insert(out, 0, account)
	} else {
		out = append(out, account)
	}
	for _, e := range slices.Backward(seats.Ending) { // the newest first
		out = append(out, candidate{handler.Ending, e.Number, e.Line, e.Session})
	}
	return out[:min(len(out), maxCandidates)]
}

func (a *Auth) verifyStatic(ctx context.Context, at *attempt) (handler.Identity, string, error) {
	number, err := directory.ParseNumber(at.creds.Username)
	if err != nil {
		return a.nobody(at)
	}
	ext, err := a.Directory.Extension(ctx, directory.ExtensionID{Tenant: at.scope.tenant.Code, Number: number})
	if errors.Is(err, hotdesk.ErrNotFound) {
		return a.nobody(at)
	}
	if err != nil {
		return handler.Identity{}, "", err
	}
	password, has, err := a.Secrets.StaticPassword(ext)
	if err != nil {
		return handler.Identity{}, "", err
	}
	if !has || !ext.ValidAt(a.Now()) { // a guest out of its time is nobody
		return a.nobody(at)
	}
	if !at.offered() {
		return handler.Identity{}, whyAlgorithm, nil
	}
	if !at.fits(password) {
		return handler.Identity{}, whyPassword, nil
	}
	return handler.Identity{
		Kind: handler.Static, Tenant: at.scope.tenant, Number: number, AOR: at.scope.tenant.AOR(number),
	}, "", nil
}
