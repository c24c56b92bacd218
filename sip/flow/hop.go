package flow

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"perch/sip/location"
)

// Hop is a place to which requests go without a registration: a PBX.
type Hop struct {
	Transport string // "udp", "tcp", "tls"
	Addr      netip.AddrPort
	Host      string // name that the certificate is for; empty: the address
}

// String gives transport:address.
func (h Hop) String() string { return h.Transport + ":" + h.Addr.String() }

// Dialer opens connections to hops. Phones are never dialled.
type Dialer interface {
	// Dial connects by "tcp" or "tls", and verifies the certificate for the name.
	// The flow is one of this node's, like that of an accepted connection.
	Dial(ctx context.Context, transport string, to netip.AddrPort, name string) (location.Flow, error)
}

// ErrNoWay says that nothing here can send to the hop: no listener of that
// transport and address family, or the connection cannot be made.
var ErrNoWay = errors.New("flow: no way to the hop")

// MaxDatagram is the size of a request above which it goes by TCP where the hop
// takes it (RFC 3261 section 18.1.1), in bytes.
const MaxDatagram = 1300

// Dial makes Reach able to open connections; before use.
func (s *Sender) Dial(d Dialer) { s.dialer = d }

// Reach gives the flow to a hop for a request of about size bytes, by which it
// is then sent like to a phone. Over UDP it leaves from the listener whose
// address the system would use for that destination; a large one goes over TCP
// unless that cannot be had. One connection serves a hop as long as it is open.
// The error is ErrNoWay or the context's.
func (s *Sender) Reach(ctx context.Context, h Hop, size int) (location.Flow, error) {
	switch h.Transport {
	case "udp":
		if tcp := (Hop{Transport: "tcp", Addr: h.Addr}); size > MaxDatagram && !s.shut(tcp.key(), noTCP) {
			if f, err := s.connected(ctx, tcp); err == nil {
				return f, nil
			}
		}
		return s.datagrams(h.Addr)
	case "tcp", "tls":
		return s.connected(ctx, h)
	}
	return location.Flow{}, fmt.Errorf("%w: transport %.10q", ErrNoWay, h.Transport)
}

// How long a hop that could not be connected to is left alone: a little, so that
// those who waited for the same connection do not all wait again, and longer
// where UDP is at hand.
const (
	leftAlone = 2 * time.Second
	noTCP     = 5 * time.Minute
)

// shut tells whether the hop could not be connected to just now.
func (s *Sender) shut(key string, within time.Duration) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at, ok := s.failed[key]
	return ok && time.Since(at) < within
}

func (h Hop) key() string { return h.String() + " " + strings.ToLower(h.Host) }

// datagrams finds the UDP listener to send from.
func (s *Sender) datagrams(to netip.AddrPort) (location.Flow, error) {
	own := sourceFor(to)
	s.mu.RLock()
	defer s.mu.RUnlock()
	best := ""
	for _, e := range s.endpoints {
		local, err := netip.ParseAddrPort(e.Local)
		if err != nil || e.Transport != "udp" || local.Addr().Unmap().Is4() != to.Addr().Unmap().Is4() {
			continue
		}
		if local.Addr().Unmap() == own {
			best = e.Local
			break
		}
		if best == "" || best > e.Local {
			best = e.Local
		}
	}
	if best == "" {
		return location.Flow{}, fmt.Errorf("%w: no UDP listener for %s", ErrNoWay, to)
	}
	return location.Flow{Node: s.node, Transport: "udp", Remote: to.String(), Local: best}, nil
}

func sourceOf(local string) netip.Addr {
	a, _ := netip.ParseAddrPort(local)
	return a.Addr().Unmap()
}

// sourceFor asks the system which of its addresses it would send from. Nothing
// is sent.
func sourceFor(to netip.AddrPort) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close() //nolint:errcheck // nothing was sent
	return sourceOf(c.LocalAddr().String())
}

// connected gives the open connection to a hop, or opens one. Those who ask at
// once wait for the same.
func (s *Sender) connected(ctx context.Context, h Hop) (location.Flow, error) {
	if s.dialer == nil {
		return location.Flow{}, ErrNoWay
	}
	key := h.key()
	line := s.line(key)
	select {
	case line <- struct{}{}:
	case <-ctx.Done():
		return location.Flow{}, context.Cause(ctx)
	}
	defer func() { <-line }()
	s.mu.RLock()
	f, ok := s.hops[key]
	s.mu.RUnlock()
	if ok && s.Alive(f) {
		return f, nil
	}
	if s.shut(key, leftAlone) {
		return location.Flow{}, fmt.Errorf("%w: %s: tried a moment ago", ErrNoWay, h)
	}
	f, err := s.dialer.Dial(ctx, h.Transport, h.Addr, h.Host)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed[key] = time.Now()
		return location.Flow{}, fmt.Errorf("%w: %s: %w", ErrNoWay, h, err)
	}
	s.hops[key] = f
	delete(s.failed, key)
	return f, nil
}

// line is where those who want the same connection queue.
func (s *Sender) line(key string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.dialling[key]
	if !ok {
		l = make(chan struct{}, 1)
		s.dialling[key] = l
	}
	return l
}
