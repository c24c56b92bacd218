package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// mischief is what comes from a network besides phones.
type mischief struct{ junk, broken, cut, silent atomic.Int64 }

func (m *mischief) String() string {
	return fmt.Sprintf("%d datagrams of junk, %d broken messages, %d connections cut in a message, %d that said nothing",
		m.junk.Load(), m.broken.Load(), m.cut.Load(), m.silent.Load())
}

// run sends some of everything, twenty times a second.
func (m *mischief) run(ctx context.Context, udp, tcp string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.datagrams(udp)
			m.connection(tcp)
		}
	}
}

// broken are messages that are none, or that lie.
func broken() []string {
	head := "REGISTER sip:" + domain + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-x;rport\r\nMax-Forwards: 70\r\n" +
		"From: <sip:1@" + domain + ">;tag=x\r\nTo: <sip:1@" + domain + ">\r\nCSeq: 1 REGISTER\r\n"
	return []string{
		head + "Content-Length: 0\r\n\r\n",
		head + "Call-ID: x\r\nContent-Length: 99999\r\n\r\nshort",
		head + "Call-ID: x\r\nContent-Length: -1\r\n\r\n",
		head + "Call-ID: x\r\nAuthorization: Digest username=\"1\", nonce=\"\", response=\"\r\n\r\n",
		head + "Call-ID: x\r\n" + strings.Repeat("X: y\r\n", 2000) + "\r\n",
		head + "Call-ID: x\r\nContact: <sip:" + strings.Repeat("a", 8000) + "@x>\r\n\r\n",
		"SIP/2.0 200 OK\r\n\r\n",
	}
}

func (m *mischief) datagrams(to string) {
	c, err := net.Dial("udp", to) // another port each time
	if err != nil {
		return
	}
	defer c.Close()
	junk := make([]byte, rand.IntN(1200))
	for i := range junk {
		junk[i] = byte(rand.Int())
	}
	if _, err := c.Write(junk); err == nil {
		m.junk.Add(1)
	}
	all := broken()
	if _, err := c.Write([]byte(all[rand.IntN(len(all))])); err == nil {
		m.broken.Add(1)
	}
}

// connection opens one and loses it.
func (m *mischief) connection(to string) {
	c, err := net.DialTimeout("tcp", to, time.Second)
	if err != nil {
		return
	}
	defer c.Close()
	all := broken()
	text := all[rand.IntN(len(all))]
	switch rand.IntN(3) {
	case 0:
		m.silent.Add(1)
	case 1:
		if _, err := c.Write([]byte(text)); err == nil {
			m.broken.Add(1)
		}
	default:
		if _, err := c.Write([]byte(text[:len(text)/2])); err == nil {
			m.cut.Add(1)
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, as of a phone that lost power
		}
	}
}
