package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// TenantOfMAC tells whose device a MAC is. The answer may be a second old.
func (s *Store) TenantOfMAC(ctx context.Context, mac directory.MAC) (directory.TenantCode, error) {
	t, found, err := s.known.macs.get(mac, func() (directory.TenantCode, bool, error) {
		return s.indexed(ctx, "tenant_of_mac", keyMAC(mac))
	})
	if err == nil && !found {
		err = notFound("device")
	}
	return t, err
}

// TenantByDomain reads the tenant of a SIP domain, in either case. The answer
// may be a second old and is shared: do not change it.
func (s *Store) TenantByDomain(ctx context.Context, domain string) (directory.Tenant, error) {
	domain = strings.ToLower(domain)
	if domain == "" || len(domain) > 255 { // longer than any name (RFC 1035 section 2.3.4)
		return directory.Tenant{}, notFound("tenant")
	}
	code, found, err := s.known.domains.get(domain, func() (directory.TenantCode, bool, error) {
		return s.indexed(ctx, "tenant_by_domain", keyDomain(domain))
	})
	if err != nil {
		return directory.Tenant{}, err
	}
	if !found {
		return directory.Tenant{}, notFound("tenant")
	}
	t, err := s.Tenant(ctx, code)
	if err == nil && !t.HasDomain(domain) { // claimed, and the record has not followed
		return directory.Tenant{}, notFound("tenant")
	}
	return t, err
}

func (s *Store) indexed(ctx context.Context, op, key string) (directory.TenantCode, bool, error) {
	var code string
	err := s.do(ctx, op, func(ctx context.Context) (err error) {
		code, err = s.rdb.Get(ctx, key).Result()
		return notNil(err)
	})
	return directory.TenantCode(code), code != "", err
}

// DeviceByMAC reads a device of any tenant together with who sits there, as of
// one instant.
func (s *Store) DeviceByMAC(ctx context.Context, mac directory.MAC) (directory.Device, hotdesk.Seats, error) {
	var d directory.Device
	var seats hotdesk.Seats
	t, err := s.TenantOfMAC(ctx, mac)
	if err != nil {
		return d, seats, err
	}
	var device, sitting *redis.StringCmd
	err = s.do(ctx, "device_by_mac", func(ctx context.Context) error {
		_, err := s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			device = p.HGet(ctx, key(t, kDevices), mac.String())
			sitting = p.HGet(ctx, key(t, kSeats), mac.String())
			return nil
		})
		return notNil(err)
	})
	if err != nil {
		return d, seats, err
	}
	if device.Val() == "" {
		return d, seats, notFound("device")
	}
	if err := json.Unmarshal([]byte(device.Val()), &d); err != nil {
		return d, seats, fmt.Errorf("store: device_by_mac: %w", err)
	}
	if text := sitting.Val(); text != "" {
		if err := json.Unmarshal([]byte(text), &seats); err != nil {
			return d, seats, fmt.Errorf("store: device_by_mac: seats: %w", err)
		}
	}
	return d, seats, nil
}
