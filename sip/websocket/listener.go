// Package websocket ends WebSocket for the SIP stack (RFC 7118): it accepts
// browsers over HTTP, answers their control frames, pings them, puts fragments
// together and bounds them, and hands each connection on as a net.Conn on which
// every message is one plain text frame. It knows no SIP message's meaning and
// no stack; it promises that a peer that is silent, slow or hostile holds up
// nobody but itself.
package websocket

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Path is where SIP is spoken.
const Path = "/sip"

// Subprotocol is the one of RFC 7118 section 4.
const Subprotocol = "sip"

// MaxMessage is the longest message accepted, in bytes: as long as a datagram
// may be, and less than the stack reads.
const MaxMessage = 16 << 10

// Options of a Listener; zero durations are the defaults.
type Options struct {
	TLS     *tls.Config // nil: ws://
	Origins []string    // beside the listener's own: scheme://host[:port] of pages; "*": any
	// Clean looks at each message before the stack does and gives what it is to
	// read, nothing to drop the message, and what to answer in its place, or
	// false to end the connection. Nil: all pass.
	Clean     func(from net.Addr, msg []byte) (in, answer []byte, ok bool)
	Seen      func(c net.Conn, in bool, msg []byte) // each message that passes, before it is answered or sent; may be nil
	Refused   func()                                // a handshake was refused; may be nil
	TooBig    func()                                // a message was longer than MaxMessage; may be nil
	Ping      time.Duration                         // between pings
	Pong      time.Duration                         // for an answer to one
	Anonymous time.Duration                         // a connection may last this long before Admit
	Header    time.Duration                         // the TLS handshake and the HTTP request together
}

// The defaults. Pings keep address translations and proxies from forgetting a
// connection: the common shortest memory is 30 seconds.
const (
	pingEvery      = 25 * time.Second
	pongWithin     = 10 * time.Second
	anonymousLimit = 30 * time.Second
	headerTimeout  = 10 * time.Second
	maxHeader      = 16 << 10
)

// Listener is a net.Listener of upgraded connections. Serve fills it.
type Listener struct {
	net.Listener
	o     Options
	http  *http.Server
	conns chan net.Conn
	ctx   context.Context
	end   context.CancelFunc

	mu     sync.Mutex
	closed bool
	active sync.WaitGroup // upgraded connections
}

// New makes a listener of upgraded connections over one of TCP connections.
func New(l net.Listener, o Options) *Listener {
	if o.Ping <= 0 {
		o.Ping = pingEvery
	}
	if o.Pong <= 0 {
		o.Pong = pongWithin
	}
	if o.Anonymous <= 0 {
		o.Anonymous = anonymousLimit
	}
	if o.Header <= 0 {
		o.Header = headerTimeout
	}
	w := &Listener{Listener: l, o: o, conns: make(chan net.Conn)}
	w.ctx, w.end = context.WithCancel(context.Background())
	w.http = &http.Server{
		Handler:           http.HandlerFunc(w.handle),
		ReadHeaderTimeout: o.Header,
		ReadTimeout:       o.Header,
		WriteTimeout:      o.Header,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // strangers' handshakes
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	w.http.SetKeepAlivesEnabled(false) // one request, which becomes a connection or is refused
	return w
}

type connKey struct{}

// Serve accepts handshakes until Close; it may be called again after an error.
func (w *Listener) Serve() error {
	l := w.Listener
	if w.o.TLS != nil {
		conf := w.o.TLS.Clone()
		conf.NextProtos = []string{"http/1.1"} // RFC 6455 needs it
		l = tls.NewListener(keepOpen{l}, conf)
	} else {
		l = keepOpen{l}
	}
	err := w.http.Serve(l)
	if w.ctx.Err() != nil {
		return nil
	}
	return err
}

// keepOpen leaves closing to the Listener: net/http closes what it has served.
type keepOpen struct{ net.Listener }

// Close does nothing.
func (keepOpen) Close() error { return nil }

// Accept gives the next upgraded connection; net.ErrClosed after Close.
func (w *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close ends the listener and its connections and waits for them. It is safe
// twice.
func (w *Listener) Close() error {
	w.mu.Lock()
	closed := w.closed
	w.closed = true
	w.mu.Unlock()
	var err error
	if !closed {
		w.end()
		err = w.Listener.Close()
		_ = w.http.Close() // those that are not upgraded yet
	}
	w.active.Wait()
	return err
}

// enter counts a connection that Close is to wait for.
func (w *Listener) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.active.Add(1)
	}
	return !w.closed
}

// handle upgrades a request and stays with its connection.
func (w *Listener) handle(rw http.ResponseWriter, r *http.Request) {
	if code, why := refusal(r, w.o.Origins); code != 0 {
		if w.o.Refused != nil {
			w.o.Refused()
		}
		http.Error(rw, why, code)
		return
	}
	ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{
		Subprotocols: []string{Subprotocol}, InsecureSkipVerify: true, // refusal has looked at the origin
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if w.o.Refused != nil {
			w.o.Refused()
		}
		return // Accept has answered
	}
	if !w.enter() {
		_ = ws.CloseNow()
		return
	}
	defer w.active.Done()
	ws.SetReadLimit(MaxMessage)
	under, _ := r.Context().Value(connKey{}).(net.Conn)
	w.hold(newConn(ws, under, w.o))
}

// hold offers a connection to the stack and watches over it until its end.
func (w *Listener) hold(c *Conn) {
	defer c.Close() //nolint:errcheck // nothing to tell anybody
	select {
	case w.conns <- c:
	case <-w.ctx.Done():
		return
	}
	anonymous, ping := time.NewTimer(w.o.Anonymous), time.NewTicker(w.o.Ping)
	defer anonymous.Stop()
	defer ping.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-w.ctx.Done():
			return
		case <-anonymous.C:
			if !c.admitted.Load() {
				return
			}
		case <-ping.C:
			ctx, cancel := context.WithTimeout(w.ctx, w.o.Pong)
			err := c.ws.Ping(ctx)
			cancel()
			if err != nil {
				return
			}
		}
	}
}
