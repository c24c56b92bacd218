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
	//go:embed lua/records.lua
	luaRecords string

	recordsScript = newScript("records", luaRecords, []string{kDevices, kPhones, kSeats, kExtensions, kProofs})
)

// Records are what a device's configuration is made of besides the device itself.
// Each part is zero where there is none; Extension is that of line 1.
type Records struct {
	Phone     directory.Phone
	Seats     hotdesk.Seats
	Extension directory.Extension
	Proofs    directory.Proofs
}

// Records reads them in one round trip. A device that does not exist wraps
// hotdesk.ErrNotFound.
func (s *Store) Records(ctx context.Context, d directory.DeviceID) (Records, error) {
	var out Records
	v, err := s.change(ctx, recordsScript, d.Tenant, time.Time{}, nil, d.MAC.String())
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
			return out, fmt.Errorf("store: records: %w", err)
		}
	}
	return out, nil
}
