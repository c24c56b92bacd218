package app

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/certs"
	"perch/internal/config"
	"perch/internal/httpserver"
	"perch/internal/ratelimit"
	"perch/provisioning"
	"perch/provisioning/device"
	"perch/provisioning/phoneapp"
	"perch/sip/digest"
)

const httpGrace = 5 * time.Second

// listen opens an HTTP server and serves until its turn to stop.
func (a *App) listen(ctx context.Context, name, addr string, cert config.TLS, h http.Handler) (netip.AddrPort, error) {
	conf := httpserver.Config{Name: name, Listen: addr}
	if cert.Cert != "" {
		files, err := certs.OpenFiles(cert.Cert, cert.Key, a.log)
		if err != nil {
			return netip.AddrPort{}, err
		}
		a.life.task(name+" certificate", files.Run)
		conf.TLS = certs.Config(files)
	}
	s, err := httpserver.Listen(ctx, conf, h, a.log)
	if err != nil {
		return netip.AddrPort{}, err
	}
	a.life.task(name, func(ctx context.Context) error { return s.Run(ctx, httpGrace) })
	return s.Addr().AddrPort(), nil
}

// wrapped is what stands around every handler for people and machines.
func (a *App) wrapped(name string, h http.Handler, limit int64) http.Handler {
	panicked := func() { a.metrics.HTTP.Panic(name) }
	return httpserver.Logged(a.log, httpserver.Recovered(a.log, panicked, httpserver.Secured(httpserver.LimitBody(limit, h))))
}

// nonceLife is how long a nonce of HTTP Digest is good; SIP has its own.
const nonceLife = 5 * time.Minute

func (a *App) startProvisioning(ctx context.Context) error {
	authorities, err := a.phoneCertificates()
	if err != nil {
		return err
	}
	watch := newPhoneWatch(a.cfg.Limits.Trusted, a.store, a.store, a.metrics.Alarms, a.log)
	a.life.task("watch over phones", watch.run)
	door := device.NewDoor(device.Parts{
		Watch: watch,
		Store: a.desks, Tokens: a.key, Pending: pending{a.store}, Now: time.Now,
		Nonces:  digest.NewNonces(a.key.SubKey("http nonce"), a.node, a.boot(), nonceLife, time.Now),
		Limiter: guesses{ratelimit.NewFailures(a.cfg.Limits.Trusted)},
	})
	a.life.task("unknown phones", func(ctx context.Context) error {
		door.Run(ctx)
		return nil
	})
	firmware, err := a.phoneFirmware()
	if err != nil {
		return err
	}
	uploads, err := a.phoneUploads()
	if err != nil {
		return err
	}
	h, err := provisioning.New(provisioning.Config{
		Firmware: firmware, Uploads: uploads,
		Books:  &phoneBooks{read: a.store.EachExtension, now: time.Now, kept: map[directory.TenantCode]keptBook{}},
		Brands: a.brands, Door: door, Desks: a.desks, Witness: a.desks, Recorder: a.metrics.Provisioning,
		Log: a.log, BaseURL: a.cfg.Provisioning.BaseURL, Screen: phoneapp.Path,
		Certified: certified(authorities),
	})
	if err != nil {
		return err
	}
	screens, err := a.withScreens(h, door)
	if err != nil {
		return err
	}
	panicked := func() { a.metrics.HTTP.Panic("provisioning") }
	err = a.listenForPhones(ctx, authorities, httpserver.Recovered(a.log, panicked, a.withAuthority(screens)))
	if err == nil {
		a.ready.set(partProvisioning, "")
	}
	return err
}
