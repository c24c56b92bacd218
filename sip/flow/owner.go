package flow

import (
	"net"
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/sip/location"
)

// Named is an accepted connection that can be told from a later one with the
// same addresses. The listener's wrapper gives each a name of its own.
type Named interface {
	ID() string
	// Done is closed when the connection is.
	Done() <-chan struct{}
}

// connector is what the stack's own server transactions can do besides.
type connector interface{ Connection() sip.Connection }

// ConnOf gives the network connection that a request came by; nil for UDP or
// when the stack does not tell.
func ConnOf(tx sip.ServerTransaction) net.Conn {
	c, ok := tx.(connector)
	if !ok {
		return nil
	}
	return netConn(c.Connection())
}

func netConn(c sip.Connection) net.Conn {
	switch c := c.(type) {
	case *sip.TCPConnection: // TLS too
		return c.Conn
	case *sip.WSConnection:
		return c.Conn
	}
	return nil
}

// Of describes the flow that a request came by, at an endpoint of this node.
func Of(node, transport, local string, req *sip.Request, tx sip.ServerTransaction) location.Flow {
	f := location.Flow{Node: node, Transport: transport, Local: local, Remote: req.Source()}
	if named, ok := ConnOf(tx).(Named); ok {
		f.ID = named.ID()
	}
	return f
}

// doneOf gives the channel that is closed with a stream's connection; nil, which
// never is, for UDP.
func doneOf(c sip.Connection) <-chan struct{} {
	if named, ok := netConn(c).(Named); ok {
		return named.Done()
	}
	return nil
}

// owns tells whether a connection that the stack chose is the flow's own: for
// UDP the listening socket itself, for streams the very connection.
func owns(c sip.Connection, f location.Flow) bool {
	if f.Transport == "udp" {
		udp, ok := c.(*sip.UDPConnection)
		return ok && udp.Listener && strings.EqualFold(udp.PacketAddr, f.Local)
	}
	named, ok := netConn(c).(Named)
	return ok && f.ID != "" && named.ID() == f.ID
}
