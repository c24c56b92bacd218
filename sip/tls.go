package sip

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"

	"perch/metrics"
	"perch/sip/front"
)

// tlsListener ends TLS. Accept does not wait for the handshake: it is part of
// the connection's first read, so that a silent peer holds up only itself.
type tlsListener struct {
	net.Listener
	config  *tls.Config
	metrics *metrics.SIP
}

// Accept implements net.Listener.
func (l *tlsListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tlsConn{Conn: tls.Server(c, l.config), metrics: l.metrics}, nil
}

// tlsConn is one connection, whose peer may never have wanted TLS.
type tlsConn struct {
	*tls.Conn
	metrics *metrics.SIP
	shaken  bool // only the one reader uses it
}

// Read shakes hands first. A handshake that fails is counted and looks like the
// end of the connection: what strangers send is no error of ours.
func (c *tlsConn) Read(b []byte) (int, error) {
	if !c.shaken {
		if err := c.Handshake(); err != nil {
			c.metrics.Dropped(metrics.DropHandshake)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return 0, err
			}
			return 0, io.EOF
		}
		c.shaken = true
	}
	return c.Conn.Read(b)
}

// cleanMessage is the first look at a message of a WebSocket, as the sockets of
// the other transports give it: a message without what stands before it,
// keep-alives as they are (RFC 5626 section 3.5.1), junk ends the connection.
func cleanMessage(m *metrics.SIP) func([]byte) ([]byte, bool) {
	return func(b []byte) ([]byte, bool) {
		if ping := []byte("\r\n\r\n"); bytes.Equal(b, ping) {
			return ping, true
		}
		switch v, offset := front.Scan(b); v {
		case front.Message:
			return b[offset:], true
		case front.KeepAlive:
			return nil, true
		case front.TooLong:
			m.Dropped(metrics.DropTooBig)
		default:
			m.Dropped(metrics.DropMalformed)
		}
		return nil, false
	}
}
