package store

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

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
