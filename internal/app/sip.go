package app

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/internal/config"
	"perch/internal/credential"
	"perch/provisioning/brand"
	"perch/sip"
	"perch/sip/auth"
	"perch/sip/digest"
	"perch/sip/feature"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/keepalive"
	"perch/sip/location"
	"perch/sip/media"
	"perch/sip/notify"
	"perch/sip/proxy"
	"perch/sip/registrar"
)

// sipNonceLife is how long a SIP nonce is good: longer than the refresh of the
// longest registration, so that a phone seldom needs a second round trip.
const sipNonceLife = 2 * time.Hour

// hangUpWithin is how long a shutdown waits for phones to answer our BYE.
const hangUpWithin = 3 * time.Second

// window is how many nonces in use are remembered with their counts.
const window = 200_000

// startSIP builds the SIP side and opens its listeners.
func (a *App) startSIP(ctx context.Context) error {
	sender := flow.NewSender(a.node)
	hosts := advertised(a.cfg.SIP.Advertise)
	if err := a.buildUpstream(ctx, sender, hosts); err != nil {
		return err
	}
	keep, err := keepalive.New(keepalive.Options{Node: a.node, Flows: sender, Store: a.store, Metrics: a.metrics.Flows, Log: a.log})
	if err != nil {
		return err
	}
	who := keep.Hearing(auth.New(auth.Options{
		Tenants: tenants{a.store}, Directory: a.store, Secrets: a.key, Reloads: a.store,
		Nonces: digest.NewNonces(a.key.SubKey("sip nonce"), a.node, a.boot(), sipNonceLife, time.Now),
		Window: digest.NewWindow(window), Log: a.log, Now: time.Now,
		Hosts: hosts, Trusted: a.cfg.Limits.Trusted, Metrics: a.metrics.SIP,
	}))
	reg := registrar.New(registrar.Options{
		Store: a.store, Auth: who, Rules: registrarRules(a.cfg.SIP), Metrics: a.metrics.Registrar, Failures: a.metrics.SIP,
		Keeper: keep, ServiceRoute: serviceRoute(a.cfg.SIP),
	})
	watch, err := notify.New(notify.Options{
		Node: a.node, Flows: sender, Store: a.store, Watchers: a.store, Tenants: tenants{a.store}, Directory: a.store,
		Secrets: a.key, Lamps: a.lamps, Auth: who, Hosts: hosts, Metrics: a.metrics.Notifier, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.life.closes("notifier", watch.Close)
	keep.Subscriptions = watch
	ports, err := media.NewPorts(a.cfg.Media.RTPPorts.Low, a.cfg.Media.RTPPorts.High)
	if err != nil {
		return err
	}
	px, err := a.newProxy(sender, who, hosts)
	if err != nil {
		return err
	}
	codes := feature.New(feature.Parts{
		Others: px.Invite,
		Desk:   a.desk, Reloads: byCode{a.reloads}, Dialogs: a.store, Sender: sender, Log: a.log, Metrics: a.metrics.Features,
		Ports: ports, TraceID: newTraceID, Prompts: a.spoken(), PINs: a.desk,
	})
	secure, err := a.certificates()
	if err != nil {
		return err
	}
	guard := newGuard(a.store, a.metrics.SIP, a.log)
	server, err := sip.New(sip.Options{
		TLS: secure, Origins: a.cfg.WebSocket.Origins,
		Listen: listeners(a.cfg.SIP.Listen), Advertise: a.cfg.SIP.Advertise, Node: a.node, Sender: sender,
		Trusted: a.cfg.Limits.Trusted, Metrics: a.metrics.SIP, Trace: a.trace, Log: a.log,
		Bans: guard.list, Banned: guard.banned, Emergency: guard.emergency,
		Handlers: sip.Handlers{
			Register:  reg.Serve,
			Subscribe: px.First(watch.Subscribe),
			Invite:    px.First(px.Trunk(handler.Authenticated(who, codes.Trusts, codes.Invite))),
			Bye:       px.First(handler.Authenticated(who, codes.Trusts, codes.Bye)),
			Ack:       px.First(codes.Ack),
			Message:   px.First(px.Trunk(handler.Authenticated(who, nil, px.Single))),
			Refer:     px.First(px.Trunk(handler.Authenticated(who, nil, px.Single))),
			Info:      px.First(handler.Authenticated(who, codes.Trusts, codes.Info)),
			Prack:     px.First(proxy.NoDialog),
			Update:    px.First(proxy.NoDialog),
			Notify:    px.First(proxy.NoDialog),
		},
	})
	if err != nil {
		return err
	}
	sender.Dial(server)
	if err := server.Listen(); err != nil {
		return err
	}
	for _, addr := range server.Bound() {
		a.addrs.SIP = append(a.addrs.SIP, addr.String())
	}
	a.worker = reload.NewWorker(reload.Parts{
		Store: a.store, Phones: a.store, Directory: a.store, Secrets: a.key, Sender: watch, Pusher: a.desks, Brands: a.brands, Log: a.log,
	})
	a.desks.server = a.registrarForPhones(server.Bound())
	a.life.task("admission", guard.run)
	a.life.task("sip", server.Run)
	a.life.onStop("feature codes", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, hangUpWithin)
		defer cancel()
		if codes.Close(ctx) != nil {
			a.log.Info("a phone has not answered the end of its call")
		}
		return nil
	})
	a.life.task("subscriptions", watch.Run)
	a.startLamps(watch, sender)
	a.life.task("flows", func(ctx context.Context) error { return keep.Run(ctx, server.Closed()) })
	<-server.Started()
	a.ready.set(partSIP, "")
	return nil
}

func registrarRules(c config.SIP) location.Rules {
	return location.Rules{
		Min: c.Expires.Min, Default: c.Expires.Default, Max: c.Expires.Max,
		MaxContacts: c.MaxContacts, PushOut: c.ContactsFull == config.PushOut,
	}
}

func serviceRoute(c config.SIP) []string {
	if c.ServiceRoute == "" {
		return nil
	}
	return []string{"<" + c.ServiceRoute + ">"}
}

// registrarForPhones is what configurations name: the first listener's
// transport and port, and the advertised host where there is one; else the
// phone's own request says which of our addresses it reaches.
func (a *App) registrarForPhones(bound []sip.Address) brand.Server {
	s := brand.Server{Transport: brand.UDP, Port: 5060, Expires: a.cfg.SIP.Expires.Default}
	for _, b := range bound {
		switch t := brand.Transport(b.Transport); t {
		case brand.UDP, brand.TCP, brand.TLS: // not those of browsers
			s.Transport, s.Port = t, int(b.Addr.Port())
		default:
			continue
		}
		break
	}
	host, port, err := net.SplitHostPort(a.cfg.SIP.Advertise)
	if err != nil {
		s.Host = a.cfg.SIP.Advertise
		return s
	}
	s.Host = host
	if n, err := strconv.Atoi(port); err == nil {
		s.Port = n
	}
	return s
}

// advertised is the host name we go by, besides every IP address.
func advertised(hostPort string) []string {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	if host == "" {
		return nil
	}
	return []string{strings.ToLower(host)}
}

// byCode lets a person's *14 open a reload.
type byCode struct{ desk *reload.Desk }

// Reload implements feature.Reloader.
func (b byCode) Reload(ctx context.Context, d directory.DeviceID, line int, door hotdesk.Door) error {
	return b.desk.Request(ctx, reload.Order{ID: newTraceID(), Device: d, Line: line, Door: door})
}

// newTraceID is random, and short enough to be read out: 80 bits.
func newTraceID() string { return string(credential.NewSessionID())[:20] }
