package app

import (
	"context"

	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/proxy"
)

// newProxy builds what forwards calls.
func (a *App) newProxy(sender *flow.Sender, who handler.Authenticator, hosts []string) (*proxy.Proxy, error) {
	p, err := proxy.New(proxy.Options{
		Directory: a.store, Location: a.store, Sender: sender, Auth: who, Tracker: a.calls,
		Key: a.key.SubKey("flow token"), Upstream: ways{a.trunks.router}, Emergency: helpWays{a.trunks.help}, Hosts: hosts, Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	a.life.onStop("proxy", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, hangUpWithin)
		defer cancel()
		return p.Close(ctx)
	})
	return p, nil
}
