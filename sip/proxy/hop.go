package proxy

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"perch/sip/flow"
	"perch/sip/location"
)

// hopAgain opens the way to the upstream anew: a restart or the upstream itself
// has closed it. The address is the one that was signed when the dialog began;
// where the upstream had opened the connection, it listens at another port, which
// its Contact names.
func (p *Proxy) hopAgain(ctx context.Context, l leg, target string) (location.Flow, error) {
	addr, err := netip.ParseAddrPort(l.Flow.Remote)
	if err != nil {
		return location.Flow{}, fmt.Errorf("%w: remote address", flow.ErrGone)
	}
	if port, ok := listensAt(target, addr.Addr(), l.Flow.Transport); ok && l.Flow.Transport != "udp" {
		f, err := p.Sender.Reach(ctx, flow.Hop{Transport: l.Flow.Transport, Addr: netip.AddrPortFrom(addr.Addr(), port), Host: l.Host}, 0)
		if err == nil {
			return f, nil
		}
	}
	return p.Sender.Reach(ctx, flow.Hop{Transport: l.Flow.Transport, Addr: addr, Host: l.Host}, 0)
}

// listensAt is the port of a Contact at the same address.
func listensAt(target string, at netip.Addr, transport string) (port uint16, ok bool) {
	u, err := location.ParseURI(target)
	if err != nil {
		return 0, false
	}
	host, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	if err != nil || host.Unmap() != at.Unmap() {
		return 0, false
	}
	switch {
	case u.Port != 0:
		return uint16(u.Port), true
	case transport == "tls":
		return 5061, true
	}
	return 5060, true
}
