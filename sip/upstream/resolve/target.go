package resolve

import (
	"fmt"
	"net/netip"
	"strings"

	"perch/sip/location"
)

// target is what a URI says of where it leads (RFC 3263 section 4).
type target struct {
	host      string // name in lower case; empty where addr is valid
	addr      netip.Addr
	port      uint16 // 0: none was written
	transport string // empty: none was written
	secure    bool   // sips
}

// parse reads a URI. maddr stands for the host (RFC 3261 section 19.1.1); what
// is neither udp, tcp nor tls is not spoken here.
func parse(uri string) (target, error) {
	u, err := location.ParseURI(uri)
	if err != nil {
		return target{}, fmt.Errorf("%w: %w", ErrURI, err)
	}
	t := target{host: u.Host, port: uint16(u.Port), secure: u.Secure} //nolint:gosec // ParseURI bounds it
	if m, ok := u.Param("maddr"); ok && m != "" {
		if t.host, err = location.CanonicalHost(m); err != nil {
			return target{}, fmt.Errorf("%w: maddr", ErrURI)
		}
	}
	if a, err := netip.ParseAddr(strings.Trim(t.host, "[]")); err == nil {
		t.addr, t.host = a.Unmap(), ""
	}
	named, ok := u.Param("transport")
	if ok {
		named = strings.ToLower(named)
		switch {
		case t.secure && (named == "tcp" || named == "tls"):
			named = "tls" // RFC 3261 section 26.2.2: sips over TCP is TLS
		case t.secure, !isTransport(named):
			return target{}, ErrURI
		}
		t.transport = named
	}
	return t, nil
}

// settled tells the transport that needs no question (RFC 3263 section 4.1):
// one that is written, else the default of an address or a port.
func (t target) settled() (string, bool) {
	if t.transport != "" {
		return t.transport, true
	}
	if t.addr.IsValid() || t.port != 0 {
		return t.fallback(), true
	}
	return "", false
}

// fallback is the transport of a URI that says nothing.
func (t target) fallback() string {
	if t.secure {
		return "tls"
	}
	return "udp"
}

// service is the SRV name of a transport (RFC 3263 section 4.1).
func service(transport, name string) string {
	switch transport {
	case "tls":
		return "_sips._tcp." + name
	default:
		return "_sip._" + transport + "." + name
	}
}
