package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"perch/sip/flow"
	"perch/sip/front"
	"perch/sip/location"
)

// dialTime bounds the making of a connection, TLS included.
const dialTime = 5 * time.Second

// Dial implements flow.Dialer: it opens a connection to a PBX, never to a phone.
// What comes over it goes the way of all other messages.
func (s *Server) Dial(ctx context.Context, transport string, to netip.AddrPort, name string) (location.Flow, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return location.Flow{}, fmt.Errorf("sip: dial: %w", err)
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err == nil && transport == "tls" {
		conn, err = s.secured(ctx, conn, name, to)
	}
	if err != nil {
		_ = conn.Close()
		return location.Flow{}, fmt.Errorf("sip: dial: %w", err)
	}
	e, err := s.outgoing(transport, local.Addr().Unmap())
	if err != nil {
		_ = conn.Close()
		return location.Flow{}, err
	}
	named, err := e.dialled.Hand(conn)
	if err != nil {
		return location.Flow{}, fmt.Errorf("sip: dial: %w", err)
	}
	f := location.Flow{Node: s.o.Node, ID: named.ID(), Transport: transport, Remote: conn.RemoteAddr().String(), Local: e.flow.Local}
	return f, s.taken(ctx, f)
}

// secured negotiates TLS and verifies whom we talk to.
func (s *Server) secured(ctx context.Context, c net.Conn, name string, to netip.AddrPort) (net.Conn, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.o.HopTLS != nil {
		config = s.o.HopTLS.Clone()
	}
	if config.ServerName = name; name == "" {
		config.ServerName = to.Addr().String()
	}
	secure := tls.Client(c, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return c, err //nolint:wrapcheck // the caller says what it was
	}
	return secure, nil
}

// taken waits until the stack has taken a connection: before that it could not
// send by it.
func (s *Server) taken(ctx context.Context, f location.Flow) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !s.o.Sender.Alive(f) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("sip: dial: %w", flow.ErrGone)
		}
	}
	return nil
}

var errNotServing = errors.New("sip: not serving")

// outgoing gives the endpoint of the connections that were opened from a local
// address; it is made when it is first needed.
func (s *Server) outgoing(transport string, local netip.Addr) (*endpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.running {
		return nil, errNotServing
	}
	addr := netip.AddrPortFrom(local, 0)
	for _, e := range s.endpoints {
		if e.dialled != nil && e.socket.Transport == transport && e.socket.Addr == addr {
			return e, nil
		}
	}
	e, err := s.newEndpoint(socket{
		Address: Address{Transport: transport, Addr: addr},
		dialled: front.NewDialled(net.TCPAddrFromAddrPort(addr), s.gate),
	})
	if err != nil {
		return nil, err
	}
	e.flow.Advertise = s.nameFor(transport, local)
	s.endpoints = append(s.endpoints, e)
	s.o.Sender.Add(e.flow)
	s.serving.Go(func() { e.serve(s.o.Log) })
	return e, nil
}

// nameFor is what a Via and a Contact say about a connection opened from a
// local address: where we listen with the same transport, or else at all.
func (s *Server) nameFor(transport string, local netip.Addr) string {
	best, rank := netip.AddrPortFrom(local, 5060).String(), 0
	for _, e := range s.endpoints {
		if e.dialled != nil || e.web != nil {
			continue
		}
		r := 1
		if e.socket.Addr.Addr().Unmap() == local {
			r += 2
		}
		if e.socket.Transport == transport {
			r++
		}
		if r > rank {
			rank, best = r, e.flow.Local
			if e.flow.Advertise != "" {
				best = e.flow.Advertise
			}
		}
	}
	return best
}
