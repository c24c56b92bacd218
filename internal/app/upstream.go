package app

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/internal/event"
	"perch/internal/store"
	"perch/sip/emergency"
	"perch/sip/flow"
	"perch/sip/upstream"
	"perch/sip/upstream/resolve"
)

// trunks is what there is for the PBXs behind the tenants.
type trunks struct {
	client  *upstream.Client
	tenants *upstream.Tenants
	prober  *upstream.Prober
	keeper  *upstream.Keeper
	router  *upstream.Router
	help    *upstream.Help
	desks   *upstream.FrontDesk
}

// buildUpstream makes the way to the PBXs, before whoever forwards calls.
func (a *App) buildUpstream(ctx context.Context, sender *flow.Sender, hosts []string) error {
	names, err := resolver(a.cfg.DNS, a.log)
	if err != nil {
		return err
	}
	t := &trunks{tenants: upstream.NewTenants(a.store, a.log)}
	t.client = &upstream.Client{Resolver: names, Sender: sender, Health: upstream.NewHealth(), Now: time.Now}
	t.prober = upstream.NewProber(t.client, t.tenants, a.store, a.metrics.Upstream, a.log)
	t.keeper = upstream.NewKeeper(upstream.KeeperOptions{
		Node: a.node, Client: t.client, Tenants: t.tenants, Directory: a.store, Records: a.store, Leases: a.store,
		Secrets: a.key, Metrics: a.metrics.Upstream, Log: a.log,
	})
	t.router = upstream.NewRouter(upstream.RouterOptions{
		Client: t.client, Tenants: t.tenants, People: a.store, Callbacks: a.store, Secrets: a.key, News: a.store,
		Metrics: a.metrics.Upstream, Log: a.log, Hosts: hosts, Keep: time.Duration(a.cfg.Emergency.Callback),
	})
	a.life.closes("upstream events", t.router.Close)
	t.help = &upstream.Help{Router: t.router, Desks: places{a.store}}
	t.desks = &upstream.FrontDesk{Node: a.node, Tenants: a.store, People: a.store, Sender: sender, Now: time.Now, Log: a.log}
	a.trunks = t
	return t.tenants.Load(ctx)
}

// startUpstream begins to ask the PBXs and to register at them.
func (a *App) startUpstream(context.Context) error {
	t := a.trunks
	a.life.task("upstream tenants", t.tenants.Run)
	a.life.task("upstream health", t.prober.Run)
	a.life.task("upstream registrations", t.keeper.Run)
	a.life.task("upstream logins", func(ctx context.Context) error {
		return notCancelled(a.store.Consume(ctx, "upstream", t.keeper.Handle))
	})
	a.life.task("front desks", func(ctx context.Context) error {
		return a.follow(ctx, "front desk", func(e event.Event) {
			switch e.Type {
			case event.EmergencyCalled, event.EmergencyFailed:
				t.desks.Tell(ctx, e)
			case event.DirectoryChanged:
				t.tenants.Refresh()
			}
		})
	})
	return nil
}

// Files of the system, as every program reads them.
const (
	resolvConf = "/etc/resolv.conf"
	hostsFile  = "/etc/hosts"
)

// resolver asks the name servers of the configuration, else the system's. A
// system without the files has nothing to say about names.
func resolver(c config.DNS, log *slog.Logger) (*resolve.Resolver, error) {
	o := resolve.Options{Log: log}
	for _, s := range c.Servers {
		o.Servers = append(o.Servers, s.AddrPort)
	}
	if len(o.Servers) > 0 {
		return resolve.New(o), nil
	}
	if f, err := os.Open(hostsFile); err == nil {
		o.Hosts = resolve.ReadHosts(f)
		_ = f.Close()
	}
	o.Servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}
	f, err := os.Open(resolvConf)
	if errors.Is(err, os.ErrNotExist) {
		return resolve.New(o), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	if o.Servers, err = resolve.ReadServers(f); err != nil {
		return nil, err
	}
	return resolve.New(o), nil
}

// places knows where desks are.
type places struct{ *store.Store }

// Place implements upstream.Desks.
func (p places) Place(ctx context.Context, t directory.Tenant, d directory.Device) (emergency.Place, error) {
	desk, err := p.DeskOf(ctx, directory.Seat{Device: d.ID, Line: 1})
	if err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
		return emergency.Place{}, err
	}
	return placeOf(t, d, desk), nil
}

// placeOf is where a device is: its site is the desk's where it names none.
func placeOf(t directory.Tenant, d directory.Device, desk directory.Desk) emergency.Place {
	code := d.Site
	if code == "" {
		code = desk.Site
	}
	site, _ := t.Site(code)
	return emergency.PlaceOf(d, desk, site)
}
