package store

import (
	"context"
	_ "embed" // the scripts
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/location"
	"perch/sip/presence"
)

var (
	//go:embed lua/subscription_save.lua
	luaSubscriptionSave string
	//go:embed lua/subscription_lit.lua
	luaSubscriptionLit string
	//go:embed lua/subscription_end.lua
	luaSubscriptionEnd string

	subscriptionSaveScript = newScript("subscription_save", luaSubscriptionSave, []string{kSeats, kSubscriptions, kSubExpiry}, "subs_of")
	subscriptionLitScript  = newScript("subscription_lit", luaSubscriptionLit, []string{kEvents, kReloads, kSubscriptions})
	subscriptionEndScript  = newScript("subscription_end", luaSubscriptionEnd, []string{kEvents, kSubscriptions, kSubExpiry})
)

// watcher is who a subscription belongs to: the device, or the number of a
// static password.
func watcher(sub presence.Subscription) string {
	if sub.MAC != "" {
		return sub.MAC
	}
	return sub.Number
}

// member is the subscription in its watcher's set.
func member(sub presence.Subscription) string {
	if sub.Session == "" {
		return "-|" + sub.ID
	}
	return string(sub.Session) + "|" + sub.ID
}

// subID is the subscription's id in a member.
func subID(member string) string {
	_, id, _ := strings.Cut(member, "|")
	return id
}

// errEnough ends an iteration that the caller has left.
var errEnough = errors.New("enough")

// SaveSubscription keeps a subscription, new or refreshed. One that is lit stays
// lit. Errors are location.ErrSessionOver, or wrap hotdesk.ErrUnavailable.
func (s *Store) SaveSubscription(ctx context.Context, sub presence.Subscription) error {
	v, err := s.change(ctx, subscriptionSaveScript, sub.Tenant, time.Now(),
		[]string{keySubsOf(sub.Tenant, watcher(sub))}, sub.ID, asJSON{sub})
	if err == nil && v == "over" {
		return location.ErrSessionOver
	}
	return err
}

// Subscription reads one. The error wraps hotdesk.ErrNotFound where there is
// none.
func (s *Store) Subscription(ctx context.Context, t directory.TenantCode, id string) (presence.Subscription, error) {
	var sub presence.Subscription
	found, err := s.field(ctx, "subscription", key(t, kSubscriptions), id, &sub)
	if err == nil && !found {
		err = fmt.Errorf("store: subscription: %w", hotdesk.ErrNotFound)
	}
	return sub, err
}

// EndSubscription ends one, with its event; one that is gone already is no
// error.
func (s *Store) EndSubscription(ctx context.Context, t directory.TenantCode, id, reason string) error {
	return s.endSubscriptions(ctx, t, time.Now(), []string{id}, reason, false)
}

// endSubscriptions ends those of the ids that exist; due: and are over.
func (s *Store) endSubscriptions(ctx context.Context, t directory.TenantCode, now time.Time, ids []string, reason string, due bool) error {
	if len(ids) == 0 {
		return nil
	}
	texts, err := s.someFields(ctx, "subscription_end", key(t, kSubscriptions), ids)
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(ids))
	args := []any{reason, ""}
	if due {
		args[1] = "due"
	}
	known := map[string]bool{}
	for _, text := range texts {
		var sub presence.Subscription
		if err := json.Unmarshal([]byte(text), &sub); err != nil {
			return fmt.Errorf("store: subscription_end: %w", err)
		}
		known[sub.ID] = true
		keys = append(keys, keySubsOf(t, watcher(sub)))
		args = append(args, member(sub))
	}
	for _, id := range ids {
		if !known[id] { // an index entry without its subscription
			keys, args = append(keys, keySubsOf(t, "-")), append(args, "-|"+id)
		}
	}
	_, err = s.change(ctx, subscriptionEndScript, t, now, keys, args...)
	return err
}

// Lit notes that the first NOTIFY of a subscription got its 200; only the first
// call makes an event.
func (s *Store) Lit(ctx context.Context, sub presence.Subscription) error {
	_, err := s.change(ctx, subscriptionLitScript, sub.Tenant, time.Now(), nil, sub.ID)
	return err
}

// Subscriptions gives every subscription of a tenant, in no order. It reads in
// parts; what changes meanwhile may be seen or not. An error is the last that is
// given.
func (s *Store) Subscriptions(ctx context.Context, t directory.TenantCode) iter.Seq2[presence.Subscription, error] {
	return func(yield func(presence.Subscription, error) bool) {
		err := s.fields(ctx, "subscriptions", key(t, kSubscriptions), func(_, text string) error {
			var sub presence.Subscription
			if err := json.Unmarshal([]byte(text), &sub); err != nil {
				return err
			}
			if !yield(sub, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(presence.Subscription{}, err)
		}
	}
}

// SubscriptionsOf reads those of one watcher: a MAC, or the number of a static
// password.
func (s *Store) SubscriptionsOf(ctx context.Context, t directory.TenantCode, watcher string) ([]presence.Subscription, error) {
	var ids []string
	err := s.do(ctx, "subscriptions_of", func(ctx context.Context) error {
		members, err := s.rdb.SMembers(ctx, keySubsOf(t, watcher)).Result()
		ids = nil
		for _, m := range members {
			ids = append(ids, subID(m))
		}
		return err
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	texts, err := s.someFields(ctx, "subscriptions_of", key(t, kSubscriptions), ids)
	if err != nil {
		return nil, err
	}
	out := make([]presence.Subscription, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			return nil, fmt.Errorf("store: subscriptions_of: %w", err)
		}
	}
	return out, nil
}
