package store

import (
	"cmp"
	"context"
	_ "embed" // the script
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

var (
	//go:embed lua/lockout_lift.lua
	luaLockoutLift string

	lockoutLiftScript = newScript("lockout_lift", luaLockoutLift, []string{kEvents, kExtensions, kLockouts, kGuessed}, "count")
)

// lockoutsMost bounds one answer of Lockouts, per tenant and kind: anybody can
// type numbers.
const lockoutsMost = 10_000

// Lockouts lists what is counted in a tenant, locked or not, by number.
func (s *Store) Lockouts(ctx context.Context, t directory.TenantCode, now time.Time) ([]hotdesk.Lockout, error) {
	var out []hotdesk.Lockout
	for _, name := range []string{kLockouts, kGuessed} {
		var members []string
		err := s.do(ctx, "lockouts", func(ctx context.Context) (err error) {
			members, err = s.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
				Key: key(t, name), ByScore: true, Start: "(" + ms(now), Stop: "+inf", Count: lockoutsMost,
			}).Result()
			return err
		})
		if err != nil {
			return nil, err
		}
		for part := range slices.Chunk(members, scanBatch) {
			some, err := s.lockouts(ctx, t, part, now)
			if err != nil {
				return nil, err
			}
			out = append(out, some...)
		}
	}
	slices.SortFunc(out, func(a, b hotdesk.Lockout) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Source, b.Source))
	})
	return out, nil
}

// lockouts reads the counts behind members: "number|source", or "number".
func (s *Store) lockouts(ctx context.Context, t directory.TenantCode, members []string, now time.Time) ([]hotdesk.Lockout, error) {
	counts := make([]*redis.StringCmd, len(members))
	known := make([]*redis.BoolCmd, len(members))
	err := s.do(ctx, "lockouts", func(ctx context.Context) error {
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, m := range members {
				number, source, pair := strings.Cut(m, "|")
				e := directory.ExtensionID{Tenant: t, Number: number}
				k := keyGuesses(e)
				if pair {
					k = keyLock(e, source)
				}
				counts[i], known[i] = p.Get(ctx, k), p.HExists(ctx, key(t, kExtensions), number)
			}
			return nil
		})
		return notNil(err)
	})
	if err != nil {
		return nil, err
	}
	var out []hotdesk.Lockout
	for i, m := range members {
		var v struct{ N, At, Until, Since int64 }
		if json.Unmarshal([]byte(counts[i].Val()), &v) != nil || v.N == 0 {
			continue // it has expired meanwhile
		}
		l := hotdesk.Lockout{Tenant: t, Failures: int(v.N), Known: known[i].Val()}
		l.Number, l.Source, _ = strings.Cut(m, "|")
		switch {
		case l.Source == "":
			l.Forgets = time.UnixMilli(v.Since).Add(guessWindow)
		case v.Until > 0:
			l.Last, l.Until, l.Forgets = time.UnixMilli(v.At), time.UnixMilli(v.Until), time.UnixMilli(v.Until)
		default:
			l.Last, l.Forgets = time.UnixMilli(v.At), time.UnixMilli(v.At).Add(lockFor)
		}
		if l.Forgets.After(now) {
			out = append(out, l)
		}
	}
	return out, nil
}

// LiftLockouts forgets failures and so ends locks. It gives how many were
// forgotten.
func (s *Store) LiftLockouts(ctx context.Context, l hotdesk.Lift, now time.Time) (int, error) {
	all, err := s.Lockouts(ctx, l.Tenant, now)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, have := range all {
		if l.Number != "" && have.Number != l.Number || l.Source != "" && have.Source != l.Source {
			continue
		}
		e := directory.ExtensionID{Tenant: l.Tenant, Number: have.Number}
		count := keyGuesses(e)
		if have.Source != "" {
			count = keyLock(e, have.Source)
		}
		v, err := s.change(ctx, lockoutLiftScript, l.Tenant, now, []string{count},
			have.Number, have.Source, l.By, string(l.Door), flag(l.Quiet))
		if err != nil {
			return n, err
		}
		if v == int64(1) {
			n++
		}
	}
	return n, nil
}
