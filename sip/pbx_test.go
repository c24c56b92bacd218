package sip_test

import (
	"bufio"
	"net"
	"net/netip"
	"testing"
)

func newReader(c net.Conn) *bufio.Reader { return bufio.NewReaderSize(c, 65536) }

// pbxSocket listens as a PBX would; the channel gives the first peer.
func pbxSocket(t *testing.T, network string) (netip.AddrPort, <-chan net.Conn) {
	t.Helper()
	accepted := make(chan net.Conn, 1)
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		accepted <- &packets{UDPConn: c.(*net.UDPConn)}
		return netip.MustParseAddrPort(c.LocalAddr().String()), accepted
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		if c, err := l.Accept(); err == nil {
			accepted <- c
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String()), accepted
}

// packets is a UDP socket that answers whom it heard last.
type packets struct {
	*net.UDPConn
	peer net.Addr
}

func (p *packets) Read(b []byte) (n int, err error) {
	n, p.peer, err = p.ReadFrom(b)
	return n, err
}

func (p *packets) Write(b []byte) (int, error) { return p.WriteTo(b, p.peer) }
