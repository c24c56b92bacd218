package media

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/rtp"
)

const (
	maxPacket = 1500 // bytes; longer ones are cut, and then are no RTP of ours
	maxRate   = 500  // packets a second that are looked at; a call has at most 100
)

// latch is how the session came to know where to send.
type latch int

const (
	nobody   latch = iota // by the description alone
	stranger              // by a packet from an unexpected address
	expected              // by a packet from where the peer said it is
)

// read takes packets until the socket closes.
func (s *Session) read() {
	buf := make([]byte, maxPacket)
	second, count := time.Now(), 0
	for {
		if count++; count > maxRate {
			// More than any call needs: let the kernel drop the rest of it.
			if !s.pause(time.Second - time.Since(second)) {
				return
			}
			count = 0
		}
		if time.Since(second) >= time.Second {
			second, count = time.Now(), 0
		}
		n, from, err := s.sock.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			s.receive(buf[:n], from)
		}
	}
}

// pause waits and tells whether the session goes on.
func (s *Session) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closed:
		return false
	}
}

// receive looks at one packet. The sound itself is not used yet.
//
// Packets go where the peer's packets come from (symmetric RTP, RFC 4961), once
// that is known: the first valid packet decides, one from an address that the
// peer told us decides over one from elsewhere, and then it stays.
func (s *Session) receive(b []byte, from netip.AddrPort) {
	var head rtp.Header
	if _, err := head.Unmarshal(b); err != nil || head.Version != 2 {
		return
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stream
	if head.PayloadType != st.PayloadType && (!st.HasEvents || head.PayloadType != st.EventType) {
		return
	}
	who := stranger
	if from.Addr() == st.Remote.Addr() || slices.Contains(s.trusted, from.Addr()) {
		who = expected
	}
	if who > s.latch {
		s.remote, s.latch = from, who
	}
}
