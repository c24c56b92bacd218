package app

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/ratelimit"
	"perch/internal/store"
	"perch/metrics"
)

// banStore keeps what the nodes share of their admission.
type banStore interface {
	AddBan(ctx context.Context, b store.Ban, now time.Time) error
	Bans(ctx context.Context, now time.Time) ([]store.Ban, error)
	Unbanned(ctx context.Context, after time.Time) (map[netip.Addr]time.Time, error)
	Tenants(ctx context.Context) ([]directory.Tenant, error)
}

// guard makes a ban of one node hold at all of them, within seconds, and knows
// the emergency numbers of all tenants without asking the store.
type guard struct {
	store   banStore
	list    *ratelimit.Bans
	metrics *metrics.SIP
	log     *slog.Logger

	fresh   chan ratelimit.Ban // made here, not in the store yet
	numbers atomic.Pointer[map[string]bool]
}

// freshBans bounds what waits for a store that is away; more hold here only.
const freshBans = 256

const (
	bansEvery    = 2 * time.Second
	numbersEvery = 30 * time.Second
)

func newGuard(s banStore, m *metrics.SIP, log *slog.Logger) *guard {
	return &guard{store: s, list: ratelimit.NewBans(), metrics: m, log: log, fresh: make(chan ratelimit.Ban, freshBans)}
}

// banned takes a ban that began here. It does not block.
func (g *guard) banned(b ratelimit.Ban) {
	g.log.Info("address banned", "address", b.Addr.String(), "reason", b.Why, "until", b.Until.UTC().Format(time.RFC3339))
	select {
	case g.fresh <- b:
	default:
	}
}

// emergency tells whether some tenant has this emergency number.
func (g *guard) emergency(user string) bool {
	all := g.numbers.Load()
	return all != nil && (*all)[user]
}

// run shares until ctx ends. A store that is away is asked again.
func (g *guard) run(ctx context.Context) error {
	bans, numbers := time.NewTicker(bansEvery), time.NewTicker(numbersEvery)
	defer bans.Stop()
	defer numbers.Stop()
	g.readNumbers(ctx)
	g.readBans(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case b := <-g.fresh:
			if err := g.store.AddBan(ctx, store.Ban{Addr: b.Addr, Until: b.Until}, time.Now()); err != nil && ctx.Err() == nil {
				g.log.Debug("ban not shared", "err", err)
			}
		case <-bans.C:
			g.readBans(ctx)
		case <-numbers.C:
			g.readNumbers(ctx)
		}
	}
}

func (g *guard) readBans(ctx context.Context) {
	now := time.Now()
	all, err := g.store.Bans(ctx, now)
	if err != nil && ctx.Err() == nil {
		g.log.Debug("bans could not be read", "err", err)
	}
	g.readLifted(ctx, now)
	for _, b := range all {
		g.list.Add(ratelimit.Ban{Addr: b.Addr, Until: b.Until, Why: ratelimit.BanShared})
	}
	g.metrics.SetBans(g.list.Sweep(now))
}

// liftedFor is how long a ban that was lifted is lifted here again: clocks of
// nodes differ.
const liftedFor = time.Minute

// readLifted ends the bans that somebody has lifted. One that began anew since is
// in the store, and comes back with the others.
func (g *guard) readLifted(ctx context.Context, now time.Time) {
	lifted, err := g.store.Unbanned(ctx, now.Add(-liftedFor))
	if err != nil {
		return // asked again
	}
	for addr := range lifted {
		g.list.Lift(addr)
	}
}

func (g *guard) readNumbers(ctx context.Context) {
	tenants, err := g.store.Tenants(ctx)
	if err != nil {
		return // those read last stand
	}
	all := map[string]bool{}
	for _, t := range tenants {
		for _, n := range t.EmergencyNumbers {
			all[n] = true
		}
	}
	g.numbers.Store(&all)
}
