package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// ErrExists says that the device is in the directory already.
var ErrExists = errors.New("apply: the device is in the directory already")

// Adopt takes a phone that is in no directory into a tenant. It makes the
// device's HTTP secret, which is told this once. A tenant or site that does not
// exist wraps hotdesk.ErrNotFound.
func (a *Applier) Adopt(ctx context.Context, d directory.Device) (directory.Secret, error) {
	a.one.Lock()
	defer a.one.Unlock()
	tenants, err := a.store.Tenants(ctx)
	if err != nil {
		return "", fmt.Errorf("apply: adopt: %w", err)
	}
	i := slices.IndexFunc(tenants, func(t directory.Tenant) bool { return t.Code == d.ID.Tenant })
	if i < 0 {
		return "", fmt.Errorf("apply: adopt: tenant %s: %w", d.ID.Tenant, hotdesk.ErrNotFound)
	}
	if _, known := tenants[i].Site(d.Site); d.Site != "" && !known {
		return "", fmt.Errorf("apply: adopt: site %s: %w", d.Site, hotdesk.ErrNotFound)
	}
	if _, err := a.store.Device(ctx, d.ID); !errors.Is(err, hotdesk.ErrNotFound) {
		if err == nil {
			err = ErrExists
		}
		return "", fmt.Errorf("apply: adopt: %w", err)
	}
	secret := a.secret()
	d.Secret.Value, err = a.keeper.Seal(d.ID.SecretContext("secret"), secret)
	if err != nil {
		return "", fmt.Errorf("apply: adopt: %w", err)
	}
	changes := directory.Changes{Devices: []directory.Change[directory.Device]{{New: &d}}}
	if err := a.store.Write(ctx, changes, func(int) {}); err != nil {
		return "", fmt.Errorf("apply: adopt: %w", err)
	}
	return secret, nil
}
