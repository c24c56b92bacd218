package store

import (
	"context"
	_ "embed" // the script
	"net/netip"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/unban.lua
var luaUnban string

var unbanScript = redis.NewScript(luaUnban)

// unbanHeardWithin is how long nodes may take to hear of a ban that was lifted.
const unbanHeardWithin = 10 * time.Minute

// LiftBan ends the ban of an address at every node, within seconds. false: it was
// not banned by what the store knows.
func (s *Store) LiftBan(ctx context.Context, a netip.Addr, now time.Time) (bool, error) {
	v, err := s.run(ctx, "unban", unbanScript, []string{kBans, kUnbans}, ms(now), a.String(), unbanHeardWithin.Milliseconds())
	return v == int64(1), err
}

// Unbanned lists the addresses whose bans were lifted after a time, with when.
func (s *Store) Unbanned(ctx context.Context, after time.Time) (map[netip.Addr]time.Time, error) {
	out := map[netip.Addr]time.Time{}
	err := s.do(ctx, "unban", func(ctx context.Context) error {
		all, err := s.rdb.ZRangeByScoreWithScores(ctx, kUnbans, &redis.ZRangeBy{Min: "(" + ms(after), Max: "+inf", Count: bansMost}).Result()
		for _, z := range all {
			text, _ := z.Member.(string)
			if addr, err := netip.ParseAddr(text); err == nil {
				out[addr] = time.UnixMilli(int64(z.Score))
			}
		}
		return err
	})
	return out, err
}
