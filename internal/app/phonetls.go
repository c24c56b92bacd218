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

// listenForPhones opens the phones' web server, with TLS where it is configured.
func (a *App) listenForPhones(ctx context.Context, all *certs.Authorities, h http.Handler) (netip.AddrPort, error) {
	p := a.cfg.Provisioning
	if all == nil {
		return a.listen(ctx, "provisioning", p.Listen, config.TLS{Cert: p.TLS.Cert, Key: p.TLS.Key}, h)
	}
	files, err := certs.OpenFiles(p.TLS.Cert, p.TLS.Key, a.log)
	if err != nil {
		return netip.AddrPort{}, err
	}
	a.life.task("provisioning certificate", files.Run)
	s, err := httpserver.Listen(ctx, httpserver.Config{Name: "provisioning", Listen: p.Listen, TLS: all.AskClients(certs.Config(files))}, h, a.log)
	if err != nil {
		return netip.AddrPort{}, err
	}
	a.life.task("provisioning", func(ctx context.Context) error { return s.Run(ctx, httpGrace) })
	return s.Addr().AddrPort(), nil
}

// enrolBase is where phones find their files, for people to pass on: base_url,
// or a host that they have to fill in.
func (a *App) enrolBase() string {
	if base := strings.TrimSuffix(a.cfg.Provisioning.BaseURL, "/"); base != "" {
		return base
	}
	scheme := "http"
	if a.cfg.Provisioning.TLS.Cert != "" {
		scheme = "https"
	}
	return fmt.Sprintf("%s://<this server>:%d", scheme, a.addrs.Provisioning.Port())
}
