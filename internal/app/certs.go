package app

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"perch/internal/certs"
	"perch/internal/config"
)

// certificates are those of the tls and wss listeners; nil when there are none.
// They are kept fresh until the SIP side has stopped.
func (a *App) certificates() (*tls.Config, error) {
	if !a.cfg.Secure() {
		return nil, nil
	}
	var source certs.Source
	var err error
	switch t := a.cfg.TLS; {
	case t.Cert != "":
		source, err = certs.OpenFiles(t.Cert, t.Key, a.log)
	case len(t.ACME.Domains) > 0:
		source, err = certs.OpenACME(certs.ACME{
			Domains: t.ACME.Domains, Email: t.ACME.Email, Directory: t.ACME.Directory, Roots: t.ACME.Roots,
			HTTPPort: t.ACME.HTTPPort, Dir: filepath.Join(a.cfg.TLSDir(), "acme"),
		}, a.log)
	default:
		source, err = certs.OpenOwn(a.cfg.TLSDir(), certificateNames(a.cfg), a.log, time.Now)
	}
	if err != nil {
		return nil, err
	}
	a.life.task("certificate", source.Run)
	return certs.Config(source), nil
}

// certificateNames are those by which phones may come to this machine.
func certificateNames(cfg config.Config) []string {
	out := append([]string{"localhost"}, cfg.TLS.Names...)
	out = append(out, advertised(cfg.SIP.Advertise)...)
	if name, err := os.Hostname(); err == nil && name != "" {
		out = append(out, strings.ToLower(name))
	}
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return out // the names are enough for who has a name
	}
	for _, n := range nets {
		if ip, _, err := net.ParseCIDR(n.String()); err == nil && !ip.IsLinkLocalUnicast() {
			out = append(out, ip.String())
		}
	}
	return out
}
