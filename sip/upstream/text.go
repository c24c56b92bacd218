package upstream

import (
	"errors"
	"net/netip"
	"strings"

	"perch/sip/handler"
)

// errNoRoute says that a tenant has no upstream that takes emergency calls.
var errNoRoute = errors.New("upstream: no route for emergency calls: set upstream with emergency: true")

// addrOf reads ip or ip:port.
func addrOf(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap(), true
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

// nameAddr writes an address with its display name (RFC 3261 section 20.10).
func nameAddr(name, uri string) string {
	name = strings.TrimSpace(handler.Clipped(name, 100))
	if name == "" {
		return "<" + uri + ">"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `" <` + uri + ">"
}
