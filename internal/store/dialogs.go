package store

import (
	"context"
	"errors"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/calls"
)

// StartDialog notes that the device is in a call with a feature code until
// EndDialog or until; calling it again prolongs the lease. The call is one like
// any other, but lights no lamp.
func (s *Store) StartDialog(ctx context.Context, d directory.DeviceID, callID string, until, now time.Time) error {
	return s.featureCall(ctx, d, callID, now, callSettle, func(c *calls.Call) bool {
		if c.Rev == 0 {
			*c = calls.NewFeature(d, c.ID, now)
		}
		c.Lease = until.UnixMilli()
		return true
	})
}

// EndDialog notes that the call is over. After the device's last one, a reload
// that waited for it is due when the phone has had time to settle.
func (s *Store) EndDialog(ctx context.Context, d directory.DeviceID, callID string, now time.Time, settle time.Duration) error {
	return s.featureCall(ctx, d, callID, now, settle, func(c *calls.Call) bool {
		if c.Rev == 0 {
			return false
		}
		c.Finish(calls.Ending{By: calls.ByPerch, Reason: calls.HungUp}, now)
		return true
	})
}

// featureCall changes the call of a device with a feature code, as often as
// somebody else is faster.
func (s *Store) featureCall(ctx context.Context, d directory.DeviceID, callID string, now time.Time, settle time.Duration, change func(*calls.Call) bool) error {
	id := calls.NewID(d.Tenant, d.MAC.String()+"\x00"+callID)
	for {
		c, err := s.Call(ctx, d.Tenant, id)
		if err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
			return err
		}
		c.ID = id
		if !change(&c) {
			return nil
		}
		c.Node = s.node
		_, err = s.saveCall(ctx, c, now, settle)
		if !errors.Is(err, calls.ErrConflict) {
			return err
		}
	}
}

// Busy tells whether the device is in a call, and when the last lease of its
// calls ends.
func (s *Store) Busy(ctx context.Context, d directory.DeviceID, now time.Time) (until time.Time, busy bool, err error) {
	var ends map[string]int64
	if _, err := s.field(ctx, "busy", key(d.Tenant, kDialogs), d.MAC.String(), &ends); err != nil {
		return time.Time{}, false, err
	}
	last := int64(0)
	for _, end := range ends {
		last = max(last, end)
	}
	if last <= now.UnixMilli() {
		return time.Time{}, false, nil
	}
	return time.UnixMilli(last), true, nil
}
