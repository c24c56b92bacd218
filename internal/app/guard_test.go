package app

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/ratelimit"
	"perch/internal/store"
)

// shared is a store of bans that two nodes have in common, and that can be
// away.
type shared struct {
	mu     sync.Mutex
	bans   map[netip.Addr]time.Time
	lifted map[netip.Addr]time.Time
	away   bool
}

var errAway = errors.New("away")

func (s *shared) AddBan(_ context.Context, b store.Ban, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errAway
	}
	s.bans[b.Addr] = b.Until
	return nil
}

func (s *shared) Bans(_ context.Context, now time.Time) (out []store.Ban, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	for a, until := range s.bans {
		if until.After(now) {
			out = append(out, store.Ban{Addr: a, Until: until})
		}
	}
	return out, nil
}

func (s *shared) Unbanned(_ context.Context, after time.Time) (map[netip.Addr]time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[netip.Addr]time.Time{}
	for a, at := range s.lifted {
		if at.After(after) {
			out[a] = at
		}
	}
	return out, nil
}

func (s *shared) Tenants(context.Context) ([]directory.Tenant, error) {
	return []directory.Tenant{{Code: "a", EmergencyNumbers: []string{"0112"}}, {Code: "b", EmergencyNumbers: []string{"112"}}}, nil
}

func (s *shared) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// TestBansAreShared: a ban of one node holds at another within seconds, ends
// there too, and survives a store that is away.
func TestBansAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{bans: map[netip.Addr]time.Time{}}
		one, two := newGuard(s, nil, slog.New(slog.DiscardHandler)), newGuard(s, nil, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var tasks sync.WaitGroup
		for _, g := range []*guard{one, two} {
			tasks.Go(func() {
				if err := g.run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if !one.emergency("0112") || !two.emergency("112") || one.emergency("1001") {
			t.Error("emergency numbers")
		}
		stranger := netip.MustParseAddr("192.0.2.1")
		b := ratelimit.Ban{Addr: stranger, Until: time.Now().Add(15 * time.Minute), Why: ratelimit.BanNames}
		one.list.Add(b)
		one.banned(b)
		synctest.Wait()
		s.setAway(true)
		<-time.After(bansEvery + time.Second)
		if two.list.Holds(stranger, time.Now()) {
			t.Error("it came by itself")
		}
		s.setAway(false)
		<-time.After(bansEvery)
		synctest.Wait()
		if !two.list.Holds(stranger, time.Now()) {
			t.Error("the other node does not know")
		}
		s.mu.Lock()
		delete(s.bans, stranger)
		s.lifted = map[netip.Addr]time.Time{stranger: time.Now()}
		s.mu.Unlock()
		<-time.After(bansEvery)
		synctest.Wait()
		if one.list.Holds(stranger, time.Now()) || two.list.Holds(stranger, time.Now()) {
			t.Error("it was lifted, and holds")
		}
		<-time.After(2 * liftedFor)
		one.list.Add(b)
		one.banned(b)
		<-time.After(bansEvery)
		synctest.Wait()
		if !two.list.Holds(stranger, time.Now()) {
			t.Error("it cannot be banned again")
		}
		<-time.After(15 * time.Minute)
		if two.list.Holds(stranger, time.Now()) || one.list.Holds(stranger, time.Now()) {
			t.Error("it does not end")
		}
		cancel()
		tasks.Wait()
	})
}

// TestManyBans: a store that is away holds up nobody.
func TestManyBans(t *testing.T) {
	g := newGuard(&shared{}, nil, slog.New(slog.DiscardHandler))
	for range freshBans + 10 {
		g.banned(ratelimit.Ban{Addr: netip.MustParseAddr("192.0.2.1")})
	}
	if len(g.fresh) != freshBans {
		t.Error(len(g.fresh))
	}
}
