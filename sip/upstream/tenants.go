package upstream

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"perch/hotdesk/directory"
)

// AllTenants reads every tenant.
type AllTenants interface {
	Tenants(ctx context.Context) ([]directory.Tenant, error)
}

// refreshTenants is how old a Tenants may be.
const refreshTenants = 5 * time.Second

// Tenants is what every call asks of the tenants' upstreams, kept so that a call
// asks no store. Safe for use by several goroutines.
type Tenants struct {
	store AllTenants
	log   *slog.Logger
	wake  chan struct{}
	now   atomic.Pointer[[]trunk]
}

// trunk is a tenant with an upstream.
type trunk struct {
	tenant  directory.Tenant
	trusted []netip.Prefix
}

func (t trunk) trusts(a netip.Addr) bool {
	for _, p := range t.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// NewTenants makes a Tenants; Run keeps it fresh.
func NewTenants(store AllTenants, log *slog.Logger) *Tenants {
	return &Tenants{store: store, log: log, wake: make(chan struct{}, 1)}
}

// Refresh has the tenants read anew, soon.
func (t *Tenants) Refresh() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Run reads the tenants again and again until ctx ends. A store that is away
// leaves those that were read last.
func (t *Tenants) Run(ctx context.Context) error {
	tick := time.NewTicker(refreshTenants)
	defer tick.Stop()
	for {
		if err := t.Load(ctx); err != nil && ctx.Err() == nil {
			t.log.Debug("tenants could not be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-t.wake:
		}
	}
}

// Load reads the tenants now.
func (t *Tenants) Load(ctx context.Context) error {
	all, err := t.store.Tenants(ctx)
	if err != nil {
		return err
	}
	trunks := []trunk{}
	for _, tenant := range all {
		if tenant.Upstream == nil {
			continue
		}
		trunks = append(trunks, trunk{tenant: tenant, trusted: prefixes(tenant.Upstream.Trusted)})
	}
	t.now.Store(&trunks)
	return nil
}

// trunks are the tenants that have an upstream.
func (t *Tenants) trunks() []trunk {
	if all := t.now.Load(); all != nil {
		return *all
	}
	return nil
}

func prefixes(texts []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range texts {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
		} else if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}
