package config

import (
	"errors"
	"net/netip"
)

// NameServer is the address of a name server.
type NameServer struct{ netip.AddrPort }

// UnmarshalText reads ip or ip:port; the usual port is 53.
func (n *NameServer) UnmarshalText(b []byte) error {
	if a, err := netip.ParseAddr(string(b)); err == nil {
		n.AddrPort = netip.AddrPortFrom(a, 53)
		return nil
	}
	ap, err := netip.ParseAddrPort(string(b))
	if err != nil || ap.Port() == 0 {
		return errors.New("must be an IP address, with or without a port, such as 192.0.2.53 or [2001:db8::53]:5353")
	}
	n.AddrPort = ap
	return nil
}
