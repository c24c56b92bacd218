package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"perch/hotdesk/directory"
	"perch/internal/certs"
	"perch/internal/config"
	"perch/internal/httpserver"
	"perch/provisioning/device"
)

// phoneCertificates are whom the phones' own certificates may come from; nil
// where nobody is asked for one.
func (a *App) phoneCertificates() (*certs.Authorities, error) {
	dir := a.cfg.Provisioning.TLS.ClientCAs
	if dir == "" {
		return nil, nil
	}
	all, err := certs.OpenAuthorities(dir, a.log)
	if err != nil {
		return nil, fmt.Errorf("provisioning.tls.client_cas: %w", err)
	}
	a.life.task("authorities of phones", all.Run)
	return all, nil
}

// certified gives what a connection's client certificate proves; nil where none
// are asked for.
func certified(all *certs.Authorities) func(*tls.ConnectionState) directory.MAC {
	if all == nil {
		return nil
	}
	return func(s *tls.ConnectionState) directory.MAC {
		c, ok := all.Trusted(s)
		if !ok {
			return directory.MAC{}
		}
		mac, _ := device.CertifiedMAC(c)
		return mac
	}
}

// listenForPhones opens the phones' web server: with TLS where it is configured,
// at the same address or at one beside it.
func (a *App) listenForPhones(ctx context.Context, all *certs.Authorities, h http.Handler) (err error) {
	p := a.cfg.Provisioning
	switch {
	case p.TLS.Cert == "":
		a.addrs.Provisioning, err = a.listen(ctx, "provisioning", p.Listen, config.TLS{}, h)
	case p.TLS.Listen == "":
		a.addrs.Provisioning, err = a.listenWithTLS(ctx, p.Listen, all, h)
	default:
		if a.addrs.Provisioning, err = a.listen(ctx, "provisioning", p.Listen, config.TLS{}, h); err == nil {
			a.addrs.ProvisioningTLS, err = a.listenWithTLS(ctx, p.TLS.Listen, all, h)
		}
	}
	return err
}

// listenWithTLS opens HTTPS for phones; with authorities it asks them for their
// certificate.
func (a *App) listenWithTLS(ctx context.Context, addr string, all *certs.Authorities, h http.Handler) (netip.AddrPort, error) {
	t := a.cfg.Provisioning.TLS
	files, err := certs.OpenFiles(t.Cert, t.Key, a.log)
	if err != nil {
		return netip.AddrPort{}, err
	}
	a.life.task("provisioning certificate", files.Run)
	conf := certs.Config(files)
	if all != nil {
		conf = all.AskClients(conf)
	}
	s, err := httpserver.Listen(ctx, httpserver.Config{Name: "provisioning", Listen: addr, TLS: conf}, h, a.log)
	if err != nil {
		return netip.AddrPort{}, err
	}
	a.life.task("provisioning over TLS", func(ctx context.Context) error { return s.Run(ctx, httpGrace) })
	return s.Addr().AddrPort(), nil
}

// enrolBase is where phones find their files, for people to pass on: base_url,
// or a host that they have to fill in.
func (a *App) enrolBase() string {
	if base := strings.TrimSuffix(a.cfg.Provisioning.BaseURL, "/"); base != "" {
		return base
	}
	scheme, at := "http", a.addrs.Provisioning
	switch t := a.cfg.Provisioning.TLS; {
	case t.Listen != "":
		scheme, at = "https", a.addrs.ProvisioningTLS
	case t.Cert != "":
		scheme = "https"
	}
	return fmt.Sprintf("%s://<this server>:%d", scheme, at.Port())
}
