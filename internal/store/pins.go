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
	"perch/internal/event"
)

var (
	//go:embed lua/pin_set.lua
	luaPINSet string

	pinSetScript = newScript("pin_set", luaPINSet, []string{kEvents, kExtensions})
)

var _ hotdesk.Keeper = (*Store)(nil)

// SetPIN implements hotdesk.Keeper. Nothing else of the record is touched.
func (s *Store) SetPIN(ctx context.Context, id directory.ExtensionID, was, pin directory.Kept, now time.Time, news event.Event) error {
	for range 3 { // another setting of the record may change meanwhile
		text := ""
		err := s.do(ctx, "extension", func(ctx context.Context) (err error) {
			text, err = s.rdb.HGet(ctx, key(id.Tenant, kExtensions), id.Number).Result()
			if errors.Is(err, redis.Nil) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		if text == "" {
			return notFound("extension")
		}
		var e directory.Extension
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return fmt.Errorf("store: pin_set: %w", err)
		}
		switch {
		case e.PIN == pin:
			return nil
		case e.PIN != was:
			return fmt.Errorf("store: pin_set: %w", hotdesk.ErrChanged)
		}
		e.PIN = pin
		said, err := s.change(ctx, pinSetScript, id.Tenant, now, nil, id.Number, text, asJSON{e}, asJSON{news})
		if err != nil {
			return err
		}
		switch said {
		case "ok":
			return nil
		case "gone":
			return notFound("extension")
		}
	}
	return fmt.Errorf("store: pin_set: %w", hotdesk.ErrChanged)
}
