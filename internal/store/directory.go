package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

var _ hotdesk.Directory = (*Store)(nil)

// known holds what each request asks of the directory.
type known struct {
	tenants cache[directory.TenantCode, directory.Tenant]
	domains cache[string, directory.TenantCode]
	macs    cache[directory.MAC, directory.TenantCode]
}

func (k *known) forget() {
	k.tenants.clear()
	k.domains.clear()
	k.macs.clear()
}

func notFound(what string) error { return fmt.Errorf("store: %s: %w", what, hotdesk.ErrNotFound) }

// Tenants reads all tenants, ordered by code.
func (s *Store) Tenants(ctx context.Context) ([]directory.Tenant, error) {
	codes, err := s.TenantCodes(ctx)
	if err != nil {
		return nil, err
	}
	replies := make([]*redis.StringCmd, len(codes))
	err = s.do(ctx, "tenants", func(ctx context.Context) error {
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, c := range codes {
				replies[i] = p.Get(ctx, key(c, kTenant))
			}
			return nil
		})
		return notNil(err)
	})
	if err != nil {
		return nil, err
	}
	var all []directory.Tenant
	for _, r := range replies {
		text, err := r.Bytes()
		if errors.Is(err, redis.Nil) {
			continue // listed before its record is written, or after it has gone
		}
		var t directory.Tenant
		if err == nil {
			err = json.Unmarshal(text, &t)
		}
		if err != nil {
			return nil, s.fault("tenants", err)
		}
		all = append(all, t)
	}
	return all, nil
}

// TenantCodes lists the tenants, ordered; one that is just being made or
// removed may be among them.
func (s *Store) TenantCodes(ctx context.Context) ([]directory.TenantCode, error) {
	var codes []directory.TenantCode
	err := s.do(ctx, "tenants", func(ctx context.Context) error {
		names, err := s.rdb.SMembers(ctx, kAllTenants).Result()
		codes = nil
		for _, n := range names {
			codes = append(codes, directory.TenantCode(n))
		}
		return err
	})
	slices.Sort(codes)
	return codes, err
}

// Tenant reads a tenant; its answer may be a second old and is shared: do not
// change it.
func (s *Store) Tenant(ctx context.Context, code directory.TenantCode) (directory.Tenant, error) {
	t, found, err := s.known.tenants.get(code, func() (t directory.Tenant, found bool, err error) {
		var text []byte
		err = s.do(ctx, "tenant", func(ctx context.Context) (err error) {
			text, err = s.rdb.Get(ctx, key(code, kTenant)).Bytes()
			return notNil(err)
		})
		if err != nil || text == nil {
			return t, false, err
		}
		if err := json.Unmarshal(text, &t); err != nil {
			return t, false, fmt.Errorf("store: tenant %s: %w", code, err)
		}
		return t, true, nil
	})
	if err == nil && !found {
		err = notFound("tenant")
	}
	return t, err
}

// Extension reads an extension.
func (s *Store) Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error) {
	var v directory.Extension
	found, err := s.field(ctx, "extension", key(id.Tenant, kExtensions), id.Number, &v)
	if err == nil && !found {
		err = notFound("extension")
	}
	return v, err
}

// Device reads a device.
func (s *Store) Device(ctx context.Context, id directory.DeviceID) (directory.Device, error) {
	var v directory.Device
	found, err := s.field(ctx, "device", key(id.Tenant, kDevices), id.MAC.String(), &v)
	if err == nil && !found {
		err = notFound("device")
	}
	return v, err
}

// Phone reads what a device has told of itself; nothing yet is a zero Phone.
func (s *Store) Phone(ctx context.Context, id directory.DeviceID) (directory.Phone, error) {
	var v directory.Phone
	_, err := s.field(ctx, "phone", key(id.Tenant, kPhones), id.MAC.String(), &v)
	return v, err
}

// EachExtension calls f for every extension of a tenant, once each, in no
// order. It reads in parts; what changes meanwhile may be seen or not.
func (s *Store) EachExtension(ctx context.Context, t directory.TenantCode, f func(directory.Extension) error) error {
	return s.fields(ctx, "each_extension", key(t, kExtensions), func(_, text string) error {
		var v directory.Extension
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		return f(v)
	})
}

// EachDevice is EachExtension for devices.
func (s *Store) EachDevice(ctx context.Context, t directory.TenantCode, f func(directory.Device) error) error {
	return s.fields(ctx, "each_device", key(t, kDevices), func(_, text string) error {
		var v directory.Device
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		return f(v)
	})
}

// Phones reads what all devices of a tenant have told of themselves.
func (s *Store) Phones(ctx context.Context, t directory.TenantCode) (map[directory.MAC]directory.Phone, error) {
	all := make(map[directory.MAC]directory.Phone)
	err := s.fields(ctx, "phones", key(t, kPhones), func(field, text string) error {
		mac, err := directory.ParseMAC(field)
		if err != nil {
			return err
		}
		var v directory.Phone
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		all[mac] = v
		return nil
	})
	return all, err
}

// notNil takes "there is none" out of the errors.
func notNil(err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}
