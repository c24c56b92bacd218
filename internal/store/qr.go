package store

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

var (
	//go:embed lua/qr.lua
	luaQR string

	qrScript = newScript("qr", luaQR, []string{kQR})
)

// Bounds of the codes that phones show.
const (
	QRLife   = 2 * time.Minute
	qrMost   = 10 // of one device within qrWindow
	qrWindow = 10 * time.Minute
)

// ErrTooMany says that a device has shown too many codes lately.
var ErrTooMany = errors.New("store: too many codes of this device")

// QRCode is a code that a phone shows: whoever confirms it logs in there.
type QRCode struct {
	MAC   directory.MAC `json:"mac"`
	Line  int           `json:"line"`
	Trace string        `json:"trace"` // id of the login that it leads to
	Ends  int64         `json:"ends"`  // Unix ms
}

// NewQRCode makes a code of a device, in place of its older one. A device that
// has had too many gets ErrTooMany.
func (s *Store) NewQRCode(ctx context.Context, seat directory.Seat, code, trace string, now time.Time) error {
	v, err := s.change(ctx, qrScript, seat.Device.Tenant, now, nil, "new", code, seat.Device.MAC.String(), max(seat.Line, 1), trace,
		QRLife.Milliseconds(), qrMost, qrWindow.Milliseconds())
	if err != nil {
		return err
	}
	if n, _ := v.(int64); n != 1 {
		return ErrTooMany
	}
	return nil
}

// TakeQRCode gives a code to whoever asks first. One that is over, was taken, or
// never was wraps hotdesk.ErrNotFound.
func (s *Store) TakeQRCode(ctx context.Context, t directory.TenantCode, code string, now time.Time) (QRCode, error) {
	return s.qrCode(ctx, t, "take", code, now)
}

// LookQRCode tells whether a code still waits, as TakeQRCode does.
func (s *Store) LookQRCode(ctx context.Context, t directory.TenantCode, code string, now time.Time) (QRCode, error) {
	return s.qrCode(ctx, t, "look", code, now)
}

// BackQRCode puts a code back that was taken and not used.
func (s *Store) BackQRCode(ctx context.Context, t directory.TenantCode, code string, c QRCode, now time.Time) error {
	_, err := s.change(ctx, qrScript, t, now, nil, "back", code, asJSON{c})
	return err
}

func (s *Store) qrCode(ctx context.Context, t directory.TenantCode, what, code string, now time.Time) (QRCode, error) {
	v, err := s.change(ctx, qrScript, t, now, nil, what, code)
	text, ok := v.(string)
	if errors.Is(err, redis.Nil) || err == nil && !ok {
		return QRCode{}, fmt.Errorf("store: code: %w", hotdesk.ErrNotFound)
	}
	if err != nil {
		return QRCode{}, err
	}
	var c QRCode
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return QRCode{}, fmt.Errorf("store: code: %w", err)
	}
	return c, nil
}
