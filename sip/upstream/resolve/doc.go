// Package resolve finds the next hops of a SIP URI in DNS (RFC 3263): NAPTR,
// SRV with priorities and weights (RFC 2782), A and AAAA, in the order in which
// they are to be tried. It knows no SIP message and sends none; it promises
// that every answer is bounded in time and size, whatever a name server says,
// and that what was found once is kept as long as its owner allows, and a
// little longer while no name server answers.
package resolve

import (
	"errors"
	"net/netip"
	"strings"
)

// Hop is one place to send a request to.
type Hop struct {
	Transport string         // "udp", "tcp" or "tls"
	Addr      netip.AddrPort // where
	Name      string         // the name that a certificate has to show (RFC 5922 section 7.3); empty: a URI with an address
}

// String gives udp:192.0.2.1:5060: the hop's name in logs and state.
func (h Hop) String() string { return h.Transport + ":" + h.Addr.String() }

// ParseHop reads what String wrote; the name is lost.
func ParseHop(s string) (Hop, error) {
	transport, rest, _ := strings.Cut(s, ":")
	addr, err := netip.ParseAddrPort(rest)
	if err != nil || !isTransport(transport) {
		return Hop{}, ErrURI
	}
	return Hop{Transport: transport, Addr: addr}, nil
}

// Why there are no hops.
var (
	// ErrURI says that the URI is none that a request can be sent to.
	ErrURI = errors.New("resolve: not a SIP URI with a transport that is spoken here")
	// ErrNotFound says that the name has no address, by the word of its owner.
	ErrNotFound = errors.New("resolve: no such name")
	// ErrRefused says that the owner of the name says that this service is not
	// there (RFC 2782: a target of ".").
	ErrRefused = errors.New("resolve: the service is not available at this name")
	// ErrServer says that no name server gave a usable answer in time.
	ErrServer = errors.New("resolve: no answer from a name server")
)

func isTransport(t string) bool { return t == "udp" || t == "tcp" || t == "tls" }

// defaultPort is RFC 3261 section 19.1.2's.
func defaultPort(transport string) uint16 {
	if transport == "tls" {
		return 5061
	}
	return 5060
}
