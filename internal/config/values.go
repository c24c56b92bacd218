package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Listener is one socket for phones, written transport://host:port.
type Listener struct {
	Transport string // udp, tcp, tls, ws or wss
	Host      string // address, "0.0.0.0" or "::" for all of a family
	Port      int    // 0: any free one
}

// UnmarshalText reads transport://host[:port]; without a port it is 5060, for
// tls 5061, for ws and wss 80 and 443.
func (l *Listener) UnmarshalText(b []byte) error {
	transport, rest, found := strings.Cut(string(b), "://")
	if !found {
		return errors.New("must be a URL such as udp://0.0.0.0:5060 or tcp://[::]:5060")
	}
	usual, known := map[string]string{"udp": "5060", "tcp": "5060", "tls": "5061", "ws": "80", "wss": "443"}[transport]
	if !known {
		return errors.New("must begin with udp://, tcp://, tls://, ws:// or wss://")
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		host, port = strings.Trim(rest, "[]"), usual
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return errors.New("must end with a port from 0 to 65535")
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return errors.New("must name an IP address of this machine, 0.0.0.0 or [::]")
	}
	*l = Listener{transport, addr.String(), int(n)}
	return nil
}

// Secure tells whether the listener needs a certificate.
func (l Listener) Secure() bool { return l.Transport == "tls" || l.Transport == "wss" }

// MarshalText writes what UnmarshalText reads.
func (l Listener) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// String is the URL.
func (l Listener) String() string { return l.Transport + "://" + l.Address() }

// Address is host:port, as net.Listen takes it.
func (l Listener) Address() string { return net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) }

// PortRange is a range of UDP ports, both ends included.
type PortRange struct{ Low, High uint16 }

// UnmarshalText reads low-high.
func (p *PortRange) UnmarshalText(b []byte) error {
	low, high, found := strings.Cut(string(b), "-")
	l, errLow := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
	h, errHigh := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
	if !found || errLow != nil || errHigh != nil {
		return errors.New("must be two ports such as 20000-20999")
	}
	*p = PortRange{uint16(l), uint16(h)}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (p PortRange) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String is low-high.
func (p PortRange) String() string { return fmt.Sprintf("%d-%d", p.Low, p.High) }

// loopback tells whether host:port can be reached from this machine only.
func loopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// Loopback tells whether the portal can be reached from this machine only.
func (p Portal) Loopback() bool { return loopback(p.Listen) }
