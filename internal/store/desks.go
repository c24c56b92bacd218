package store

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

var (
	//go:embed lua/desk_put.lua
	luaDeskPut string

	deskScript = newScript("desk_put", luaDeskPut, []string{kEvents, kDesks, kDeskOf})
)

// Desk reads a desk by its code.
func (s *Store) Desk(ctx context.Context, id directory.DeskID) (directory.Desk, error) {
	var v directory.Desk
	found, err := s.field(ctx, "desk", key(id.Tenant, kDesks), id.Code, &v)
	if err == nil && !found {
		err = notFound("desk")
	}
	return v, err
}

// DeskOf reads the desk that a seat belongs to; a seat that no desk lists wraps
// hotdesk.ErrNotFound.
func (s *Store) DeskOf(ctx context.Context, seat directory.Seat) (directory.Desk, error) {
	code := ""
	err := s.do(ctx, "desk", func(ctx context.Context) (err error) {
		field := directory.DeskSeat{MAC: seat.Device.MAC, Line: seat.Line}.Field()
		code, err = s.rdb.HGet(ctx, key(seat.Device.Tenant, kDeskOf), field).Result()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	if err != nil {
		return directory.Desk{}, err
	}
	if code == "" {
		return directory.Desk{}, notFound("desk")
	}
	return s.Desk(ctx, directory.DeskID{Tenant: seat.Device.Tenant, Code: code})
}

// EachDesk is EachExtension for desks.
func (s *Store) EachDesk(ctx context.Context, t directory.TenantCode, f func(directory.Desk) error) error {
	return s.fields(ctx, "each_desk", key(t, kDesks), func(_, text string) error {
		var v directory.Desk
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		return f(v)
	})
}

// putDesks writes and removes desks.
func (s *Store) putDesks(ctx context.Context, p part) error {
	args := make([]any, 0, 2+len(p.deskCodes)+2*len(p.desks))
	args = append(args, flag(p.last), len(p.deskCodes))
	for _, code := range p.deskCodes {
		args = append(args, code)
	}
	for _, d := range p.desks {
		args = append(args, d.ID.Code, asJSON{d})
	}
	_, err := s.change(ctx, deskScript, p.code, time.Now(), nil, args...)
	return err
}

// companionsActive is when one of the other devices of a seat's desk was last in
// a call or touched; the end of a call's lease, which is to come, where one is in
// a call now. Zero: there are none, or never.
func (s *Store) companionsActive(ctx context.Context, seat directory.Seat) (time.Time, error) {
	desk, err := s.DeskOf(ctx, seat)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return time.Time{}, nil
	}
	var macs []string
	for _, o := range desk.Seats {
		if o.MAC != seat.Device.MAC {
			macs = append(macs, o.MAC.String())
		}
	}
	if err != nil || len(macs) == 0 {
		return time.Time{}, err
	}
	var active, dialogs *redis.SliceCmd
	err = s.do(ctx, "mark", func(ctx context.Context) error {
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			active = p.HMGet(ctx, key(seat.Device.Tenant, kActive), macs...)
			dialogs = p.HMGet(ctx, key(seat.Device.Tenant, kDialogs), macs...)
			return nil
		})
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	last := int64(0)
	for i := range macs {
		if text, ok := active.Val()[i].(string); ok {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				last = max(last, n)
			}
		}
		var leases map[string]int64
		if text, ok := dialogs.Val()[i].(string); ok && json.Unmarshal([]byte(text), &leases) == nil {
			for _, end := range leases {
				last = max(last, end)
			}
		}
	}
	if last == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(last), nil
}
