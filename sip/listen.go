package sip

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"

	"perch/sip/front"
)

// Address is one place where the server listens.
type Address struct {
	Transport string // "udp", "tcp", "tls", "ws", "wss"
	Addr      netip.AddrPort
}

// String gives udp://192.0.2.1:5060.
func (a Address) String() string { return a.Transport + "://" + a.Addr.String() }

// socket is an open listener: packet or stream, the other is nil.
type socket struct {
	Address
	packet *net.UDPConn
	stream net.Listener

	dialled *front.Dialled // in place of both: nothing listens
}

func (s socket) close() {
	if s.packet != nil {
		_ = s.packet.Close()
	}
	if s.stream != nil {
		_ = s.stream.Close()
	}
}

// openAll opens the listeners of the configuration, all or none.
func openAll(listen []string, log *slog.Logger) (all []socket, err error) {
	defer func() {
		if err != nil {
			for _, s := range all {
				s.close()
			}
		}
	}()
	for _, text := range listen {
		transport, addr, err := ParseListen(text)
		if err != nil {
			return all, err
		}
		addrs := []netip.Addr{addr.Addr()}
		wildcard := addr.Addr().IsUnspecified()
		if wildcard {
			if addrs, err = localAddresses(); err != nil {
				return all, err
			}
		}
		sockets, err := openGroup(transport, addrs, addr.Port(), wildcard, log)
		if err != nil {
			return all, fmt.Errorf("sip: listen on %s: %w", text, err)
		}
		all = append(all, sockets...)
	}
	if len(all) == 0 {
		return all, errors.New("sip: nothing to listen on")
	}
	return all, nil
}

// transports are those that the server speaks.
var transports = [...]string{"udp", "tcp", "tls", "ws", "wss"}

// ParseListen reads one entry of sip.listen. The host is an IP address; empty
// and "*" are the wildcard.
func ParseListen(text string) (transport string, addr netip.AddrPort, err error) {
	transport, rest, ok := strings.Cut(text, "://")
	switch {
	case !ok:
		return "", addr, fmt.Errorf("sip: listen %q: write it as udp://host:port", text)
	case !slices.Contains(transports[:], transport):
		return "", addr, fmt.Errorf("sip: listen %q: unknown transport %q", text, transport)
	}
	if host, port, ok := strings.Cut(rest, ":"); ok && (host == "" || host == "*") {
		rest = "[::]:" + port
	}
	addr, err = netip.ParseAddrPort(rest)
	if err != nil {
		return "", addr, fmt.Errorf("sip: listen %q: %w", text, err)
	}
	return transport, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), nil
}

// localAddresses lists what a wildcard stands for: every unicast address of
// this machine but the link-local ones, whose zone no header can carry. One
// socket for each tells which address a datagram came to, and answers from it.
func localAddresses() ([]netip.Addr, error) {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("sip: local addresses: %w", err)
	}
	var v4, v6 []netip.Addr
	for _, n := range nets {
		p, err := netip.ParsePrefix(n.String())
		if err != nil {
			continue
		}
		switch a := p.Addr().Unmap(); {
		case a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified():
		case a.Is4():
			v4 = append(v4, a)
		default:
			v6 = append(v6, a)
		}
	}
	return append(v4, v6...), nil
}

// openGroup opens one socket per address, all at the same port; port 0 is the
// one that the first address gets. Of a wildcard an IPv6 address that cannot
// be bound (it may be tentative, or going) is left out with a warning.
func openGroup(transport string, addrs []netip.Addr, port uint16, wildcard bool, log *slog.Logger) ([]socket, error) {
	var lastErr error
	for range 20 { // a port that is free at one address may be taken at another
		var out []socket
		lastErr = nil
		at := port
		for _, a := range addrs {
			s, err := open(transport, netip.AddrPortFrom(a, at))
			if err != nil && wildcard && a.Is6() && len(out) > 0 && port != 0 {
				log.Warn("sip listener left out", "address", a.String(), "error", err)
				continue
			}
			if err != nil {
				lastErr = err
				break
			}
			at = s.Addr.Port()
			out = append(out, s)
		}
		if lastErr == nil {
			return out, nil
		}
		for _, s := range out {
			s.close()
		}
		if port != 0 {
			break
		}
	}
	return nil, lastErr
}

// receiveBuffer is asked of the kernel for UDP: sixty SUBSCRIBEs of one phone
// come at once, and a thousand phones after a power cut.
const receiveBuffer = 4 << 20

func open(transport string, at netip.AddrPort) (socket, error) {
	family := "4"
	if at.Addr().Is6() {
		family = "6"
	}
	if transport == "udp" {
		c, err := net.ListenUDP("udp"+family, net.UDPAddrFromAddrPort(at))
		if err != nil {
			return socket{}, err
		}
		_ = c.SetReadBuffer(receiveBuffer) // the kernel may give less
		bound := c.LocalAddr().(*net.UDPAddr).AddrPort()
		return socket{Address: Address{transport, unmapped(bound)}, packet: c}, nil
	}
	l, err := net.ListenTCP("tcp"+family, net.TCPAddrFromAddrPort(at))
	if err != nil {
		return socket{}, err
	}
	bound := l.Addr().(*net.TCPAddr).AddrPort()
	return socket{Address: Address{transport, unmapped(bound)}, stream: l}, nil
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
