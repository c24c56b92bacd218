package store

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/sip/upstream/registration"
)

var (
	//go:embed lua/upstream_want.lua
	luaUpstreamWant string
	//go:embed lua/upstream_claim.lua
	luaUpstreamClaim string
	//go:embed lua/upstream_save.lua
	luaUpstreamSave string

	upstreamWantScript  = newScript("upstream_want", luaUpstreamWant, []string{kUpstreams, kUpstreamDue})
	upstreamClaimScript = newScript("upstream_claim", luaUpstreamClaim, []string{kUpstreams, kUpstreamDue})
	upstreamSaveScript  = newScript("upstream_save", luaUpstreamSave, []string{kEvents, kUpstreams, kUpstreamDue}, "request")
)

// ClaimedCSeqs is how many sequence numbers each claim of a registration has to
// itself: no request after a crash is older than one before.
const ClaimedCSeqs = 16

// WantUpstream says that the extension of an account shall be registered at the
// PBX; a record of another PBX or user is undone first. changed is false where
// that was known.
func (s *Store) WantUpstream(ctx context.Context, t directory.TenantCode, a registration.Account, now time.Time) (changed bool, err error) {
	args := struct {
		registration.Account
		Gen string `json:"gen"`
	}{a, a.Generation()}
	v, err := s.change(ctx, upstreamWantScript, t, now, nil, a.Number, asJSON{args}, rand.Text()+"@perch", 1)
	return v == int64(1), err
}

// UnwantUpstream says that the extension shall not be registered any more.
func (s *Store) UnwantUpstream(ctx context.Context, e directory.ExtensionID, now time.Time) (changed bool, err error) {
	v, err := s.change(ctx, upstreamWantScript, e.Tenant, now, nil, e.Number, "", "", 0)
	return v == int64(1), err
}

// ClaimUpstreams hands out up to most registrations of a tenant that are due,
// each to one claimant until its lease is over; those that another node holds
// only when it is late by grace. next is when the next one is due; zero: there
// is none.
func (s *Store) ClaimUpstreams(ctx context.Context, t directory.TenantCode, now time.Time, lease, grace time.Duration, most int) (out []registration.Record, next time.Time, err error) {
	v, err := s.change(ctx, upstreamClaimScript, t, now, nil, lease.Milliseconds(), most, grace.Milliseconds(), ClaimedCSeqs)
	if err != nil {
		return nil, time.Time{}, err
	}
	a, ok := v.([]any)
	if !ok || len(a) == 0 {
		return nil, time.Time{}, fmt.Errorf("store: upstream_claim: answer %v", v)
	}
	out = make([]registration.Record, len(a)-1)
	for n := range out {
		text, _ := a[n+1].(string)
		if err := json.Unmarshal([]byte(text), &out[n]); err != nil {
			return nil, time.Time{}, fmt.Errorf("store: upstream_claim: %w", err)
		}
		out[n].Tenant = t
	}
	score, _ := a[0].(string)
	return out, scoreTime(score), nil
}

// ErrSuperseded says that another claim holds what was to be written.
var ErrSuperseded = errors.New("store: another claim holds it")

// SaveUpstream writes what came of a claimed registration, with the events of
// that; one that does not Stay is removed. The error is ErrSuperseded, or wraps
// hotdesk.ErrUnavailable.
func (s *Store) SaveUpstream(ctx context.Context, r registration.Record, due time.Time, events ...event.Event) error {
	at := ""
	if r.Stays() {
		at = ms(due)
	}
	v, err := s.change(ctx, upstreamSaveScript, r.Tenant, time.Now(), []string{keyRequest(r.Tenant, rand.Text())},
		r.Number, asJSON{r}, at, eventList(events))
	if err == nil && v == "superseded" {
		return ErrSuperseded
	}
	return err
}

// Upstreams reads all registrations of a tenant, in no order.
func (s *Store) Upstreams(ctx context.Context, t directory.TenantCode) ([]registration.Record, error) {
	var out []registration.Record
	err := s.fields(ctx, "upstreams", key(t, kUpstreams), func(_, text string) error {
		var r registration.Record
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return err
		}
		r.Tenant = t
		out = append(out, r)
		return nil
	})
	return out, err
}

// LoggedIn reads which of a tenant's extensions are logged in somewhere.
func (s *Store) LoggedIn(ctx context.Context, t directory.TenantCode) ([]string, error) {
	var out []string
	err := s.do(ctx, "logged_in", func(ctx context.Context) (err error) {
		out, err = s.rdb.HKeys(ctx, key(t, kLogins)).Result()
		return err
	})
	return out, err
}

// IsLoggedIn tells whether an extension is logged in somewhere.
func (s *Store) IsLoggedIn(ctx context.Context, e directory.ExtensionID) (is bool, err error) {
	err = s.do(ctx, "logged_in", func(ctx context.Context) (err error) {
		is, err = s.rdb.HExists(ctx, key(e.Tenant, kLogins), e.Number).Result()
		return err
	})
	return is, err
}

// Lease gives this node a job for a time; false: another node has it. The node
// that has it may take it again.
func (s *Store) Lease(ctx context.Context, name string, d time.Duration) (got bool, err error) {
	k := "{*}:lease:" + name
	err = s.do(ctx, "lease", func(ctx context.Context) error {
		ok, err := s.rdb.SetNX(ctx, k, s.node, d).Result()
		if got = ok; err != nil || ok {
			return err
		}
		owner, err := s.rdb.Get(ctx, k).Result()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		if got = owner == s.node; err == nil && got {
			err = s.rdb.PExpire(ctx, k, d).Err()
		}
		return err
	})
	return got, err
}
