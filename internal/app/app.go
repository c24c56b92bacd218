package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/hotdesk/trace"
	"perch/internal/apply"
	"perch/internal/config"
	"perch/internal/credential"
	"perch/internal/event"
	"perch/internal/store"
	"perch/metrics"
	"perch/portal/api"
	"perch/provisioning/brand"
	"perch/provisioning/brand/all"
	"perch/provisioning/desk"
	"perch/sip/calls"
	"perch/sip/presence"
	"perch/sip/siptrace"
)

// Build says which Perch this is; cmd fills it in.
type Build struct{ Version, Revision string }

// App is a running Perch. Start builds and starts one, Wait blocks until it
// shall end, Stop takes it down.
type App struct {
	cfg    config.Config
	build  Build
	log    *slog.Logger
	life   *lifecycle
	node   string
	bootID string
	ready  *readiness

	reg     *metrics.Registry
	metrics *metrics.Metrics
	key     *credential.Key
	token   directory.Secret
	store   *store.Store
	bus     *event.Bus
	brands  brand.List
	applier *apply.Applier
	desk    *hotdesk.Engine
	reloads *reload.Desk
	worker  *reload.Worker
	desks   *desks
	calls   *calls.Tracker
	lamps   *presence.Lamps
	ownCA   string // file of the own authority's certificate; empty: not in use
	trace   *siptrace.Tracer
	trunks  *trunks

	addrs Addresses
}

// Addresses are where a started Perch listens.
type Addresses struct {
	SIP          []string // udp://127.0.0.1:5060
	Provisioning netip.AddrPort
	// ProvisioningTLS is zero unless HTTPS has an address beside Provisioning.
	ProvisioningTLS netip.AddrPort
	Portal          netip.AddrPort
	Metrics         netip.AddrPort
}

// Parts of readiness, in the order in which they come up.
const (
	partRedis        = "redis"
	partApply        = "apply"
	partSIP          = "sip"
	partProvisioning = "provisioning"
	partPortal       = "portal"
)

// stopWithin bounds a shutdown.
const stopWithin = 15 * time.Second

// Serve runs Perch until ctx ends.
func Serve(ctx context.Context, cfg config.Config, build Build, log *slog.Logger) error {
	a, err := Start(ctx, cfg, build, log)
	if err != nil {
		return err
	}
	return errors.Join(a.Wait(ctx), a.Stop())
}

// Start builds every part and returns once all of them answer. After an error
// nothing is left running.
func Start(ctx context.Context, cfg config.Config, build Build, log *slog.Logger) (*App, error) {
	a := &App{
		cfg: cfg, build: build, log: log, life: newLifecycle(log), bus: &event.Bus{}, brands: all.Brands(),
		trace: &siptrace.Tracer{},
		ready: newReadiness(partRedis, partApply, partSIP, partProvisioning, partPortal),
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"identity", a.openIdentity},
		{"metrics", a.startMetrics},
		{"store", a.openStore},
		{"domain", a.buildDomain},
		{"directory", a.loadDirectory},
		{"jobs", a.startJobs},
		{"timers", a.startTimers},
		{"calls", a.startCalls},
		{"audit", a.startAudit},
		{"sip", a.startSIP},
		{"upstream", a.startUpstream},
		{"reloads", a.startReloads},
		{"warnings", a.startWarnings},
		{"provisioning", a.startProvisioning},
		{"portal", a.startPortal},
	} {
		if err := step.do(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", step.name, err), a.Stop())
		}
	}
	a.announce()
	return a, nil
}

// Addresses tells where it listens.
func (a *App) Addresses() Addresses { return a.addrs }

// Token opens the REST API.
func (a *App) Token() directory.Secret { return a.token }

// Store is the store of this Perch, for tests that look behind it.
func (a *App) Store() *store.Store { return a.store }

// Wait blocks until ctx ends or a part of Perch ends by itself.
func (a *App) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.life.fault:
		return err
	}
}

// Stop takes everything down: not ready first, then the listeners, what is in
// flight, the jobs, and the store last.
func (a *App) Stop() error { return a.life.stop(stopWithin) }

func (a *App) announce() {
	a.log.Info("perch is up", "node", a.node, "sip", a.addrs.SIP, "provisioning", a.addrs.Provisioning.String(),
		"portal", a.addrs.Portal.String(), "metrics", a.addrs.Metrics.String(), "store", a.store.Durability())
}

// openIdentity makes or reads what belongs to this installation: the data
// folder, the server key, the API token.
func (a *App) openIdentity(context.Context) error {
	if err := os.MkdirAll(a.cfg.DataDir, 0o700); err != nil {
		return err
	}
	var err error
	if a.node, err = os.Hostname(); err != nil || a.node == "" {
		a.node = "perch"
	}
	if a.key, err = credential.Load(a.cfg.KeyPath()); err != nil {
		return err
	}
	a.token, err = api.OpenToken(a.cfg.DataDir, credential.NewToken)
	return err
}

// startMetrics comes first, so that a start that takes long can be watched.
func (a *App) startMetrics(ctx context.Context) error {
	a.reg = metrics.NewRegistry(metrics.Build{Version: a.build.Version, Revision: a.build.Revision})
	a.metrics = metrics.New(a.reg, sets(brandNames(a.brands), store.Ops()))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler(a.reg, a.log))
	mux.HandleFunc("GET /healthz", healthy)
	mux.Handle("GET /readyz", a.ready)
	addr, err := a.listen(ctx, "metrics", a.cfg.Metrics.Listen, config.TLS{}, a.wrapped("metrics", mux, 4<<10))
	a.addrs.Metrics = addr
	return err
}

func (a *App) openStore(ctx context.Context) error {
	var err error
	a.store, err = store.Open(ctx, store.Options{
		URL: a.cfg.Redis.URL.Reveal(), DataDir: a.cfg.DataDir, Node: a.node, Log: a.log,
		Observe: a.metrics.Store.Call, OnState: a.storeState,
	})
	if err != nil {
		return err
	}
	a.life.closes("store", a.store.Close)
	a.storeState(nil)
	a.ready.note(partRedis, a.store.Durability())
	if !a.store.Durable() {
		a.log.Warn("the store is not durable", "store", a.store.Durability())
	}
	return a.store.CheckKey(ctx, a.key.Fingerprint())
}

func (a *App) storeState(why error) {
	a.metrics.Store.SetUp(why == nil)
	if why == nil {
		a.ready.set(partRedis, "")
		return
	}
	a.ready.set(partRedis, why.Error())
}

func (a *App) buildDomain(context.Context) error {
	a.applier = apply.New(kept{a.store}, a.key, credential.DeviceSecret, brandNames(a.brands)).CheckingTemplates(desk.Check(a.brands))
	a.desk = hotdesk.New(hotdesk.Parts{
		Directory: a.store, Seating: a.store, Attempts: a.store, PINs: a.key, Keeper: a.store, News: a.store,
		Log: a.log, Session: credential.NewSessionID,
	})
	a.reloads = reload.NewDesk(a.store, a.store, a.store, nil)
	a.desks = &desks{
		outer: outsideOf(a.cfg.Provisioning),
		store: a.store, key: a.key, brands: a.brands, url: "", base: rootOf(a.cfg.Provisioning.BaseURL),
		rotate: a.cfg.Provisioning.Rotate, turned: a.metrics.Turns,
		past: newPast(a.store, a.cfg.Provisioning.History),
	}
	return nil
}

func (a *App) loadDirectory(ctx context.Context) error {
	if err := applyFiles(ctx, a.cfg.Apply, a.applier, a.store, a.log); err != nil {
		return err
	}
	a.ready.set(partApply, "")
	return nil
}

// startJobs starts what listens to events and to the clock.
func (a *App) startJobs(context.Context) error {
	a.life.task("events", func(ctx context.Context) error {
		return notCancelled(a.store.Tail(ctx, nil, a.bus.Publish))
	})
	counts := counter{node: a.node, m: a.metrics}
	a.life.task("counters", func(ctx context.Context) error { return a.follow(ctx, "counters", counts.count) })
	a.life.task("traces", func(ctx context.Context) error {
		return notCancelled(a.store.Consume(ctx, "trace", trace.NewJob(a.store).Handle))
	})
	a.life.task("expiry", func(ctx context.Context) error { return expire(ctx, a.store, a.log) })
	a.life.task("totals", func(ctx context.Context) error {
		return gauge(ctx, a.store, a.metrics, totalsEvery, a.log)
	})
	return nil
}

const (
	totalsEvery = time.Second
	viewBuffer  = 8192 // some seconds of a busy office; two megabytes
)

// follow gives every event to f until ctx ends; a view that fell behind starts
// again, and the loss is counted.
func (a *App) follow(ctx context.Context, view string, f func(event.Event)) error {
	for ctx.Err() == nil {
		sub := a.bus.Subscribe(viewBuffer)
		a.drain(ctx, sub, f)
		sub.Close()
		if sub.Behind() {
			a.metrics.Events.Lost(view)
			a.log.Warn("a view fell behind and starts again", "view", view)
		}
	}
	return nil
}

func (a *App) drain(ctx context.Context, sub *event.Subscription, f func(event.Event)) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-sub.C():
			if !ok {
				return
			}
			f(e)
		}
	}
}

// startReloads carries out the open reloads. It is woken by news that make one
// due, so that nobody waits for the next look at the clock.
func (a *App) startReloads(context.Context) error {
	a.life.task("reloads", a.worker.Run)
	a.life.task("wake reloads", func(ctx context.Context) error {
		return a.follow(ctx, "reload", func(e event.Event) {
			switch e.Type {
			case event.ReloadRequested, event.DeviceArmed, event.DialogEnded:
				a.worker.Wake()
			}
		})
	})
	return nil
}

func notCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func brandNames(l brand.List) []string {
	var names []string
	for _, b := range l {
		if b.HasTemplates() {
			names = append(names, string(b.Name))
		}
	}
	return names
}
