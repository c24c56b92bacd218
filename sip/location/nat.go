package location

import (
	"net/netip"
	"strings"
)

// behindNAT tells whether something between the phone and here changed the
// address that the phone believes to have: where its request came from is not
// what its Via or its Contact says (RFC 3581 section 4, RFC 5626 section 3.2). On
// a stream only the host can tell, since its port is never the one listened on.
// A contact that is a name, as a browser's, is reached by its flow only, which
// comes to the same.
func behindNAT(f Flow, sentBy string, contact URI) bool {
	source, err := netip.ParseAddrPort(f.Remote)
	if err != nil {
		return false
	}
	port := source.Port()
	if f.Transport != "udp" {
		port = 0
	}
	via, err := ParseURI("sip:" + sentBy)
	if _, isName := addrOf(via); err != nil || isName {
		via = contact
	}
	return !isAt(contact, source.Addr(), port) || !isAt(via, source.Addr(), port)
}

// isAt tells whether a URI names the address; port 0: any.
func isAt(u URI, a netip.Addr, port uint16) bool {
	host, isName := addrOf(u)
	return !isName && host == a.Unmap() && (port == 0 || portOf(u) == port)
}

func addrOf(u URI) (a netip.Addr, isName bool) {
	a, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	return a.Unmap(), err != nil
}

// portOf is the port of a URI, with the default of RFC 3261 section 19.1.2.
func portOf(u URI) uint16 {
	if u.Port == 0 {
		return 5060
	}
	return uint16(u.Port)
}
