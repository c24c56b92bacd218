package app

import (
	"crypto/tls"
	"net"
	"net/http"
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
		a.ownCA = certs.CAFile(a.cfg.TLSDir())
		source, err = certs.OpenOwn(a.cfg.TLSDir(), certificateNames(a.cfg), a.log, time.Now)
	}
	if err != nil {
		return nil, err
	}
	a.life.task("certificate", source.Run)
	return certs.Config(source), nil
}

// authorityPath is where phones fetch the certificate of the own authority. It
// is no secret, so nobody is asked who they are.
const authorityPath = "/ca.crt"

// withAuthority serves it beside the phones' files, while it is in use.
func (a *App) withAuthority(next http.Handler) http.Handler {
	if a.ownCA == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != authorityPath || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/x-pem-file")
		http.ServeFile(w, r, a.ownCA)
	})
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
