package media

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// Ports gives out the UDP ports of a configured range. RTP takes even ports
// only (RFC 3550 section 11); the odd one above is left to RTCP. Safe for use by
// several goroutines.
type Ports struct {
	first uint16 // even
	count int    // of even ports

	mu   sync.Mutex
	busy map[uint16]bool
}

// NewPorts takes a range, both ends included.
func NewPorts(first, last uint16) (*Ports, error) {
	lo, hi := int(first)+int(first)%2, int(last)-int(last)%2
	if first == 0 || lo > hi {
		return nil, fmt.Errorf("media: port range %d-%d holds no even port", first, last)
	}
	return &Ports{first: uint16(lo), count: (hi-lo)/2 + 1, busy: map[uint16]bool{}}, nil
}

// Listen opens a socket at one local address, on the first port that is free
// from a random one on: a port that can be guessed invites strangers' packets,
// and one just released may still get those of its last call. ErrNoPort when
// none is free; it never waits. Close the socket to give the port back.
func (p *Ports) Listen(local netip.Addr) (*Socket, error) {
	network := "udp4"
	if local = local.Unmap(); !local.Is4() {
		network = "udp6"
	}
	start := rand.IntN(p.count)
	for i := range p.count {
		port := p.first + uint16(2*((start+i)%p.count))
		if !p.take(port) {
			continue
		}
		conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, port)))
		if err == nil {
			// RTCP is a courtesy: without its port a call goes on.
			control, _ := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, port+1)))
			return &Socket{conn: conn, control: control, port: port, ports: p}, nil
		}
		p.release(port)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("media: listen: %w", err) // no port will do at this address
		}
	}
	return nil, ErrNoPort
}

func (p *Ports) take(port uint16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[port] {
		return false
	}
	p.busy[port] = true
	return true
}

func (p *Ports) release(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, port)
}

// InUse is how many ports are given out now.
func (p *Ports) InUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.busy)
}

// Socket is one RTP port of ours, and the one above it.
type Socket struct {
	conn    *net.UDPConn
	control *net.UDPConn // of the odd port above, for RTCP; nil where it was taken
	port    uint16
	ports   *Ports
	once    sync.Once
}

// Port is its number; the address the peer is told may be another than the
// local one.
func (s *Socket) Port() uint16 { return s.port }

// Close gives the port back. It is safe to call twice.
func (s *Socket) Close() error {
	var err error
	s.once.Do(func() {
		err = s.conn.Close()
		if s.control != nil {
			err = errors.Join(err, s.control.Close())
		}
		s.ports.release(s.port)
	})
	return err
}
