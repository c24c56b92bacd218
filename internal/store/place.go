package store

import (
	"context"
	_ "embed" // the script
	"time"

	"perch/hotdesk/directory"
)

var (
	//go:embed lua/phone_place.lua
	luaPlace string

	placeScript = newScript("phone_place", luaPlace, []string{kDevices, kPhones})
)

// SetPlace notes by which address a phone shall reach the server: directory.PlaceExternal,
// PlaceInternal, or empty for the one it comes by.
func (s *Store) SetPlace(ctx context.Context, d directory.DeviceID, place string, now time.Time) error {
	_, err := s.change(ctx, placeScript, d.Tenant, now, nil, d.MAC.String(), place)
	return err
}
