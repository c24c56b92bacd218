package sim

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A longer datagram is dropped, a longer message on a connection ends it. A
// datagram's buffer is the largest thing that an idle phone holds.
const (
	maxMessage  = 64 << 10
	maxDatagram = 8 << 10
)

// link is how messages leave: the phone's UDP socket, or a TCP connection.
type link interface {
	send(b []byte, to netip.AddrPort) error
	local() netip.AddrPort
	proto() string // udp or tcp
	down() <-chan struct{}
}

// udpLink is the one socket of a phone.
type udpLink struct {
	conn *net.UDPConn
	addr netip.AddrPort
}

// listenUDP binds a port of the system's choice.
func listenUDP(ip netip.Addr) (*udpLink, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return nil, err
	}
	return &udpLink{conn: conn, addr: localOf(conn.LocalAddr())}, nil
}

func (u *udpLink) send(b []byte, to netip.AddrPort) error {
	_, err := u.conn.WriteToUDPAddrPort(b, to)
	return err
}
func (u *udpLink) local() netip.AddrPort { return u.addr }
func (u *udpLink) proto() string         { return "udp" }
func (u *udpLink) down() <-chan struct{} { return nil }

// readUDP hands every datagram to the phone until the socket closes.
func (p *Phone) readUDP() {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := p.udp.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n == len(buf) {
			continue // an ICMP error of an earlier send, or a message cut short
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		p.receive(buf[:n], from, p.udp)
	}
}

// tcpLink is one connection to the registrar; requests come back through it.
type tcpLink struct {
	conn   net.Conn
	peer   netip.AddrPort
	addr   netip.AddrPort
	mu     sync.Mutex // serialises writes
	closed chan struct{}
	once   sync.Once
}

func (t *tcpLink) send(b []byte, _ netip.AddrPort) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := t.conn.Write(b); err != nil {
		t.close()
		return err
	}
	return nil
}
func (t *tcpLink) local() netip.AddrPort { return t.addr }
func (t *tcpLink) proto() string         { return "tcp" }
func (t *tcpLink) down() <-chan struct{} { return t.closed }
func (t *tcpLink) close() {
	t.once.Do(func() {
		t.conn.Close()
		close(t.closed)
	})
}

func (t *tcpLink) alive() bool {
	select {
	case <-t.closed:
		return false
	default:
		return true
	}
}

// connect gives the link for an account: the socket, or the connection to dst,
// opened again when it was lost.
func (p *Phone) connect(ctx context.Context, transport string, dst netip.AddrPort) (link, error) {
	if transport == "udp" {
		return p.udp, nil
	}
	if transport != "tcp" {
		return nil, fmt.Errorf("sim: transport %q is not imitated", transport)
	}
	p.mu.Lock()
	old := p.tcp
	p.mu.Unlock()
	if old != nil && old.alive() && old.peer == dst {
		return old, nil
	}
	d := net.Dialer{Timeout: 64 * p.opt.T1, LocalAddr: &net.TCPAddr{IP: p.udp.addr.Addr().AsSlice()}}
	conn, err := d.DialContext(ctx, "tcp", dst.String())
	if err != nil {
		return nil, err
	}
	t := &tcpLink{conn: conn, peer: dst, addr: localOf(conn.LocalAddr()), closed: make(chan struct{})}
	p.mu.Lock()
	p.tcp = t
	p.mu.Unlock()
	if old != nil {
		old.close()
	}
	if !p.spawn(func() { p.readTCP(t) }) {
		t.close()
		return nil, net.ErrClosed
	}
	return t, nil
}

// readTCP frames messages by Content-Length (RFC 3261 section 18.3).
func (p *Phone) readTCP(t *tcpLink) {
	defer t.close()
	r := bufio.NewReaderSize(t.conn, 4096)
	for {
		msg, err := readFrame(r)
		if err != nil {
			return
		}
		if len(msg) > 0 {
			p.receive(msg, t.peer, t)
		}
	}
}

// readFrame reads one message from a stream; an empty one is a keep-alive.
func readFrame(r *bufio.Reader) ([]byte, error) {
	var msg []byte
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		msg = append(msg, line...)
		if len(msg) > maxMessage {
			return nil, errors.New("message too long")
		}
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			break
		}
		name, value, _ := bytes.Cut(text, []byte(":"))
		if n := strings.ToLower(string(bytes.TrimSpace(name))); n == "content-length" || n == "l" {
			length = atoiRange(string(value), 0, maxMessage, -1)
		}
	}
	if len(msg) <= 2 {
		return nil, nil
	}
	if length < 0 {
		return nil, errors.New("no content length to believe")
	}
	head := len(msg)
	msg = append(msg, make([]byte, length)...)
	for n := head; n < len(msg); {
		k, err := r.Read(msg[n:])
		if err != nil {
			return nil, err
		}
		n += k
	}
	return msg, nil
}

// reachIP finds the local address from which the host of u is reached.
func reachIP(u *url.URL) (netip.Addr, error) {
	port := u.Port()
	if port == "" {
		port = "80"
	}
	c, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), port)) // sends nothing
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return localOf(c.LocalAddr()).Addr(), nil
}

func localOf(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return unmap(a.AddrPort())
	case *net.TCPAddr:
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// resolve finds the address of a host; an address stands for itself.
func resolve(ctx context.Context, host string, port int) (netip.AddrPort, error) {
	if port == 0 {
		port = 5060
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(ip.Unmap(), uint16(port)), nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(ips) == 0 {
		return netip.AddrPort{}, fmt.Errorf("sim: cannot resolve %q: %w", host, err)
	}
	ip := ips[0]
	for _, i := range ips {
		if i.Unmap().Is4() {
			ip = i
			break
		}
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)), nil
}
