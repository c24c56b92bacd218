package store

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
)

var (
	//go:embed lua/proofs.lua
	luaProofs string

	proofsScript = newScript("proofs", luaProofs, []string{kDevices, kProofs})
)

// proofTries bounds how often a change of proofs begins anew because another
// request of the same phone came between.
const proofTries = 16

// ChangeProofs changes what a device proves itself with, and gives the result.
// The change is pure: it may be called again. Errors wrap hotdesk.ErrNotFound
// for a device that is gone, or hotdesk.ErrUnavailable.
func (s *Store) ChangeProofs(ctx context.Context, id directory.DeviceID, change func(directory.Proofs) directory.Proofs) (directory.Proofs, error) {
	for range proofTries {
		text, old, err := s.proofs(ctx, id)
		if err != nil {
			return old, err
		}
		want := change(old)
		if want == old {
			return old, nil
		}
		done, err := s.change(ctx, proofsScript, id.Tenant, time.Now(), nil, id.MAC.String(), text, asJSON{want})
		if err != nil {
			return old, err
		}
		if done == int64(1) {
			return want, nil
		}
		if _, err := s.Device(ctx, id); err != nil {
			return old, err
		}
	}
	return directory.Proofs{}, errors.New("store: proofs: others were faster, again and again")
}

// proofs reads a device's proofs and the text they were read from.
func (s *Store) proofs(ctx context.Context, id directory.DeviceID) (string, directory.Proofs, error) {
	var v directory.Proofs
	var text string
	err := s.do(ctx, "proofs", func(ctx context.Context) (err error) {
		text, err = s.rdb.HGet(ctx, key(id.Tenant, kProofs), id.MAC.String()).Result()
		return notNil(err)
	})
	if err != nil || text == "" {
		return "", v, err
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return "", v, fmt.Errorf("store: proofs of %s: %w", id, err)
	}
	return text, v, nil
}

// Proofs reads what a device proves itself with; the zero value where it never
// came.
func (s *Store) Proofs(ctx context.Context, id directory.DeviceID) (directory.Proofs, error) {
	_, v, err := s.proofs(ctx, id)
	return v, err
}

// DeviceAndProofs reads a device of any tenant with what it proves itself with,
// as of one instant. ErrNotFound where no tenant has it.
func (s *Store) DeviceAndProofs(ctx context.Context, mac directory.MAC) (directory.Device, directory.Proofs, error) {
	var d directory.Device
	var p directory.Proofs
	t, err := s.TenantOfMAC(ctx, mac)
	if err != nil {
		return d, p, err
	}
	var device, proofs *redis.StringCmd
	err = s.do(ctx, "device_by_mac", func(ctx context.Context) error {
		_, err := s.rdb.TxPipelined(ctx, func(q redis.Pipeliner) error {
			device = q.HGet(ctx, key(t, kDevices), mac.String())
			proofs = q.HGet(ctx, key(t, kProofs), mac.String())
			return nil
		})
		return notNil(err)
	})
	if err != nil {
		return d, p, err
	}
	if device.Val() == "" {
		return d, p, notFound("device")
	}
	if err := json.Unmarshal([]byte(device.Val()), &d); err != nil {
		return d, p, fmt.Errorf("store: device_by_mac: %w", err)
	}
	if text := proofs.Val(); text != "" {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return d, p, fmt.Errorf("store: proofs: %w", err)
		}
	}
	return d, p, nil
}
