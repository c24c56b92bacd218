package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/net/ipv4"
)

// wire carries requests out and responses in. It is one goroutine's.
type wire interface {
	local() string
	reliable() bool
	// queue takes a copy of a request, which leaves with the next exchange.
	queue(msg []byte)
	// exchange sends what is queued, waits for anything to come, and gives each
	// message to f. The error is errSilence when nothing came.
	exchange(wait time.Duration, f func(msg []byte)) error
	close()
}

var errSilence = errors.New("nothing came")

const (
	batch    = 32   // datagrams in one system call
	datagram = 2048 // bytes of a response at most
)

func dialWire(transport, target string) (wire, error) {
	c, err := net.Dial(transport, target)
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		return &tcpWire{conn: tcp, in: make([]byte, 0, 1<<17)}, nil
	}
	u, ok := c.(*net.UDPConn)
	if !ok {
		return nil, fmt.Errorf("no such transport %q", transport)
	}
	_ = u.SetReadBuffer(1 << 20) // the kernel may give less
	w := &udpWire{conn: u, packets: ipv4.NewPacketConn(u), in: make([]ipv4.Message, batch)}
	for i := range w.in {
		w.in[i].Buffers = [][]byte{make([]byte, datagram)}
	}
	return w, nil
}

// udpWire sends and receives many datagrams with one system call.
type udpWire struct {
	conn    *net.UDPConn
	packets *ipv4.PacketConn
	in, out []ipv4.Message
	spare   [][]byte
}

func (w *udpWire) local() string  { return w.conn.LocalAddr().String() }
func (w *udpWire) reliable() bool { return false }
func (w *udpWire) close()         { _ = w.conn.Close() }

func (w *udpWire) queue(msg []byte) {
	var buf []byte
	if n := len(w.spare); n > 0 {
		buf, w.spare = w.spare[n-1], w.spare[:n-1]
	}
	w.out = append(w.out, ipv4.Message{Buffers: [][]byte{append(buf[:0], msg...)}})
}

func (w *udpWire) exchange(wait time.Duration, f func([]byte)) error {
	for sent := 0; sent < len(w.out); {
		n, err := w.packets.WriteBatch(w.out[sent:min(len(w.out), sent+batch)], 0)
		if err != nil {
			break // lost, as a datagram may be: it is repeated
		}
		sent += n
	}
	for _, m := range w.out {
		w.spare = append(w.spare, m.Buffers[0])
	}
	w.out = w.out[:0]
	if err := w.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	n, err := w.packets.ReadBatch(w.in, 0)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSilence
	}
	if err != nil {
		return err
	}
	for _, m := range w.in[:n] {
		f(m.Buffers[0][:m.N])
	}
	return nil
}

// tcpWire is a connection.
type tcpWire struct {
	conn *net.TCPConn
	out  []byte
	in   []byte
}

func (w *tcpWire) local() string    { return w.conn.LocalAddr().String() }
func (w *tcpWire) reliable() bool   { return true }
func (w *tcpWire) close()           { _ = w.conn.Close() }
func (w *tcpWire) queue(msg []byte) { w.out = append(w.out, msg...) }

func (w *tcpWire) exchange(wait time.Duration, f func([]byte)) error {
	if len(w.out) > 0 {
		if _, err := w.conn.Write(w.out); err != nil {
			return err
		}
		w.out = w.out[:0]
	}
	if err := w.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	if len(w.in) == cap(w.in) {
		return errors.New("a response of more than the buffer")
	}
	n, err := w.conn.Read(w.in[len(w.in):cap(w.in)])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSilence
	}
	if err != nil {
		return err
	}
	w.in = w.in[:len(w.in)+n]
	rest := w.in
	for {
		msg, after, ok := cutMessage(rest)
		if !ok {
			break
		}
		f(msg)
		rest = after
	}
	w.in = append(w.in[:0], rest...)
	return nil
}

// cutMessage takes the first whole message off a stream (RFC 3261 section
// 18.3).
func cutMessage(b []byte) (msg, rest []byte, ok bool) {
	for len(b) > 1 && b[0] == '\r' && b[1] == '\n' {
		b = b[2:]
	}
	i := bytes.Index(b, []byte("\r\n\r\n"))
	if i < 0 {
		return nil, b, false
	}
	length := 0
	if _, value, has := bytes.Cut(b[:i+2], []byte("\r\nContent-Length:")); has {
		value, _, _ = bytes.Cut(value, []byte("\r\n"))
		length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
	}
	end := i + 4 + length
	if end > len(b) {
		return nil, b, false
	}
	return b[:end], b[end:], true
}
