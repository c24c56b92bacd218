package front

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"perch/metrics"
	"perch/sip/siptrace"
)

// Socket is one UDP socket. The stack reads it through Readers, one after the
// other: what it remembers of its peers is freed only when a reader ends.
type Socket struct {
	// Linger is how long a retired reader stays, 2 s unless set before use:
	// requests that it has delivered still find the socket by their source.
	Linger time.Duration
	// Trace sees every message that passes; set before use, may be nil.
	Trace *siptrace.Tracer

	conn    *net.UDPConn
	door    *Door
	crowded func() bool
	closed  chan struct{}
	once    sync.Once
}

// NewSocket wraps an open socket. crowded is asked now and then whether the
// stack remembers too many peers, and may be nil.
func NewSocket(conn *net.UDPConn, d *Door, crowded func() bool) *Socket {
	return &Socket{Linger: linger, conn: conn, door: d, crowded: crowded, closed: make(chan struct{})}
}

// Close closes the socket and ends its readers. It is safe twice.
func (s *Socket) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closed)
		err = s.conn.Close()
	})
	return err
}

const linger = 2 * time.Second

// checkEvery is the number of messages between two looks at the crowd.
const checkEvery = 1024

// Reader is the net.PacketConn for one run of the stack's read loop. ReadFrom
// returns SIP messages only, and net.ErrClosed once the socket is closed or the
// reader is retired, never another error. Close does nothing: the socket stays.
type Reader struct {
	s       *Socket
	count   int
	begun   time.Time
	retired chan struct{}
	done    atomic.Bool
}

// Reader begins the next run.
func (s *Socket) Reader() *Reader {
	return &Reader{s: s, begun: time.Now(), retired: make(chan struct{})}
}

// Retired is closed when the next reader is to take over. This one ends a
// little later.
func (r *Reader) Retired() <-chan struct{} { return r.retired }

// ReadFrom implements net.PacketConn.
func (r *Reader) ReadFrom(b []byte) (int, net.Addr, error) {
	if r.done.Load() {
		return 0, nil, net.ErrClosed
	}
	if r.count++; r.count%checkEvery == 0 && r.tooMany() {
		return r.retire()
	}
	pause := time.Millisecond
	for {
		n, from, err := r.s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !r.s.rest(&pause) {
				return 0, nil, net.ErrClosed
			}
			continue
		}
		pause = time.Millisecond
		if n = r.s.look(b[:n], from); n > 0 {
			if r.s.Trace.On() {
				r.s.Trace.Saw(siptrace.Packet{Transport: "udp", In: true, Local: r.LocalAddr().String(), Remote: from.String(), Text: b[:n]})
			}
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// look decides on one datagram. It gives the length of the message that is left
// in b for the stack; 0: none.
func (s *Socket) look(b []byte, from netip.AddrPort) int {
	addr := from.Addr()
	v, offset := Scan(b)
	if v == KeepAlive {
		return 0 // RFC 5626 section 3.5.1: not for UDP; it has done its work on the way
	}
	if reason := s.door.admit(addr, len(b)); reason != "" {
		s.door.dropped(reason)
		return 0
	}
	switch v {
	case STUN:
		s.stun(b, from)
		return 0
	case TooLong:
		s.door.dropped(metrics.DropTooBig)
		return 0
	case Junk:
		s.door.dropped(metrics.DropMalformed)
		s.door.strange(addr, 1)
		return 0
	}
	msg := b[offset:]
	var h Head
	fault := h.Parse(msg)
	if fault == NoFault && h.Length > len(msg)-h.Size {
		fault = Short
	}
	switch {
	case fault == BadLength: // the stack's datagrams end where they end: the handlers answer
	case fault != NoFault:
		s.refuse(&h, fault, from)
		return 0
	case s.door.isTool(addr, &h, false):
		s.door.dropped(metrics.DropScanner)
		return 0
	}
	return copy(b, msg)
}

// stun answers a binding request.
func (s *Socket) stun(b []byte, from netip.AddrPort) {
	var buf [128]byte
	out := AppendSTUN(buf[:0], b, from)
	if len(out) == 0 {
		s.door.dropped(metrics.DropMalformed)
		return
	}
	_, _ = s.conn.WriteToUDPAddrPort(out, from) // the phone asks again
}

// refuse answers a broken request.
func (s *Socket) refuse(h *Head, f Fault, from netip.AddrPort) {
	s.door.dropped(reasonOf(f))
	s.door.strange(from.Addr(), 1)
	if f == Unfinished {
		return // cut off on its way: the rest of it is unknown, and the phone repeats it
	}
	var buf [1024]byte
	if out := s.door.Refuse(buf[:0], h, f, from); len(out) > 0 {
		_, _ = s.conn.WriteToUDPAddrPort(out, from)
	}
}

// tooMany tells whether the stack should forget its peers. The reader before
// this one may still hold some.
func (r *Reader) tooMany() bool {
	return r.s.crowded != nil && time.Since(r.begun) > 2*r.s.Linger && r.s.crowded()
}

// retire hands over and waits.
func (r *Reader) retire() (int, net.Addr, error) {
	r.done.Store(true)
	close(r.retired)
	t := time.NewTimer(r.s.Linger)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.s.closed:
	}
	return 0, nil, net.ErrClosed
}

// rest waits after an error that may pass: an ICMP error, no memory. False
// once the socket is closed.
func (s *Socket) rest(pause *time.Duration) bool {
	t := time.NewTimer(*pause)
	defer t.Stop()
	*pause = min(*pause*2, time.Second)
	select {
	case <-t.C:
		return true
	case <-s.closed:
		return false
	}
}

// WriteTo implements net.PacketConn.
func (r *Reader) WriteTo(b []byte, to net.Addr) (int, error) {
	if r.s.Trace.On() {
		r.s.Trace.Saw(siptrace.Packet{Transport: "udp", Local: r.LocalAddr().String(), Remote: to.String(), Text: b})
	}
	return r.s.conn.WriteTo(b, to)
}

// Close implements net.PacketConn; the socket is not the reader's.
func (r *Reader) Close() error { return nil }

// LocalAddr implements net.PacketConn.
func (r *Reader) LocalAddr() net.Addr { return r.s.conn.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (r *Reader) SetDeadline(t time.Time) error { return r.s.conn.SetDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (r *Reader) SetReadDeadline(t time.Time) error { return r.s.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (r *Reader) SetWriteDeadline(t time.Time) error { return r.s.conn.SetWriteDeadline(t) }
