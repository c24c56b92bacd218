package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/metrics"
	"perch/sip/upstream/registration"
)

// Directory reads what decides whether an extension is registered.
type Directory interface {
	Tenant(ctx context.Context, code directory.TenantCode) (directory.Tenant, error)
	Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error)
	LoggedIn(ctx context.Context, t directory.TenantCode) ([]string, error)
	IsLoggedIn(ctx context.Context, e directory.ExtensionID) (bool, error)
}

// Records keeps the registrations, with leases: one node works at a record.
type Records interface {
	WantUpstream(ctx context.Context, t directory.TenantCode, a registration.Account, now time.Time) (changed bool, err error)
	UnwantUpstream(ctx context.Context, e directory.ExtensionID, now time.Time) (changed bool, err error)
	ClaimUpstreams(ctx context.Context, t directory.TenantCode, now time.Time, lease, grace time.Duration, most int) ([]registration.Record, time.Time, error)
	SaveUpstream(ctx context.Context, r registration.Record, due time.Time, events ...event.Event) error
	Upstreams(ctx context.Context, t directory.TenantCode) ([]registration.Record, error)
}

// Leases give a job to one node at a time.
type Leases interface {
	Lease(ctx context.Context, name string, d time.Duration) (bool, error)
}

// KeeperOptions are what a Keeper is made of; all but Metrics are required.
type KeeperOptions struct {
	Node      string
	Client    *Client
	Tenants   *Tenants
	Directory Directory
	Records   Records
	Leases    Leases
	Secrets   Secrets
	Metrics   *metrics.Upstream
	Log       *slog.Logger
}

// Keeper registers at the PBX whoever is logged in and has an account there, and
// nobody else. What there is to do is in the store, so that it goes on after a
// restart, and at another node when one is gone.
type Keeper struct {
	KeeperOptions
	wake chan struct{}
	room chan struct{} // registrations under way
	had  map[directory.TenantCode]bool
}

const (
	claimLease   = 30 * time.Second // a node that dies in the middle delays what it had begun by so much
	attemptFor   = 25 * time.Second // all hops and challenges of one attempt
	claimGrace   = 20 * time.Second // before another node takes over
	mostAtOnce   = 32
	lookEvery    = 5 * time.Second
	countEvery   = 10 * time.Second
	compareEvery = time.Minute
)

// NewKeeper makes a Keeper.
func NewKeeper(o KeeperOptions) *Keeper {
	return &Keeper{
		KeeperOptions: o, wake: make(chan struct{}, 1), room: make(chan struct{}, mostAtOnce), had: map[directory.TenantCode]bool{},
	}
}

// Wake makes the Keeper look at once for what is due.
func (k *Keeper) Wake() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, then waits for the requests under way.
func (k *Keeper) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	look := time.NewTimer(0)
	defer look.Stop()
	count, compare := time.NewTicker(countEvery), time.NewTicker(compareEvery)
	defer count.Stop()
	defer compare.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.wake:
		case <-look.C:
		case <-count.C:
			k.count(ctx)
			continue
		case <-compare.C:
			k.compareAll(ctx)
			continue
		}
		next := k.round(ctx, &working)
		look.Reset(min(max(time.Until(next), 50*time.Millisecond), lookEvery))
	}
}

// round begins what is due and says when there will be more.
func (k *Keeper) round(ctx context.Context, working *sync.WaitGroup) time.Time {
	next := k.Client.Now().Add(lookEvery)
	for _, t := range k.tenants() {
		free := cap(k.room) - len(k.room)
		if free == 0 {
			return k.Client.Now()
		}
		due, at, err := k.Records.ClaimUpstreams(ctx, t, k.Client.Now(), claimLease, claimGrace, free)
		if err != nil {
			if ctx.Err() == nil {
				k.Log.Warn("registrations at the upstream not read", "tenant", t, "error", err)
			}
			return next
		}
		for _, r := range due {
			k.room <- struct{}{}
			working.Go(func() {
				defer func() { <-k.room }()
				k.work(ctx, r)
			})
		}
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

// tenants are those with an upstream, and those that had one since the start:
// what they registered has to be undone.
func (k *Keeper) tenants() []directory.TenantCode {
	for _, t := range k.Tenants.trunks() {
		k.had[t.tenant.Code] = true
	}
	out := make([]directory.TenantCode, 0, len(k.had))
	for t := range k.had {
		out = append(out, t)
	}
	return out
}

// work brings one record to what is wanted.
func (k *Keeper) work(ctx context.Context, r registration.Record) {
	was, now := r.State, k.Client.Now()
	if len(r.Contacts) > 0 || r.Wanted {
		trying, cancel := context.WithTimeout(ctx, attemptFor)
		sent, ans := k.Client.register(trying, r, k.Secrets)
		cancel()
		if ctx.Err() != nil && !ans.OK() {
			return // the lease ends, and somebody goes on
		}
		now = k.Client.Now()
		var due time.Time
		r, due = sent.Next(ans, now, rand.Float64())
		r.Node = k.Node
		k.Metrics.Register(registerResult(ans))
		k.save(ctx, r, due, was)
		return
	}
	k.save(ctx, r, now, was)
}

func registerResult(a registration.Answer) string {
	if a.OK() {
		return metrics.UpstreamOK
	}
	return a.Why
}

// save writes a record with the news of it. What has gone may be wanted again:
// at another PBX.
func (k *Keeper) save(ctx context.Context, r registration.Record, due time.Time, was registration.State) {
	ctx = context.WithoutCancel(ctx) // what the PBX did has happened
	if err := k.Records.SaveUpstream(ctx, r, due, news(r, was)...); err != nil {
		k.Log.Warn("registration at the upstream not written", "tenant", r.Tenant, "extension", r.Number, "error", err)
		return
	}
	if r.State != was || !r.Stays() {
		k.Log.Info("registration at the upstream", "tenant", r.Tenant, "extension", r.Number, "state", string(r.State), "status", r.Status, "reason", r.Why)
	}
	if !r.Stays() {
		if err := k.compareOne(ctx, directory.ExtensionID{Tenant: r.Tenant, Number: r.Number}); err != nil {
			k.Log.Warn("registration at the upstream not compared", "tenant", r.Tenant, "extension", r.Number, "error", err)
		}
	}
}

// news are the events of a change.
func news(r registration.Record, was registration.State) []event.Event {
	e := event.Event{Tenant: r.Tenant, Number: r.Number, Target: r.Hop, Status: r.Status}
	switch {
	case !r.Stays():
		e.Type = event.UpstreamUnregistered
	case r.State == was:
		return nil
	case r.State == registration.Registered:
		e.Type = event.UpstreamRegistered
	case r.State == registration.Failed:
		e.Type, e.Reason = event.UpstreamFailed, r.Why
	default:
		return nil
	}
	return []event.Event{e}
}

// Handle is the job of the event stream: who logged in or out is registered or
// unregistered, a changed directory is compared.
func (k *Keeper) Handle(ctx context.Context, events []event.Event) error {
	whole, some := map[directory.TenantCode]bool{}, map[directory.ExtensionID]bool{}
	for _, e := range events {
		switch e.Type {
		case event.BindingCreated, event.BindingEnded:
			some[directory.ExtensionID{Tenant: e.Tenant, Number: e.Number}] = true
		case event.DirectoryChanged:
			whole[e.Tenant] = true
		}
	}
	for t := range whole {
		k.Tenants.Refresh()
		if err := k.compare(ctx, t); err != nil {
			return err
		}
	}
	for id := range some {
		if !whole[id.Tenant] {
			if err := k.compareOne(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareOne makes one record wanted or not.
func (k *Keeper) compareOne(ctx context.Context, id directory.ExtensionID) error {
	acc, ok, err := k.accountOf(ctx, id)
	if err == nil && ok {
		ok, err = k.Directory.IsLoggedIn(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	return k.want(ctx, id, acc, ok)
}

func (k *Keeper) want(ctx context.Context, id directory.ExtensionID, acc registration.Account, wanted bool) error {
	var changed bool
	var err error
	if wanted {
		changed, err = k.Records.WantUpstream(ctx, id.Tenant, acc, k.Client.Now())
	} else {
		changed, err = k.Records.UnwantUpstream(ctx, id, k.Client.Now())
	}
	if changed {
		k.Wake()
	}
	return err
}

// accountOf gives what an extension is registered with; false: it is not.
func (k *Keeper) accountOf(ctx context.Context, id directory.ExtensionID) (registration.Account, bool, error) {
	t, err := k.Directory.Tenant(ctx, id.Tenant)
	if errors.Is(err, hotdesk.ErrNotFound) || err == nil && t.Upstream == nil {
		return registration.Account{}, false, nil
	}
	if err != nil {
		return registration.Account{}, false, err
	}
	e, err := k.Directory.Extension(ctx, id)
	if errors.Is(err, hotdesk.ErrNotFound) || err == nil && e.Upstream == nil {
		return registration.Account{}, false, nil
	}
	if err != nil {
		return registration.Account{}, false, err
	}
	return registration.Account{Number: id.Number, URI: t.Upstream.URI, Username: e.Upstream.Username, Password: e.Upstream.Password}, true, nil
}
