package store

import (
	"context"
	"fmt"
	"time"

	"perch/hotdesk/directory"
)

// keyCallback is the desk that made the last emergency call under a caller id,
// which is digits.
func keyCallback(t directory.TenantCode, callerID string) string {
	return key(t, "callback:"+callerID)
}

// RememberCallback notes that a desk has made an emergency call under a caller
// id, for as long as keep.
func (s *Store) RememberCallback(ctx context.Context, t directory.TenantCode, callerID string, mac directory.MAC, keep time.Duration) error {
	return s.do(ctx, "callback", func(ctx context.Context) error {
		return s.rdb.Set(ctx, keyCallback(t, callerID), mac.String(), keep).Err()
	})
}

// Callback gives the desk that made the last emergency call under a caller id;
// false: none has, or too long ago.
func (s *Store) Callback(ctx context.Context, t directory.TenantCode, callerID string) (directory.MAC, bool, error) {
	var text string
	err := s.do(ctx, "callback", func(ctx context.Context) (err error) {
		text, err = s.rdb.Get(ctx, keyCallback(t, callerID)).Result()
		return notNil(err)
	})
	if err != nil || text == "" {
		return directory.MAC{}, false, err
	}
	mac, err := directory.ParseMAC(text)
	if err != nil {
		return directory.MAC{}, false, fmt.Errorf("store: callback: %w", err)
	}
	return mac, true, nil
}
