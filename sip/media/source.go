package media

import (
	"net/netip"
	"time"
)

// source is where the peer's packets come from. Ours go there (symmetric RTP,
// RFC 4961), once it is known: a NAT may have given the peer another address
// than it knows of.
//
// Only an address that the peer named in its description or that its SIP comes
// from is ever taken; a stranger's packets are counted and dropped. The first
// port heard at such an address is the one, until the very address and port of
// the description is heard, or the one has been silent for a while: several
// phones may share an address.
type source struct {
	at   netip.AddrPort
	last time.Time
}

// silentFor is how long the source may be silent before another port at an
// expected address takes its place.
const silentFor = 2 * time.Second

// belongs tells whether a packet from an expected address may be the peer's,
// where described is what the peer named.
func (s *source) belongs(from, described netip.AddrPort, now time.Time) bool {
	return !s.at.IsValid() || from == s.at || from == described || now.Sub(s.last) > silentFor
}

// heard takes the origin of a packet that belongs.
func (s *source) heard(from netip.AddrPort, now time.Time) {
	s.at, s.last = from, now
}

// to is where packets go.
func (s *source) to(st Stream) netip.AddrPort {
	if s.at.IsValid() {
		return s.at
	}
	return st.Remote
}
