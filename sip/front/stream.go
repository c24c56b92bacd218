package front

import (
	"bytes"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"perch/internal/ratelimit"
	"perch/metrics"
)

const (
	// maxStream bounds a message on a stream.
	maxStream = 32 << 10
	// unfinishedFor is how long a message may take from its first byte to its
	// last. Half a minute is what RFC 3261 gives a whole transaction.
	unfinishedFor = 10 * time.Second
	// refuseWithin bounds the answer to a stream that is closed with it.
	refuseWithin = time.Second
)

// perConnection is what one connection may send; above, it is read more
// slowly. A phone subscribes to sixty lamps at once; a proxy carries a site.
var (
	connMessages = ratelimit.Rate{PerSecond: 2_000, Burst: 10_000}
	connBytes    = ratelimit.Rate{PerSecond: 4 << 20, Burst: 16 << 20}
)

// Streams makes each connection of a listener a Stream. l accepts whatever
// carries plain SIP: TCP, or TLS that has been ended.
func (d *Door) Streams(l net.Listener) net.Listener { return &streams{l, d} }

type streams struct {
	net.Listener
	door *Door
}

// Accept implements net.Listener.
func (l *streams) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // the stack compares it with net.ErrClosed
	}
	return newStream(c, l.door), nil
}

// Stream is a connection that gives its reader whole messages only. It answers
// keep-alives itself (RFC 5626 section 3.5.1), ends a peer that sends no SIP,
// lies about a length or never ends its message, and reads nobody faster than
// the budgets allow.
type Stream struct {
	net.Conn
	door *Door
	addr netip.Addr

	messages, bytes ratelimit.Bucket

	mu    sync.Mutex // of idle
	idle  time.Time  // the reader's own deadline
	out   []byte     // accepted, not handed over yet
	in    []byte     // begun, not whole yet; nil between messages
	need  int        // bytes of the message in `in`, once its head is whole
	skip  bool       // the message in hand is answered; the reader does not get it
	seen  int        // bytes of `in` in which no end of the head was found
	begun time.Time  // when the message in `in` began
	crs   int        // of a CRLF CRLF that arrives in pieces: bytes so far
	pings int        // whole ones not answered yet
	held  atomic.Int64

	writing atomic.Int32  // writes that have not ended
	written chan struct{} // a write has ended

	ended error
	done  chan struct{}
	once  sync.Once
}

func newStream(c net.Conn, d *Door) *Stream {
	return &Stream{Conn: c, door: d, addr: remoteAddr(c), done: make(chan struct{}), written: make(chan struct{}, 1)}
}

// named is what an accepted connection below may be.
type named interface {
	ID() string
	Done() <-chan struct{}
	Admit()
}

// below finds the accepted connection under this one, through TLS.
func (s *Stream) below() named {
	c := s.Conn
	for range 4 {
		if n, ok := c.(named); ok {
			return n
		}
		t, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = t.NetConn()
	}
	return nil
}

// NetConn is the connection that the stream is read from.
func (s *Stream) NetConn() net.Conn { return s.Conn }

// ID is the name of the accepted connection; empty when it has none.
func (s *Stream) ID() string {
	if n := s.below(); n != nil {
		return n.ID()
	}
	return ""
}

// Done is closed when the connection is.
func (s *Stream) Done() <-chan struct{} {
	if n := s.below(); n != nil {
		return n.Done()
	}
	return s.done
}

// Heard is when the peer last sent anything; zero before, or when the
// connection below does not tell.
func (s *Stream) Heard() time.Time {
	if n, ok := s.below().(interface{ Heard() time.Time }); ok {
		return n.Heard()
	}
	return time.Time{}
}

// Admit passes on that somebody was authenticated over this connection.
func (s *Stream) Admit() {
	if n := s.below(); n != nil {
		n.Admit()
	}
}

// SetReadDeadline is the reader's patience between two messages.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	s.idle = t
	s.mu.Unlock()
	return s.Conn.SetReadDeadline(t) //nolint:wrapcheck // a net.Conn's own
}

// Close ends the connection. It is safe twice.
func (s *Stream) Close() error {
	s.once.Do(func() {
		close(s.done)
		s.giveBack() // the reader may be gone without an error
	})
	return s.Conn.Close() //nolint:wrapcheck // a net.Conn's own
}

// Read gives whole messages: one or more, or, where b is too short, the next
// part of one.
func (s *Stream) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if len(s.out) > 0 {
			n := copy(b, s.out)
			if s.out = s.out[n:]; len(s.out) == 0 {
				s.out = nil
			}
			return n, nil
		}
		if s.ended != nil {
			return 0, s.ended
		}
		s.heed()
		if s.in != nil {
			s.wait()
		}
		n, err := s.Conn.Read(b)
		if n > 0 {
			n = s.take(b, n)
		}
		if err != nil && s.ended == nil {
			if s.in != nil && !s.now().Before(s.begun.Add(unfinishedFor)) {
				s.drop(metrics.DropIdle)
			}
			s.ended = net.ErrClosed // whatever it was, it is no error of ours
		}
		if s.ended != nil {
			s.release()
		}
		if n > 0 {
			return n, nil
		}
	}
}

// waitingWrites is how many answers may wait for a peer to read them before
// nothing more is read from it: what is read is worked on, and would wait with
// the others.
const waitingWrites = 16

// heed waits for a peer that does not read its answers.
func (s *Stream) heed() {
	for s.writing.Load() > waitingWrites {
		select {
		case <-s.written:
		case <-s.Done():
			return
		}
	}
}

// Write ends a connection whose peer has stopped reading: after half a message
// nothing else can be sent either.
func (s *Stream) Write(b []byte) (int, error) {
	s.writing.Add(1)
	n, err := s.Conn.Write(b)
	if err != nil {
		_ = s.Close()
	}
	s.writing.Add(-1)
	select {
	case s.written <- struct{}{}:
	default:
	}
	return n, err //nolint:wrapcheck // a net.Conn's own
}

// wait sets the deadline of an unfinished message.
func (s *Stream) wait() {
	by := s.begun.Add(unfinishedFor)
	s.mu.Lock()
	if !s.idle.IsZero() && s.idle.Before(by) {
		by = s.idle
	}
	s.mu.Unlock()
	_ = s.Conn.SetReadDeadline(by)
}

// take sorts the n bytes just read into b: whole messages stay at its start,
// the rest is kept. It gives how many bytes stay.
func (s *Stream) take(b []byte, n int) int {
	src := b[:n]
	kept := len(s.in)
	if kept > 0 {
		if !s.claim(n) {
			return 0
		}
		s.in = append(s.in, src...)
		if src = s.in; s.need > len(src) {
			s.slow(0, n)
			return 0
		}
	}
	w := 0 // bytes accepted, at the start of b
	count := 0
	for len(src) > 0 && s.ended == nil {
		if src = s.keepAlive(src); len(src) == 0 {
			break
		}
		size := s.frame(src)
		if size == 0 || s.ended != nil {
			break
		}
		switch {
		case s.skip:
			s.skip = false
		case kept == 0 || w+size <= len(b) && s.out == nil:
			w += copy(b[w:], src[:size]) // never overtakes src
		default:
			s.out = append(s.out, src[:size]...)
		}
		count++
		src, s.need, s.seen = src[size:], 0, 0
	}
	if s.pings > 0 {
		s.pong()
		count++
	}
	s.keep(src, count > 0)
	s.slow(count, n)
	return w
}

// pong answers the keep-alives of one read together: phones send one in
// minutes.
func (s *Stream) pong() {
	s.pings = 0
	_ = s.Conn.SetWriteDeadline(s.now().Add(refuseWithin))
	if _, err := s.Conn.Write([]byte("\r\n")); err != nil {
		s.ended = net.ErrClosed
	}
}

// keepAlive eats the line breaks before a message, and counts the double ones.
func (s *Stream) keepAlive(src []byte) []byte {
	for len(src) > 0 && (src[0] == '\r' || src[0] == '\n' || src[0] == 0) {
		switch {
		case src[0] == "\r\n\r\n"[s.crs]:
			if s.crs++; s.crs == 4 {
				s.crs = 0
				s.pings++
			}
		case src[0] == '\r':
			s.crs = 1
		default:
			s.crs = 0
		}
		src = src[1:]
	}
	if len(src) > 0 {
		s.crs = 0
	}
	return src
}

// frame gives the size of the message at the start of src; 0: it is not whole
// yet, or not to be.
func (s *Stream) frame(src []byte) int {
	if s.need == 0 && !s.head(src) {
		return 0
	}
	if s.need > len(src) {
		return 0
	}
	return s.need
}

var emptyLine = []byte("\r\n\r\n")

// head finds out where the message at the start of src ends. It is called
// again as more of it arrives, and does not look at any byte of a head twice
// but at its end.
func (s *Stream) head(src []byte) bool {
	if s.seen == 0 && !plausible(src) {
		s.strange()
		return false
	}
	from := max(0, s.seen-len(emptyLine)+1)
	i := bytes.Index(src[from:], emptyLine)
	if i < 0 {
		if s.seen = len(src); s.seen > maxHead {
			s.end(metrics.DropHeaders)
		}
		return false
	}
	head := src[:from+i+len(emptyLine)]
	if !isMessage(head) {
		s.strange()
		return false
	}
	var h Head
	fault := h.Parse(head)
	if fault == NoFault || fault == BadLine || fault == BadScheme {
		switch {
		case h.Length < 0:
			fault = NoLength
		case h.Size+h.Length > maxStream:
			fault = Huge
		}
	}
	if fault == BadLine || fault == BadScheme { // its end can be told: the next message can be read
		s.answer(&h, fault)
		s.drop(reasonOf(fault))
		s.skip = true
	} else if fault != NoFault {
		s.answer(&h, fault)
		s.end(reasonOf(fault)) // RFC 3261 section 18.3
		return false
	}
	s.need = h.Size + h.Length
	if reason := s.door.admit(s.addr, s.need); reason != "" {
		s.end(reason)
		return false
	}
	if s.door.isTool(s.addr, &h, true) {
		s.end(metrics.DropScanner)
		return false
	}
	return true
}

// isMessage is Scan for what is at least a whole head.
func isMessage(head []byte) bool {
	line, n := nextLine(head)
	return n > 0 && isStartLine(line) && !hasBareBreak(head)
}

// plausible tells by the first bytes whether SIP may follow. It spares waiting
// for the end of what is a TLS handshake, or binary junk.
func plausible(src []byte) bool {
	line := src
	if i := bytes.IndexByte(src, '\n'); i >= 0 {
		if i == 0 || src[i-1] != '\r' {
			return false
		}
		return isStartLine(src[:i-1])
	}
	if sp := bytes.IndexByte(line, ' '); sp >= 0 {
		line = line[:sp]
	} else if len(line) > maxMethod {
		return false
	}
	for _, c := range line {
		if c != '/' && !isToken([]byte{c}) {
			return false
		}
	}
	return true
}

// keep remembers the start of a message, and claims the memory for it.
func (s *Stream) keep(rest []byte, isNew bool) {
	if s.ended != nil {
		return
	}
	had := len(s.in)
	if len(rest) == 0 {
		s.release()
		return
	}
	if had == 0 || isNew {
		s.begun = s.now()
	}
	if had == len(rest) {
		return
	}
	if had == 0 && !s.claim(len(rest)) {
		return
	}
	if had > len(rest) {
		s.door.space.take(s.addr, len(rest)-had, true)
		s.held.Add(int64(len(rest) - had))
	}
	s.in = append(s.in[:0], rest...)
}

// claim takes memory for n bytes, or ends the connection.
func (s *Stream) claim(n int) bool {
	if !s.door.space.take(s.addr, n, s.free()) {
		s.end(metrics.DropMemory)
		return false
	}
	s.held.Add(int64(n))
	return true
}

// release forgets the message that was begun.
func (s *Stream) release() {
	s.giveBack()
	s.in, s.need, s.seen, s.skip = nil, 0, 0, false
}

// giveBack gives the memory back.
func (s *Stream) giveBack() { s.door.space.take(s.addr, -int(s.held.Swap(0)), true) }

// slow pauses when the connection has sent more than it may.
func (s *Stream) slow(count, n int) {
	if s.free() || s.ended != nil {
		return
	}
	now := s.now()
	pause := max(s.messages.Wait(float64(count), connMessages, now), s.bytes.Wait(float64(n), connBytes, now))
	if pause <= 0 {
		return
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.Done():
	}
}

// free tells that rates do not hold; bounds of a message always do.
func (s *Stream) free() bool { return s.door.guard == nil || s.door.guard.Trusts(s.addr) }

func (s *Stream) now() time.Time { return s.door.now() }

// drop counts.
func (s *Stream) drop(reason string) { s.door.dropped(reason) }

// end counts and ends the connection.
func (s *Stream) end(reason string) {
	s.drop(reason)
	s.ended = net.ErrClosed
}

// strange ends a peer that speaks something else.
func (s *Stream) strange() {
	s.door.strange(s.addr, 1)
	s.end(metrics.DropMalformed)
}

// answer refuses a broken request.
func (s *Stream) answer(h *Head, f Fault) {
	s.door.strange(s.addr, 1)
	if out := s.door.Refuse(nil, h, f, netip.AddrPort{}); len(out) > 0 {
		_ = s.Conn.SetWriteDeadline(s.now().Add(refuseWithin))
		_, _ = s.Conn.Write(out)
	}
}
