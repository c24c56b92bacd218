package lossy

import (
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"
)

// Network is how bad the network is. The zero Network is a good one.
type Network struct {
	Loss  float64       // share of datagrams that are lost, each way
	Late  float64       // share that come late, and so out of order
	Delay time.Duration // at most so late

	Sent, Lost, Delayed atomic.Int64
}

// carry passes a datagram on, or does not.
func (n *Network) carry(pass func()) {
	n.Sent.Add(1)
	switch luck := rand.Float64(); {
	case luck < n.Loss:
		n.Lost.Add(1)
	case luck < n.Loss+n.Late && n.Delay > 0:
		n.Delayed.Add(1)
		time.AfterFunc(rand.N(n.Delay), pass)
	default:
		pass()
	}
}

// socket is a phone's own.
type socket struct {
	*Network
	conn *net.UDPConn
}

func dial(n *Network, server string) (*socket, error) {
	to, err := net.ResolveUDPAddr("udp", server)
	if err != nil {
		return nil, err
	}
	c, err := net.DialUDP("udp", nil, to)
	if err != nil {
		return nil, err
	}
	return &socket{n, c}, nil
}

// send never fails: what cannot be sent is lost.
func (s *socket) send(text string) {
	s.carry(func() { _, _ = s.conn.Write([]byte(text)) })
}

// receive calls take for each datagram until the socket is closed.
func (s *socket) receive(take func(message)) {
	buf := make([]byte, 65536)
	for {
		size, err := s.conn.Read(buf)
		if err != nil {
			if ne, ok := err.(interface{ Timeout() bool }); ok && ne.Timeout() || isRefused(err) {
				continue
			}
			return
		}
		if m, ok := parse(string(buf[:size])); ok {
			s.carry(func() { take(m) })
		}
	}
}
