package store

import (
	"context"
	"crypto/sha256"
	_ "embed" // the scripts
	"encoding/hex"
	"time"

	"perch/hotdesk/directory"
)

var (
	//go:embed lua/dialog_start.lua
	luaDialogStart string
	//go:embed lua/dialog_end.lua
	luaDialogEnd string

	dialogStartScript = newScript("dialog_start", luaDialogStart, []string{kEvents, kDialogs, kActive})
	dialogEndScript   = newScript("dialog_end", luaDialogEnd, []string{kEvents, kDialogs, kReloads, kReloadDue, kActive})
)

// StartDialog notes that the device is in the call, early or confirmed, until
// EndDialog or until; calling it again prolongs the lease.
func (s *Store) StartDialog(ctx context.Context, d directory.DeviceID, callID string, until, now time.Time) error {
	_, err := s.change(ctx, dialogStartScript, d.Tenant, now, nil, d.MAC.String(), callName(callID), ms(until))
	return err
}

// EndDialog notes that the call is over. After the last one, a reload that
// waited for it is due when the phone has had time to settle.
func (s *Store) EndDialog(ctx context.Context, d directory.DeviceID, callID string, now time.Time, settle time.Duration) error {
	_, err := s.change(ctx, dialogEndScript, d.Tenant, now, nil, d.MAC.String(), callName(callID), settle.Milliseconds())
	return err
}

// Busy tells whether the device is in a call, and when the last lease of its
// calls ends.
func (s *Store) Busy(ctx context.Context, d directory.DeviceID, now time.Time) (until time.Time, busy bool, err error) {
	var calls map[string]int64
	if _, err := s.field(ctx, "busy", key(d.Tenant, kDialogs), d.MAC.String(), &calls); err != nil {
		return time.Time{}, false, err
	}
	last := int64(0)
	for _, end := range calls {
		last = max(last, end)
	}
	if last <= now.UnixMilli() {
		return time.Time{}, false, nil
	}
	return time.UnixMilli(last), true, nil
}

// callName is a Call-ID in the store: of fixed length and harmless, whatever a
// phone sent.
func callName(callID string) string {
	sum := sha256.Sum256([]byte(callID))
	return hex.EncodeToString(sum[:12])
}
