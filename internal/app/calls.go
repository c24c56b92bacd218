package app

import (
	"context"
	"encoding/json"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/metrics"
	"perch/sip/calls"
	"perch/sip/flow"
	"perch/sip/presence"
	"perch/sip/probe"
)

const (
	// lampsAnew is how often the view of all calls is read from the store, so
	// that whatever it may have missed is mended by itself.
	lampsAnew = 20 * time.Second
	// callsWithin bounds what a shutdown waits for the store to take.
	callsWithin = 3 * time.Second
)

// startCalls builds what knows the calls: the tracker that the proxy tells, and
// the view that lamps are rendered from.
func (a *App) startCalls(ctx context.Context) error {
	a.lamps = &presence.Lamps{}
	var err error
	a.calls, err = calls.NewTracker(calls.Options{Node: a.node, Store: a.store, Log: a.log, Lost: a.metrics.Calls.Lost})
	if err != nil {
		return err
	}
	a.life.onStop("calls", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, callsWithin)
		defer cancel()
		return a.calls.Close(ctx)
	})
	a.life.task("calls", a.calls.Run)
	_, err = a.readLamps(ctx)
	return err
}

// watcher is told whose lamps have changed.
type watcher interface {
	Changed(tenant directory.TenantCode, number string)
	Recall(tenant directory.TenantCode, mac, number string)
}

// startLamps has the watchers follow the calls, and ends those calls whose end
// never comes. It needs the SIP side: sender asks the phones.
func (a *App) startLamps(watch watcher, sender *flow.Sender) {
	a.life.task("lamps", func(ctx context.Context) error { return a.followCalls(ctx, watch) })
	sweeper := calls.Sweeper{Tracker: a.calls, Due: a.store, Prober: probe.Prober{Node: a.node, Sender: sender}, Log: a.log}
	a.life.task("ends of calls", sweeper.Run)
}

// readLamps reads all calls, and gives the extensions whose state that changed.
func (a *App) readLamps(ctx context.Context) ([]directory.ExtensionID, error) {
	codes, err := a.store.TenantCodes(ctx)
	if err != nil {
		return nil, err
	}
	var changed []directory.ExtensionID
	for _, code := range codes {
		var s presence.Snapshot
		if s.Rev, err = a.store.CallRev(ctx, code); err != nil {
			return changed, err
		}
		for c, err := range a.store.Calls(ctx, code) {
			if err != nil {
				return changed, err
			}
			s.Calls = append(s.Calls, c.Public())
		}
		if s.Versions, err = a.store.Lamps(ctx, code); err != nil {
			return changed, err
		}
		changed = append(changed, a.lamps.Reset(code, s)...)
	}
	return changed, nil
}

// followCalls keeps the view true until ctx ends: a snapshot, then the events;
// one that fell behind starts again.
func (a *App) followCalls(ctx context.Context, watch watcher) error {
	tell := func(changed []directory.ExtensionID) {
		for _, id := range changed {
			watch.Changed(id.Tenant, id.Number)
		}
	}
	for ctx.Err() == nil {
		sub := a.bus.Subscribe(viewBuffer)
		changed, err := a.readLamps(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Debug("calls not read", "error", err)
		}
		tell(changed)
		a.drainCalls(ctx, sub, watch, tell)
		sub.Close()
		if sub.Behind() {
			a.metrics.Events.Lost("lamps")
			a.log.Warn("a view fell behind and starts again", "view", "lamps")
		}
	}
	return nil
}

// drainCalls takes events until the view is to be read anew.
func (a *App) drainCalls(ctx context.Context, sub *event.Subscription, watch watcher, tell func([]directory.ExtensionID)) {
	anew := time.NewTimer(lampsAnew)
	defer anew.Stop()
	tick := time.NewTicker(totalsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-anew.C:
			return
		case <-tick.C:
			a.metrics.Calls.Set(a.lamps.Count())
		case e, ok := <-sub.C():
			if !ok {
				return
			}
			if e.Type == event.SubscriptionEnded || e.Type == event.BindingEnded {
				watch.Recall(e.Tenant, e.MAC, e.Number)
			}
			tell(a.tookCall(e))
		}
	}
}

// tookCall takes one event into the view.
func (a *App) tookCall(e event.Event) []directory.ExtensionID {
	switch e.Type {
	case event.CallStarted, event.CallChanged, event.CallEnded:
	case event.ContactLost, event.ContactAdded, event.ContactRestarted:
		a.suspect(e)
		return nil
	default:
		return nil
	}
	var c calls.Call
	if err := json.Unmarshal(e.Call, &c); err != nil {
		a.log.Error("event of a call not readable", "tenant", e.Tenant, "id", e.ID, "err", err)
		return nil
	}
	c.Tenant = e.Tenant
	if e.Node != a.node {
		a.calls.Heard(c)
	} else if e.Type == event.CallEnded && c.Kind != calls.Feature {
		a.metrics.Calls.Ended(callResult(c), since(c.Began, c.Rang), since(c.Began, c.Answered))
	}
	return a.lamps.Take(c)
}

// suspect has the calls of a phone asked for that was lost, or has registered
// anew: it may have restarted in the middle of them.
func (a *App) suspect(e event.Event) {
	if e.Node != a.node {
		return
	}
	for _, id := range a.lamps.CallsAt(e.Tenant, e.MAC, e.Target) {
		a.calls.Suspect(calls.Ref{Tenant: e.Tenant, ID: id})
	}
}

// since is the time between two, negative where there is no second.
func since(from, to int64) time.Duration {
	if to == 0 {
		return -1
	}
	return time.Duration(to-from) * time.Millisecond
}

// callResult is what became of a call, as it is counted.
func callResult(c calls.Call) string {
	switch {
	case c.Reason == calls.Expired, c.Reason == calls.Gone, c.Reason == calls.Restarted:
		return metrics.CallLost
	case c.Answered != 0:
		return metrics.CallAnswered
	case c.Reason == calls.Cancelled:
		return metrics.CallCancelled
	case c.Status == 486, c.Status == 600:
		return metrics.CallBusy
	case c.Reason == calls.NoAnswer, c.Status == 408, c.Status == 480, c.Status == 487:
		return metrics.CallNoAnswer
	case c.Status >= 500 && c.Status < 600:
		return metrics.CallFailed
	}
	return metrics.CallRefused
}
