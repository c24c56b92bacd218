package app

import (
	"context"
	"log/slog"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/audit"
	"perch/hotdesk/trace"
	"perch/internal/event"
	"perch/internal/ratelimit"
	"perch/internal/store"
	"perch/metrics"
	"perch/provisioning/device"
	"perch/sip/upstream/registration"
)

// counter turns events into metrics. It counts only what this node did, or
// every number would be multiplied by the number of nodes.
type counter struct {
	node string
	m    *metrics.Metrics
}

func (c counter) count(e event.Event) {
	if e.Node != c.node {
		return
	}
	switch e.Type {
	case event.LoginRefused:
		c.m.Logins.Login(e.Door, e.Reason)
	case event.BindingCreated:
		if e.Detail != "owner" && !e.Companion { // nobody asked for an owner's return
			c.m.Logins.Login(e.Door, "ok")
		}
	case event.LockoutBegan:
		c.m.Audit.Lockout(e.Reason)
	case event.BindingEnded:
		if !e.Companion {
			c.m.Logins.Ended(e.Reason)
		}
	case event.NotifyAnswered:
		c.m.Notifier.Notify(e.Detail, e.Brand, notifyResult(e.Status))
	case event.TraceSuperseded:
		c.m.Reloads.Done(e.Brand, metrics.ReloadSuperseded, 0)
	case event.TraceReady:
		took := time.Duration(e.Millis) * time.Millisecond
		if e.Reason == "skipped" {
			c.m.Reloads.Done(e.Brand, metrics.ReloadSkipped, 0)
			return
		}
		c.m.Reloads.Done(e.Brand, metrics.ReloadReady, took)
		if e.Detail == string(trace.Login) {
			c.m.Logins.Ready(took)
		}
	case event.TraceFailed:
		c.m.Reloads.Done(e.Brand, metrics.ReloadFailed, 0)
		c.m.Logins.StepFailed(e.Target)
	}
}

func notifyResult(status int) string {
	switch {
	case status == 0:
		return metrics.NotifyNoAnswer
	case status < 300:
		return metrics.NotifyOK
	default:
		return metrics.NotifyRefused
	}
}

// sets are the closed sets of labels whose words belong to other packages.
func sets(brands, ops []string) metrics.Sets {
	s := metrics.Sets{Brands: brands, StoreOps: ops, BanReasons: ratelimit.BanReasons(), LoginResults: []string{"ok"}, Views: []string{"counters", "front desk", "reload", "timers", "live", "lamps"}}
	for _, k := range device.AlarmKinds() {
		s.AlarmKinds = append(s.AlarmKinds, string(k))
	}
	s.UpstreamReasons = registration.Reasons()
	for _, state := range registration.States() {
		s.UpstreamStates = append(s.UpstreamStates, string(state))
	}
	for _, d := range hotdesk.Doors() {
		s.Doors = append(s.Doors, string(d))
	}
	for _, r := range hotdesk.Reasons() {
		s.LoginResults = append(s.LoginResults, string(r))
	}
	for _, act := range audit.Acts() {
		s.Acts = append(s.Acts, string(act))
	}
	s.Ends = ends()
	for _, step := range trace.Steps() {
		s.Steps = append(s.Steps, string(step))
	}
	return s
}

// totals is what the installation holds now.
type totals interface {
	Counts(ctx context.Context) (store.Counts, error)
}

// gauge reads the totals every so often; a store that is away leaves the last
// ones standing, and perch_redis_up says so.
func gauge(ctx context.Context, s totals, m *metrics.Metrics, every time.Duration, log *slog.Logger) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		now, err := s.Counts(ctx)
		if err == nil {
			m.Logins.SetBindings(int(now.Bindings))
			m.Registrar.SetCurrent(int(now.Contacts))
			m.Notifier.SetSubscriptions("dialog", int(now.Subscriptions))
		} else if ctx.Err() == nil {
			log.DebugContext(ctx, "totals could not be read", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
