package app

import (
	"context"
	"net/http"
	"sync"

	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/internal/event"
	"perch/internal/store"
	"perch/portal/api"
)

// maxUpload bounds what people may send: a directory file.
const maxUpload = 64 << 20

func (a *App) startPortal(ctx context.Context) error {
	closing := make(chan struct{})
	h, err := api.New(api.Parts{
		Token: a.token, Version: a.build.Version, Engine: a.desk, Policy: a.desk, Store: a.store, News: news{a.store},
		Applier: a.applier, Strangers: strangers{a}, Standing: a.desks.Standing, Templates: templates{a.desks}, Past: a.desks.past, SIPTrace: a.trace, Upstreams: pbxs{a}, Screens: a.worker,
		Calls: a.store, Watching: a.store, Lamps: a.lamps, Log: a.log, Closing: closing,
		Audit: a.store, Lockouts: lockouts{a}, Acts: a.store, Codes: confirming{a.store}, SignIn: a.signIn,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(api.Prefix+"/", h)
	a.addrs.Portal, err = a.listen(ctx, "portal", a.cfg.Portal.Listen, a.cfg.Portal.TLS, a.wrapped("portal", mux, maxUpload))
	if err != nil {
		return err
	}
	a.life.closes("event streams", sync.OnceValue(func() error { // they would hold the server's shutdown up
		close(closing)
		return nil
	}))
	if err := api.Announce(a.cfg.DataDir, a.portalURL()); err != nil {
		return err
	}
	a.ready.set(partPortal, "")
	return nil
}

// portalURL is where this machine reaches the API.
func (a *App) portalURL() string {
	scheme := "http://"
	if a.cfg.Portal.TLS != (config.TLS{}) {
		scheme = "https://"
	}
	return scheme + a.addrs.Portal.String()
}

// news is the event stream as the API follows it.
type news struct{ store *store.Store }

// Positions implements api.News.
func (n news) Positions(ctx context.Context) (map[directory.TenantCode]string, error) {
	return n.store.Positions(ctx)
}

// Follow implements api.News.
func (n news) Follow(ctx context.Context, from map[directory.TenantCode]string, handle func(event.Event)) error {
	return n.store.Tail(ctx, from, handle)
}
