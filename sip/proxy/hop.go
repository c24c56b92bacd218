package proxy

import (
	"context"
	"fmt"
	"net/netip"

	"perch/sip/flow"
	"perch/sip/location"
)

// hopAgain opens the way to the upstream anew: a restart has closed it. The
// address is one that was signed when the dialog began.
func (p *Proxy) hopAgain(ctx context.Context, l leg) (location.Flow, error) {
	addr, err := netip.ParseAddrPort(l.Flow.Remote)
	if err != nil {
		return location.Flow{}, fmt.Errorf("%w: remote address", flow.ErrGone)
	}
	return p.Sender.Reach(ctx, flow.Hop{Transport: l.Flow.Transport, Addr: addr, Host: l.Host}, 0)
}
