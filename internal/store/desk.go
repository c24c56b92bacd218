package store

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

var (
	//go:embed lua/desk.lua
	luaDesk string

	deskScript = newScript("desk", luaDesk, []string{kDevices, kPhones, kSeats, kExtensions, kProofs})
)

// Desk is what a device's configuration is made of besides the device itself.
// Each part is zero where there is none; Extension is that of line 1.
type Desk struct {
	Phone     directory.Phone
	Seats     hotdesk.Seats
	Extension directory.Extension
	Proofs    directory.Proofs
}

// Desk reads it in one round trip. A device that does not exist wraps
// hotdesk.ErrNotFound.
func (s *Store) Desk(ctx context.Context, d directory.DeviceID) (Desk, error) {
	var out Desk
	v, err := s.change(ctx, deskScript, d.Tenant, time.Time{}, nil, d.MAC.String())
	if err != nil {
		return out, err
	}
	texts, _ := v.([]any)
	if len(texts) == 0 {
		return out, notFound("device")
	}
	for i, into := range []any{&out.Phone, &out.Seats, &out.Extension, &out.Proofs} {
		if i >= len(texts) {
			break
		}
		text, _ := texts[i].(string)
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return out, fmt.Errorf("store: desk: %w", err)
		}
	}
	return out, nil
}
