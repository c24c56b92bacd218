package store

import (
	"context"
	_ "embed" // the script
	"net/netip"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/ban.lua
var luaBan string

var banScript = redis.NewScript(luaBan)

// bansMost bounds the list: anybody can make addresses misbehave.
const bansMost = 10_000

// Ban keeps an address out of every node until a time.
type Ban struct {
	Addr  netip.Addr
	Until time.Time
}

// AddBan bans an address. A longer ban of it stays; of more than 10,000 those
// that end last.
func (s *Store) AddBan(ctx context.Context, b Ban, now time.Time) error {
	_, err := s.run(ctx, "ban", banScript, []string{kBans}, ms(now), b.Addr.String(), ms(b.Until), bansMost)
	return err
}

// Bans lists the bans that hold now.
func (s *Store) Bans(ctx context.Context, now time.Time) ([]Ban, error) {
	var out []Ban
	err := s.do(ctx, "bans", func(ctx context.Context) error {
		all, err := s.rdb.ZRangeByScoreWithScores(ctx, kBans, &redis.ZRangeBy{Min: "(" + ms(now), Max: "+inf", Count: bansMost}).Result()
		if err != nil {
			return err
		}
		out = make([]Ban, 0, len(all))
		for _, z := range all {
			text, _ := z.Member.(string)
			if addr, err := netip.ParseAddr(text); err == nil {
				out = append(out, Ban{Addr: addr, Until: time.UnixMilli(int64(z.Score))})
			}
		}
		return nil
	})
	return out, err
}
