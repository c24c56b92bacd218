package store

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
)

// ErrOtherKey says that the store was filled under another server key.
var ErrOtherKey = errors.New("the store belongs to another server key: every node needs the same key_file, " +
	"and secrets kept under a lost key cannot be read again")

// CheckKey keeps the fingerprint of the server key at first start, and refuses
// another one from then on with ErrOtherKey.
func (s *Store) CheckKey(ctx context.Context, fingerprint string) error {
	var kept string
	err := s.do(ctx, "check_key", func(ctx context.Context) (err error) {
		kept, err = s.rdb.SetArgs(ctx, kFingerprint, fingerprint, redis.SetArgs{Mode: "NX", Get: true}).Result()
		return notNil(err)
	})
	if err == nil && kept != "" && kept != fingerprint {
		err = ErrOtherKey
	}
	return err
}

// Counts are how many there are of what comes and goes, over all tenants.
type Counts struct {
	Bindings      int64
	Contacts      int64
	Subscriptions int64
}

// Counts counts; contacts and subscriptions that are over and not yet swept
// are among them.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	codes, err := s.TenantCodes(ctx)
	if err != nil {
		return c, err
	}
	err = s.do(ctx, "counts", func(ctx context.Context) error {
		replies := make([][3]*redis.IntCmd, len(codes))
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, t := range codes {
				replies[i] = counting(ctx, p, t)
			}
			return nil
		})
		c = Counts{}
		for _, r := range replies {
			c.Bindings += r[0].Val()
			c.Contacts += r[1].Val()
			c.Subscriptions += r[2].Val()
		}
		return err
	})
	return c, err
}

func counting(ctx context.Context, p redis.Pipeliner, t directory.TenantCode) [3]*redis.IntCmd {
	return [3]*redis.IntCmd{
		p.SCard(ctx, key(t, kSeated)), p.ZCard(ctx, key(t, kContactExpiry)), p.HLen(ctx, key(t, kSubscriptions)),
	}
}
