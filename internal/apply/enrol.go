package apply

import (
	"context"
	"fmt"

	"perch/hotdesk/directory"
)

// Enrol makes everything worthless by which a device fetched its files, as after
// a factory reset or a loss: the next generation of path tokens begins, and an
// HTTP password that Perch made is made anew and told this once. One that came
// from a directory file stays, and the answer is empty. An unknown device wraps
// hotdesk.ErrNotFound.
func (a *Applier) Enrol(ctx context.Context, id directory.DeviceID) (directory.Device, directory.Secret, error) {
	a.one.Lock()
	defer a.one.Unlock()
	old, err := a.store.Device(ctx, id)
	if err != nil {
		return old, "", fmt.Errorf("apply: enrol: %w", err)
	}
	now, secret := old, directory.Secret("")
	now.TokenGen++
	if old.MadeSecret() {
		secret = a.secret()
		if now.Secret.Value, err = a.keeper.Seal(id.SecretContext("secret"), secret); err != nil {
			return old, "", fmt.Errorf("apply: enrol: %w", err)
		}
	}
	changes := directory.Changes{Devices: []directory.Change[directory.Device]{{Old: &old, New: &now}}}
	if err := a.store.Write(ctx, changes, func(int) {}); err != nil {
		return old, "", fmt.Errorf("apply: enrol: %w", err)
	}
	return now, secret, nil
}
