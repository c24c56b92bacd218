package store

import (
	"context"
	_ "embed" // the script
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
)

var (
	//go:embed lua/expire.lua
	luaExpire string

	expireScript = newScript("expire", luaExpire, []string{kEvents, kReloads, kContacts, kContactExpiry, kContactRev})
)

// Expire removes the contacts and subscriptions of all tenants whose time is
// over, at most limit of each kind and tenant in one call, and says how many
// and when the next is due (zero: none is known). Any number of nodes may call
// it: what one has removed is nothing to the next, and what was refreshed
// meanwhile stays.
func (s *Store) Expire(ctx context.Context, now time.Time, limit int) (done int, next time.Time, err error) {
	tenants, err := s.TenantCodes(ctx)
	if err != nil {
		return 0, time.Time{}, err
	}
	for _, t := range tenants {
		for _, part := range []func(context.Context, directory.TenantCode, time.Time, int) (int, time.Time, error){
			s.expireContacts, s.expireSubscriptions,
		} {
			n, at, err := part(ctx, t, now, limit)
			if err != nil {
				return done, next, err
			}
			done += n
			next = earlier(next, at)
		}
	}
	return done, next, nil
}

func (s *Store) expireContacts(ctx context.Context, t directory.TenantCode, now time.Time, limit int) (int, time.Time, error) {
	v, err := s.change(ctx, expireScript, t, now, nil, limit)
	if err != nil {
		return 0, time.Time{}, err
	}
	a, ok := v.([]any)
	if !ok || len(a) != 2 {
		return 0, time.Time{}, fmt.Errorf("store: expire: answer %v", v)
	}
	n, _ := a[0].(int64)
	score, _ := a[1].(string)
	return int(n), scoreTime(score), nil
}

func (s *Store) expireSubscriptions(ctx context.Context, t directory.TenantCode, now time.Time, limit int) (int, time.Time, error) {
	var ids []string
	err := s.do(ctx, "expire_subscriptions", func(ctx context.Context) (err error) {
		ids, err = s.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: key(t, kSubExpiry), ByScore: true, Start: "-inf", Stop: ms(now), Count: int64(limit),
		}).Result()
		return err
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	if err := s.endSubscriptions(ctx, t, now, ids, "expired", true); err != nil {
		return 0, time.Time{}, err
	}
	next, err := s.firstScore(ctx, "expire_subscriptions", key(t, kSubExpiry))
	return len(ids), next, err
}

// firstScore is the lowest score of a sorted set as a time; zero where it is
// empty.
func (s *Store) firstScore(ctx context.Context, op, key string) (time.Time, error) {
	var at time.Time
	err := s.do(ctx, op, func(ctx context.Context) error {
		list, err := s.rdb.ZRangeWithScores(ctx, key, 0, 0).Result()
		if len(list) > 0 {
			at = time.UnixMilli(int64(list[0].Score))
		}
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	return at, err
}

// scoreTime reads a score that a script gave as text; zero for none.
func scoreTime(score string) time.Time {
	f, err := strconv.ParseFloat(score, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(f))
}

// earlier is the earlier of two times, where zero is "never".
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
