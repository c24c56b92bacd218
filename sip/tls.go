package sip

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"

	"perch/metrics"
)

// tlsListener ends TLS. Accept does not wait for the handshake: it is part of
// the connection's first read, so that a silent peer holds up only itself.
type tlsListener struct {
	net.Listener
	config  *tls.Config
	metrics *metrics.SIP
}

// newTLSListener wraps an open listener. It gives no session tickets: TLS 1.3
// sends them unasked after the handshake, and a client that waits for a SIP
// answer there takes them for a broken one (sipsak does). Phones that reboot
// have forgotten theirs anyhow.
func newTLSListener(l net.Listener, config *tls.Config, m *metrics.SIP) *tlsListener {
	config = config.Clone()
	config.SessionTicketsDisabled = true
	return &tlsListener{Listener: l, config: config, metrics: m}
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
