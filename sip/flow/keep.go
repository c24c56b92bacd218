package flow

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/location"
)

// with runs f over the very connection of a flow, or gives ErrGone or
// ErrElsewhere.
func (s *Sender) with(f location.Flow, do func(sip.Connection) error) error {
	e, err := s.endpoint(f)
	if err != nil {
		return err
	}
	conn, err := e.UA.TransportLayer().GetConnection(network(f), poolKey(f))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	defer conn.TryClose() //nolint:errcheck // gives back the pool's reference
	if !owns(conn, f) {
		return ErrGone
	}
	return do(conn)
}

// Alive tells whether something could be sent by the flow now.
func (s *Sender) Alive(f location.Flow) bool {
	return s.with(f, func(sip.Connection) error { return nil }) == nil
}

var errNotUDP = errors.New("flow: a ping is for UDP")

// Ping sends the shortest packet that keeps a UDP flow open: line breaks, which
// every SIP peer passes over (RFC 3261 section 7.5). Nothing comes back.
func (s *Sender) Ping(f location.Flow) error {
	to, err := addrOf(f)
	if err != nil {
		return err
	}
	return s.with(f, func(c sip.Connection) error {
		udp, ok := c.(*sip.UDPConnection)
		if !ok {
			return errNotUDP
		}
		if _, err := udp.PacketConn.WriteTo([]byte("\r\n\r\n"), net.UDPAddrFromAddrPort(to)); err != nil {
			return fmt.Errorf("flow: ping: %w", err)
		}
		return nil
	})
}

// Heard is when the peer of a stream last sent anything, keep-alives included.
// The errors are ErrGone and ErrElsewhere.
func (s *Sender) Heard(f location.Flow) (at time.Time, err error) {
	err = s.with(f, func(c sip.Connection) error {
		at = heard(netConn(c))
		return nil
	})
	return at, err
}

// Hangup closes the connection of a stream; of UDP nothing.
func (s *Sender) Hangup(f location.Flow) {
	_ = s.with(f, func(c sip.Connection) error { // gone already: what was asked for holds
		if n := netConn(c); n != nil {
			return n.Close()
		}
		return nil
	})
}

// maxLayers bounds the connections around a connection: TLS, WebSocket, ours.
const maxLayers = 6

// heard asks the accepted connection below whatever is read from it.
func heard(c net.Conn) time.Time {
	for range maxLayers {
		switch l := c.(type) {
		case interface{ Heard() time.Time }:
			return l.Heard()
		case interface{ NetConn() net.Conn }:
			c = l.NetConn()
		default:
			return time.Time{}
		}
	}
	return time.Time{}
}
