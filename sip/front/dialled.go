package front

import (
	"net"
	"sync"

	"perch/sip/siptrace"
)

// Dialled is a listener for connections that were opened from here. What
// arrives over them is treated like what arrives over accepted ones; they are
// known to lead to somebody, so that they have no deadline to prove it.
type Dialled struct {
	Trace     *siptrace.Tracer // may be nil
	Transport string           // "tcp", "tls"

	gate   *Gate
	addr   net.Addr
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// NewDialled makes one that says it listens at addr. Its connections do not
// count in the gate's bounds; the gate is told when they close.
func NewDialled(addr net.Addr, g *Gate) *Dialled {
	return &Dialled{gate: g, addr: addr, queue: make(chan net.Conn), closed: make(chan struct{})}
}

// Hand gives a connection to whoever accepts, under its own name, which is the
// flow's ID. TLS has been negotiated before. The error is net.ErrClosed; then
// the connection is closed.
func (l *Dialled) Hand(c net.Conn) (*Conn, error) {
	bound(c)
	conn := newConn(c, func() {})
	conn.tell = l.gate.tell
	conn.watched = watched{trace: l.Trace, transport: l.Transport}
	conn.Admit()
	select {
	case l.queue <- conn:
		return conn, nil
	case <-l.closed:
		_ = c.Close()
		return nil, net.ErrClosed
	}
}

// Accept implements net.Listener.
func (l *Dialled) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (l *Dialled) Addr() net.Addr { return l.addr }

// Close implements net.Listener. It is safe twice.
func (l *Dialled) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}
