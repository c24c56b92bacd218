package notify

import (
	"context"
	"errors"
	"fmt"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/dialog"
	"perch/sip/location"
	"perch/sip/presence"
)

// Move gives the subscriptions of a watcher (a MAC, or the number of a static
// password) that use a flow which is gone the one by which it was heard again,
// and has the state sent in each: what changed meanwhile did not arrive.
func (n *Notifier) Move(ctx context.Context, tenant directory.TenantCode, watcher string, from, to location.Flow) error {
	subs, err := n.Watchers.SubscriptionsOf(ctx, tenant, watcher)
	if err != nil {
		return fmt.Errorf("notify: move: %w", err)
	}
	for _, sub := range subs {
		if sub.Flow != from {
			continue
		}
		_, err := n.step(ctx, tenant, sub.ID, func(sub *presence.Subscription, _ *dialog.Dialog) error {
			if sub.Flow == from {
				sub.Flow = to
			}
			return nil
		})
		switch {
		case errors.Is(err, hotdesk.ErrNotFound), errors.Is(err, location.ErrSessionOver), errors.Is(err, errNotHere):
			continue // it ended meanwhile, or the phone has refreshed it elsewhere
		case err != nil:
			return err
		}
		n.queue(tenant, sub.ID, wanted{force: true})
	}
	return nil
}
