package websocket

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// upgradeRequest is what the stack reads first: it accepts raw connections and
// upgrades them itself. Ours is upgraded; the stack's answer goes nowhere. The
// key is the example of RFC 6455 section 1.2: nobody checks it.
const upgradeRequest = "GET " + Path + " HTTP/1.1\r\nHost: perch\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: " + Subprotocol + "\r\n\r\n"

// Conn is one upgraded connection as the stack sees it: first the request of
// its handshake, then each message as one unfragmented text frame.
type Conn struct {
	ws       *websocket.Conn
	under    net.Conn
	o        Options
	id       string
	admitted atomic.Bool
	once     sync.Once
	done     chan struct{}
	readBy   atomic.Pointer[time.Time]
	writeBy  atomic.Pointer[time.Time]

	readMu sync.Mutex
	in     []byte // framed, not read by the stack yet

	writeMu  sync.Mutex
	out      []byte // written by the stack, not a whole frame yet
	upgraded bool   // the stack's answer to the handshake is over
}

func newConn(ws *websocket.Conn, under net.Conn, o Options) *Conn {
	return &Conn{ws: ws, under: under, o: o, id: nameOf(under), done: make(chan struct{}), in: []byte(upgradeRequest)}
}

// nameOf is the name of the accepted connection, by which its end is told; one
// without gets a random one.
func nameOf(under net.Conn) string {
	if t, ok := under.(*tls.Conn); ok {
		under = t.NetConn()
	}
	if n, ok := under.(interface{ ID() string }); ok {
		return n.ID()
	}
	return rand.Text()[:16]
}

// NetConn is the connection that was upgraded.
func (c *Conn) NetConn() net.Conn { return c.under }

// ID is the connection's name, random.
func (c *Conn) ID() string { return c.id }

// Done is closed when the connection is.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Admit ends the short deadline: somebody who may be here uses it.
func (c *Conn) Admit() {
	if !c.admitted.CompareAndSwap(false, true) {
		return
	}
	below := c.under
	if t, ok := below.(*tls.Conn); ok {
		below = t.NetConn()
	}
	if a, ok := below.(interface{ Admit() }); ok {
		a.Admit()
		_ = below.SetReadDeadline(time.Time{}) // the pings watch over it now
	}
}

// Read gives the stack frames. Every end of the connection is io.EOF: a peer
// that vanished is no error of ours.
func (c *Conn) Read(b []byte) (int, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	for len(c.in) == 0 {
		msg, err := c.next()
		if err != nil {
			return 0, err
		}
		c.in = msg
	}
	n := copy(b, c.in)
	c.in = c.in[n:]
	return n, nil
}

// next waits for a message and frames it.
func (c *Conn) next() ([]byte, error) {
	ctx, cancel := within(deadline(&c.readBy))
	defer cancel()
	_, msg, err := c.ws.Read(ctx) // text or binary, RFC 7118 section 5
	if err != nil {
		if errors.Is(err, websocket.ErrMessageTooBig) && c.o.TooBig != nil {
			c.o.TooBig()
		}
		return nil, io.EOF
	}
	if c.o.Clean != nil {
		in, answer, ok := c.o.Clean(c.RemoteAddr(), msg)
		// The deadline of the stack's last write may be long over.
		if !ok || len(answer) > 0 && c.send(answer, time.Now().Add(answerWithin)) != nil {
			return nil, io.EOF
		}
		msg = in
	}
	c.show(true, msg)
	if len(msg) == 0 { // an empty frame makes the stack rest
		return nil, nil
	}
	return frame(msg), nil
}

// Write takes frames from the stack, in any pieces, and sends their payloads.
func (c *Conn) Write(b []byte) (int, error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	c.out = append(c.out, b...)
	if !c.upgraded {
		end := bytes.Index(c.out, []byte("\r\n\r\n"))
		if end < 0 {
			return len(b), nil
		}
		c.out, c.upgraded = c.out[end+4:], true
	}
	for {
		payload, size, err := unframe(c.out)
		if err != nil {
			return 0, err
		}
		if size == 0 {
			return len(b), nil
		}
		if err := c.send(payload, deadline(&c.writeBy)); err != nil {
			return 0, err
		}
		c.out = append(c.out[:0], c.out[size:]...)
	}
}

// send writes one message. Text must be UTF-8 (RFC 6455 section 8.1); a body
// that is not goes as binary.
func (c *Conn) send(payload []byte, by time.Time) error {
	c.show(false, payload)
	ctx, cancel := within(by)
	defer cancel()
	kind := websocket.MessageText
	if !utf8.Valid(payload) {
		kind = websocket.MessageBinary
	}
	return c.ws.Write(ctx, kind, payload)
}

// show tells of a message; keep-alives are none.
func (c *Conn) show(in bool, msg []byte) {
	if c.o.Seen != nil && len(msg) > len("\r\n\r\n") {
		c.o.Seen(c, in, msg)
	}
}

// answerWithin bounds an answer that is not the stack's.
const answerWithin = 5 * time.Second

// deadline reads one that may never have been set.
func deadline(p *atomic.Pointer[time.Time]) time.Time {
	if t := p.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

// within makes a context of a deadline; zero is none.
func within(by time.Time) (context.Context, context.CancelFunc) {
	if by.IsZero() {
		return context.Background(), func() {}
	}
	return context.WithDeadline(context.Background(), by)
}

// Close ends the connection at once. It is safe twice.
func (c *Conn) Close() error {
	c.once.Do(func() {
		close(c.done)
		_ = c.ws.CloseNow()
	})
	return nil
}

// LocalAddr is where the browser's TCP connection arrived.
func (c *Conn) LocalAddr() net.Addr { return c.under.LocalAddr() }

// RemoteAddr is where it came from.
func (c *Conn) RemoteAddr() net.Addr { return c.under.RemoteAddr() }

// SetDeadline sets both deadlines, for what begins afterwards.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds the messages that are waited for from now on. When it
// passes the connection ends.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.readBy.Store(&t)
	return nil
}

// SetWriteDeadline bounds the messages sent from now on. When it passes the
// connection ends.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writeBy.Store(&t)
	return nil
}
