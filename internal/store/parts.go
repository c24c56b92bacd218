package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// parts cuts the changes into what one script takes, in the order in which
// they are made.
func (c Changes) parts() []part {
	var all []part
	codes, order := grouped(c.DropDesks, func(d directory.DeskID) directory.TenantCode { return d.Tenant })
	for _, t := range order {
		for some := range slices.Chunk(codes[t], dropBatch) {
			p := part{code: t}
			for _, d := range some {
				p.deskCodes = append(p.deskCodes, d.Code)
			}
			all = append(all, p)
		}
	}
	macs, order := grouped(c.DropDevices, func(d directory.DeviceID) directory.TenantCode { return d.Tenant })
	for _, t := range order {
		for some := range slices.Chunk(macs[t], dropBatch) {
			p := part{code: t, drop: true}
			for _, d := range some {
				p.macs = append(p.macs, d.MAC)
			}
			all = append(all, p)
		}
	}
	numbers, order := grouped(c.DropExtensions, func(e directory.ExtensionID) directory.TenantCode { return e.Tenant })
	for _, t := range order {
		for some := range slices.Chunk(numbers[t], dropBatch) {
			p := part{code: t, drop: true}
			for _, e := range some {
				p.numbers = append(p.numbers, e.Number)
			}
			all = append(all, p)
		}
	}
	for _, t := range c.DropTenants {
		all = append(all, part{code: t, drop: true, whole: true})
	}
	for i := range c.Tenants {
		all = append(all, part{code: c.Tenants[i].Code, tenant: &c.Tenants[i]})
	}
	extensions, order := grouped(c.Extensions, func(e directory.Extension) directory.TenantCode { return e.ID.Tenant })
	for _, t := range order {
		for some := range slices.Chunk(extensions[t], putBatch) {
			all = append(all, part{code: t, extensions: some})
		}
	}
	devices, order := grouped(c.Devices, func(d directory.Device) directory.TenantCode { return d.ID.Tenant })
	for _, t := range order {
		for some := range slices.Chunk(devices[t], putBatch) {
			all = append(all, part{code: t, devices: some})
		}
	}
	desks, order := grouped(c.Desks, func(d directory.Desk) directory.TenantCode { return d.ID.Tenant })
	for _, t := range order {
		for some := range slices.Chunk(desks[t], putBatch) {
			all = append(all, part{code: t, desks: some})
		}
	}
	return all
}

// grouped sorts a list by tenant, tenants in the order of their first entry.
func grouped[T any](list []T, of func(T) directory.TenantCode) (map[directory.TenantCode][]T, []directory.TenantCode) {
	by := make(map[directory.TenantCode][]T)
	var order []directory.TenantCode
	for _, v := range list {
		t := of(v)
		if _, ok := by[t]; !ok {
			order = append(order, t)
		}
		by[t] = append(by[t], v)
	}
	return by, order
}

// foresee finds the MACs and domains that belong to another tenant and are not
// given up by the same changes, before anything is changed; and who gives up.
func (s *Store) foresee(ctx context.Context, c Changes) (givers map[directory.TenantCode]bool, err error) {
	const most = 20 // conflicts named
	leaving := c.leaving()
	givers = make(map[directory.TenantCode]bool)
	var others []error
	for _, p := range c.parts() {
		if p.drop || len(others) >= most {
			continue
		}
		for some := range slices.Chunk(p.indexes(), putBatch) {
			owners, err := s.owners(ctx, some)
			if err != nil {
				return nil, err
			}
			for i, owner := range owners {
				if owner == "" || owner == p.code {
					continue
				}
				if leaving(owner, some[i]) {
					givers[owner] = true
					continue
				}
				if has, err := s.hasRecord(ctx, owner, some[i]); err != nil {
					return nil, err
				} else if has {
					others = append(others, conflict(some[i], owner))
				}
			}
		}
	}
	return givers, errors.Join(others...)
}

// giversFirst puts the tenants that give a domain to another before those.
func giversFirst(tenants []directory.Tenant, givers map[directory.TenantCode]bool) []directory.Tenant {
	sorted := slices.Clone(tenants)
	slices.SortStableFunc(sorted, func(a, b directory.Tenant) int {
		switch {
		case givers[a.Code] == givers[b.Code]:
			return 0
		case givers[a.Code]:
			return -1
		}
		return 1
	})
	return sorted
}

// leaving tells whether the changes themselves take an index from its owner.
func (c Changes) leaving() func(owner directory.TenantCode, index string) bool {
	gone := make(map[directory.TenantCode]bool)
	for _, t := range c.DropTenants {
		gone[t] = true
	}
	devices := make(map[directory.DeviceID]bool)
	for _, d := range c.DropDevices {
		devices[d] = true
	}
	tenants := make(map[directory.TenantCode]directory.Tenant)
	for _, t := range c.Tenants {
		tenants[t.Code] = t
	}
	return func(owner directory.TenantCode, index string) bool {
		if gone[owner] {
			return true
		}
		if name, ok := strings.CutPrefix(index, "domain:"); ok {
			t, put := tenants[owner]
			return put && !t.HasDomain(name)
		}
		mac, err := directory.ParseMAC(strings.TrimPrefix(index, "mac:"))
		return err == nil && devices[directory.DeviceID{Tenant: owner, MAC: mac}]
	}
}

func (s *Store) owners(ctx context.Context, indexes []string) ([]directory.TenantCode, error) {
	owners := make([]directory.TenantCode, len(indexes))
	err := s.do(ctx, "claim", func(ctx context.Context) error {
		replies := make([]*redis.StringCmd, len(indexes))
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, k := range indexes {
				replies[i] = p.Get(ctx, k)
			}
			return nil
		})
		for i, r := range replies {
			owners[i] = directory.TenantCode(r.Val())
		}
		return notNil(err)
	})
	return owners, err
}

func isNotFound(err error) bool { return errors.Is(err, hotdesk.ErrNotFound) }
