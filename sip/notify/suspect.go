package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/dialog"
	"perch/sip/presence"
	"perch/sip/presence/dialoginfo"
)

// digestOf names a state, whatever its version, so that the same one is not
// sent twice. Idle is the empty name; ended dialogs are as good as none.
func digestOf(s presence.State) string {
	live := slices.DeleteFunc(slices.Clone(s.Dialogs), func(d presence.Dialog) bool { return d.Phase == presence.Terminated })
	if len(live) == 0 {
		return ""
	}
	sum := sha256.Sum256(dialoginfo.Render(nil, presence.State{Dialogs: live}, 0))
	return hex.EncodeToString(sum[:8])
}

// unsureFor is for how long after a NOTIFY it may still be under way (RFC 3261
// timer F).
const unsureFor = 35 * time.Second

// missed tells, after a restart, whether the state is another than the watcher
// was sent last, and whether that one may not have arrived.
func (n *Notifier) missed(sub presence.Subscription) (missed, unsure bool) {
	if strings.Contains(sub.Target, "@") {
		return false, false
	}
	s := n.Lamps.Watch(directory.ExtensionID{Tenant: sub.Tenant, Number: sub.Target})
	ago := n.Now().Sub(time.UnixMilli(sub.Sent))
	return digestOf(s) != sub.Shown, sub.Sent != 0 && ago < unsureFor
}

// unknown is the digest of a state that may not have arrived: no state has it.
const unknown = "?"

// doubt notes that the state which is stored as sent did not arrive, so that the
// next change is sent whatever it is.
func (n *Notifier) doubt(ctx context.Context, tenant directory.TenantCode, id string) {
	_, err := n.step(ctx, tenant, id, func(sub *presence.Subscription, _ *dialog.Dialog) error {
		sub.Shown = unknown
		return nil
	})
	if err != nil && ctx.Err() == nil {
		n.Log.Debug("undelivered state not noted", "tenant", tenant, "error", err)
	}
}

// suspects counts a subscription whose watcher does not answer.
func (n *Notifier) suspects(sub presence.Subscription) {
	n.Log.Info("a watcher does not answer", "tenant", sub.Tenant, "device", sub.MAC)
	n.Metrics.SetSuspect(n.index.suspect(sub.ID, true))
}

// clear notes that the watcher answers again.
func (n *Notifier) clear(ctx context.Context, sub presence.Subscription) {
	n.Metrics.SetSuspect(n.index.suspect(sub.ID, false))
	_, err := n.step(ctx, sub.Tenant, sub.ID, func(sub *presence.Subscription, _ *dialog.Dialog) error {
		sub.Suspect = 0
		return nil
	})
	if err != nil && !errors.Is(err, hotdesk.ErrNotFound) && !errors.Is(err, errNotHere) {
		n.complain(ctx, sub, "answering watcher not noted", err)
	}
}
