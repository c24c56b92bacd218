package upstream

import (
	"context"
	"fmt"

	"perch/hotdesk/directory"
	"perch/sip/upstream/registration"
)

// compareAll finds what the event stream did not tell, on one node at a time.
func (k *Keeper) compareAll(ctx context.Context) {
	mine, err := k.Leases.Lease(ctx, "upstream", 2*compareEvery)
	for _, t := range k.tenants() {
		if err != nil || !mine {
			break
		}
		err = k.compare(ctx, t)
	}
	if err != nil && ctx.Err() == nil {
		k.Log.Warn("registrations at the upstream not compared", "error", err)
	}
}

// compare makes the records of a tenant agree with who is logged in.
func (k *Keeper) compare(ctx context.Context, t directory.TenantCode) error {
	in, err := k.Directory.LoggedIn(ctx, t)
	if err != nil {
		return fmt.Errorf("upstream: logins: %w", err)
	}
	records, err := k.Records.Upstreams(ctx, t)
	if err != nil {
		return fmt.Errorf("upstream: records: %w", err)
	}
	is := make(map[string]registration.Record, len(records))
	for _, r := range records {
		is[r.Number] = r
	}
	for _, number := range in {
		id := directory.ExtensionID{Tenant: t, Number: number}
		acc, ok, err := k.accountOf(ctx, id)
		if err != nil {
			return fmt.Errorf("upstream: account: %w", err)
		}
		if r, known := is[number]; known && ok == r.Wanted && (!ok || r.Gen == acc.Generation()) {
			delete(is, number)
			continue
		}
		delete(is, number)
		if err := k.want(ctx, id, acc, ok); err != nil {
			return fmt.Errorf("upstream: want: %w", err)
		}
	}
	for number, r := range is { // nobody is logged in
		if !r.Wanted {
			continue
		}
		if err := k.want(ctx, directory.ExtensionID{Tenant: t, Number: number}, registration.Account{}, false); err != nil {
			return fmt.Errorf("upstream: want: %w", err)
		}
	}
	return nil
}

// count tells the metrics how many registrations there are in each state.
func (k *Keeper) count(ctx context.Context) {
	n := map[registration.State]int{}
	for _, t := range k.tenants() {
		all, err := k.Records.Upstreams(ctx, t)
		if err != nil {
			return
		}
		for _, r := range all {
			n[r.State]++
		}
	}
	for _, s := range registration.States() {
		k.Metrics.SetRegistrations(string(s), n[s])
	}
}
