package store

import (
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"time"

	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
)

var (
	//go:embed lua/directory_put.lua
	luaPut string
	//go:embed lua/directory_drop.lua
	luaDrop string

	putScript  = newScript("directory_put", luaPut, append([]string{kEvents, kTenant, kExtensions, kDevices, kTodo}, auditKeys...))
	dropScript = newScript("directory_drop", luaDrop, append([]string{
		kEvents, kTenant, kExtensions, kDevices, kPhones, kSeats, kSeated, kLogins, kContacts, kContactExpiry, kContactRev,
		kSubscriptions, kSubExpiry, kTraces, kReloads, kReloadDue, kDialogs, kTodo, kTimers, kActive, kWarned,
		kCalls, kCallDue, kCallsPast, kCallsPastDue, kLamps, kProofs, kDesks, kDeskOf, kLockouts, kGuessed,
	}, auditKeys...))
)

// Changes are what WriteDirectory makes of the directory: records to put, as
// they shall be, and ids to remove. What is removed goes first, so that a
// device may move to another tenant. Removing a tenant removes all it has.
type Changes struct {
	Tenants        []directory.Tenant
	Extensions     []directory.Extension
	Devices        []directory.Device
	Desks          []directory.Desk
	DropTenants    []directory.TenantCode
	DropExtensions []directory.ExtensionID
	DropDevices    []directory.DeviceID
	DropDesks      []directory.DeskID
}

// Len is the number of changes.
func (c Changes) Len() int {
	return len(c.Tenants) + len(c.Extensions) + len(c.Devices) + len(c.DropTenants) + len(c.DropExtensions) + len(c.DropDevices) + len(c.Desks) + len(c.DropDesks)
}

// putBatch and dropBatch are how many records one script takes: few enough that
// a login behind it is not kept waiting.
const (
	putBatch  = 500
	dropBatch = 200
)

// part is what one script changes, of one tenant.
type part struct {
	code       directory.TenantCode
	drop, last bool
	tenant     *directory.Tenant // to put
	whole      bool              // drop the tenant itself
	extensions []directory.Extension
	devices    []directory.Device
	numbers    []string
	macs       []directory.MAC
	desks      []directory.Desk
	deskCodes  []string // to remove
}

func (p part) size() int {
	n := len(p.extensions) + len(p.devices) + len(p.numbers) + len(p.macs) + len(p.desks) + len(p.deskCodes)
	if p.tenant != nil || p.whole {
		n++
	}
	return n
}

// WriteDirectory changes the directory in parts, and tells progress (may be
// nil) how many changes are done. Nothing is changed when a MAC or domain
// belongs to another tenant: the error then joins a *Conflict for each. After
// any other error what was done stands, and the same call does the rest. Each
// tenant gets one directory.changed event; whoever is logged in with a removed
// extension or at a removed device is logged out.
func (s *Store) WriteDirectory(ctx context.Context, c Changes, progress func(done int)) error {
	if progress == nil {
		progress = func(int) {}
	}
	givers, err := s.foresee(ctx, c)
	if err != nil {
		return err
	}
	c.Tenants = giversFirst(c.Tenants, givers)
	parts := c.parts()
	last := make(map[directory.TenantCode]int)
	for i, p := range parts {
		last[p.code] = i
	}
	done := 0
	for i, p := range parts {
		p.last = last[p.code] == i
		if err := s.write(ctx, p); err != nil {
			return fmt.Errorf("store: directory of tenant %s: %w", p.code, err)
		}
		done += p.size()
		progress(done)
	}
	return nil
}

func (s *Store) write(ctx context.Context, p part) error {
	defer s.known.forget()
	var err error
	switch {
	case len(p.desks)+len(p.deskCodes) > 0:
		return s.putDesks(ctx, p)
	case p.whole:
		err = s.dropTenant(ctx, p)
	case p.drop:
		_, err = s.drop(ctx, p)
	default:
		err = s.put(ctx, p)
	}
	if err != nil {
		return err
	}
	return s.finish(ctx, p.code)
}

func (s *Store) put(ctx context.Context, p part) error {
	if err := s.claim(ctx, p.code, p.indexes()); err != nil {
		return err
	}
	// Listed first: who repairs what is left to do goes by the list.
	err := s.do(ctx, "list", func(ctx context.Context) error { return s.rdb.SAdd(ctx, kAllTenants, string(p.code)).Err() })
	if err != nil {
		return err
	}
	args := make([]any, 0, 3+2*(len(p.extensions)+len(p.devices)))
	args = append(args, "", lastPart(ctx, p.last), len(p.extensions))
	if p.tenant != nil {
		args[0] = asJSON{p.tenant}
	}
	for _, e := range p.extensions {
		args = append(args, e.ID.Number, asJSON{e})
	}
	for _, d := range p.devices {
		args = append(args, d.ID.MAC.String(), asJSON{d})
	}
	if _, err = s.change(ctx, putScript, p.code, time.Now(), nil, args...); err != nil {
		return err
	}
	return s.forgetPending(ctx, p.devices)
}

// drop removes a part; false: the tenant is not empty yet.
func (s *Store) drop(ctx context.Context, p part) (bool, error) {
	args := []any{flag(p.whole), lastPart(ctx, p.last), len(p.numbers)}
	var watchers []string
	for _, n := range p.numbers {
		args, watchers = append(args, n), append(watchers, keySubsOf(p.code, n))
	}
	for _, m := range p.macs {
		args, watchers = append(args, m.String()), append(watchers, keySubsOf(p.code, m.String()))
	}
	done, err := s.change(ctx, dropScript, p.code, time.Now(), watchers, args...)
	return done == int64(1), err
}

// dropTenant empties a tenant and removes it, as often as somebody adds to it
// meanwhile.
func (s *Store) dropTenant(ctx context.Context, p part) error {
	for range 10 {
		inside := Changes{}
		err := s.EachDevice(ctx, p.code, func(d directory.Device) error {
			inside.DropDevices = append(inside.DropDevices, d.ID)
			return nil
		})
		if err == nil {
			err = s.EachExtension(ctx, p.code, func(e directory.Extension) error {
				inside.DropExtensions = append(inside.DropExtensions, e.ID)
				return nil
			})
		}
		for _, q := range inside.parts() {
			if err == nil {
				_, err = s.drop(ctx, q)
			}
		}
		if err == nil {
			err = s.finish(ctx, p.code)
		}
		if err != nil {
			return err
		}
		if done, err := s.drop(ctx, p); done || err != nil {
			return err
		}
	}
	return errors.New("it does not become empty")
}

// indexes are the global names that the part's records need.
func (p part) indexes() []string {
	var all []string
	if p.tenant != nil {
		for _, d := range p.tenant.Domains {
			all = append(all, keyDomain(d))
		}
	}
	for _, d := range p.devices {
		all = append(all, keyMAC(d.ID.MAC))
	}
	return all
}

// lastPart is what the script writes into directory.changed, after the last part
// of the tenant's changes; else nothing.
func lastPart(ctx context.Context, last bool) any {
	if !last {
		return ""
	}
	return asJSON{audit.ActorIn(ctx)}
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return ""
}
