package sip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"perch/metrics"
	"perch/sip/flow"
	"perch/sip/front"
	"perch/sip/handler"
	"perch/sip/siptrace"
	"perch/sip/websocket"
)

// endpoint is one socket with a user agent of its own. With one agent for
// several sockets the stack answers from whichever socket heard a peer first.
type endpoint struct {
	socket socket
	flow   flow.Endpoint
	ua     *sipgo.UserAgent
	server *sipgo.Server
	packet *front.Socket
	stream net.Listener        // what the stack accepts from
	web    *websocket.Listener // the same, where it ends WebSocket

	dialled *front.Dialled // the same, for connections opened from here
	done    chan struct{}  // closed by close
	loops   sync.WaitGroup
}

// maxPeers is how many peer addresses the stack may remember per UDP socket,
// before it is made to forget those that are silent.
const maxPeers = 1 << 16

// writeTimeout bounds a write to a peer that has stopped reading: the stack
// holds the transaction's lock meanwhile.
const writeTimeout = 5 * time.Second

var errNoDial = errors.New("sip: connections to phones are never opened from here")

func (s *Server) newEndpoint(sock socket) (*endpoint, error) {
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgent("Perch"),
		// Where to answer is known from the request; a name in a Via that a
		// stranger wrote is never looked up.
		sipgo.WithUserAgentDNSResolver(&net.Resolver{PreferGo: true, Dial: noDNS}),
		sipgo.WithUserAgentParser(sip.NewParser(sip.WithHeadersParsers(handler.HeaderParsers()))),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerTransports(sip.TransportsConfig{
			TCP: streamTransport(),
			TLS: &sip.TransportTLS{TransportTCP: streamTransport()},
			// wss is served by this too: TLS ends before. The stack's own WSS
			// dials whatever its dialer says.
			WS: &sip.TransportWS{ReadTimeout: front.ReadTimeout, WriteTimeout: writeTimeout, DialURI: noURI},
		})),
		// Not WithTransactionLayerTerminateOnConnClose: a connection that closes
		// between the making and the start of a client transaction would then
		// end the process. The sender watches its connections itself.
		sipgo.WithUserAgentTransactionLayerOptions(
			sip.WithTransactionLayerUnhandledResponseHandler(func(*sip.Response) {}), // retransmissions
		),
	)
	if err != nil {
		return nil, fmt.Errorf("sip: user agent: %w", err)
	}
	server, err := sipgo.NewServer(ua)
	if err != nil {
		return nil, fmt.Errorf("sip: stack: %w", err)
	}
	e := &endpoint{
		socket: sock, ua: ua, server: server, done: make(chan struct{}),
		flow: flow.Endpoint{
			Transport: sock.Transport, Local: sock.Addr.String(), UA: ua,
			Advertise: advertised(s.o.Advertise, int(sock.Addr.Port())),
		},
	}
	if sock.dialled != nil {
		e.dialled = sock.dialled
		e.dialled.Trace, e.dialled.Transport = s.o.Trace, sock.Transport
		e.stream = s.door.Streams(e.dialled)
	} else if sock.packet != nil {
		pool := ua.TransportLayer().Pool("udp")
		e.packet = front.NewSocket(sock.packet, s.door, func() bool { return pool.Size() > maxPeers })
		e.packet.Trace = s.o.Trace
	} else if err := e.openStream(s); err != nil {
		return nil, errors.Join(err, ua.Close())
	}
	s.dispatch(e)
	return e, nil
}

// openStream puts between the socket and the stack what the transport wants.
func (e *endpoint) openStream(s *Server) error {
	secure := e.socket.Transport == "tls" || e.socket.Transport == "wss"
	if secure && s.o.TLS == nil {
		return fmt.Errorf("sip: listen on %s: no certificate", e.socket)
	}
	switch e.socket.Transport {
	case "tls":
		e.stream = s.door.Streams(s.watched(front.NewListener(newTLSListener(e.socket.stream, s.o.TLS, s.o.Metrics), s.gate), "tls"))
	case "ws", "wss":
		o := websocket.Options{
			Origins: s.o.Origins, Clean: s.clean, Seen: s.seen(e.socket.Transport),
			Refused: func() { s.o.Metrics.Dropped(metrics.DropHandshake) }, TooBig: func() { s.o.Metrics.Dropped(metrics.DropTooBig) },
		}
		if secure {
			o.TLS = s.o.TLS
		}
		e.web = websocket.New(front.NewListener(e.socket.stream, s.gate), o)
		e.stream = e.web
	default:
		e.stream = s.door.Streams(s.watched(front.NewListener(e.socket.stream, s.gate), e.socket.Transport))
	}
	return nil
}

// watched lets who watches see the messages of a listener's connections.
func (s *Server) watched(l *front.Listener, transport string) *front.Listener {
	l.Trace, l.Transport = s.o.Trace, transport
	return l
}

// seen does the same for WebSockets, whose connections hold frames.
func (s *Server) seen(transport string) func(net.Conn, bool, []byte) {
	return func(c net.Conn, in bool, msg []byte) {
		if s.o.Trace.On() {
			s.o.Trace.Saw(siptrace.Packet{Transport: transport, In: in, Local: c.LocalAddr().String(), Remote: c.RemoteAddr().String(), Text: msg})
		}
	}
}

func streamTransport() *sip.TransportTCP {
	return &sip.TransportTCP{ReadTimeout: front.ReadTimeout, WriteTimeout: writeTimeout, DialerCreate: noDialer}
}

// advertised completes host[:port] with the socket's port.
func advertised(host string, port int) string {
	if host == "" {
		return ""
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	if len(host) > 1 && host[0] == '[' {
		host = host[1 : len(host)-1]
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

func noDNS(context.Context, string, string) (net.Conn, error) { return nil, errNoDial }

// noURI is none that the stack could connect to: it gives up before it dials.
func noURI(string) string { return "" }

func noDialer(net.Addr) net.Dialer {
	return net.Dialer{Control: func(string, string, syscall.RawConn) error { return errNoDial }}
}

// arrival tells the handler chain by which flow a request came, and whom to
// tell what became of it.
func (s *Server) arrival(e *endpoint) func(*sip.Request, sip.ServerTransaction) handler.Arrival {
	return func(req *sip.Request, tx sip.ServerTransaction) handler.Arrival {
		a := handler.Arrival{Flow: flow.Of(s.o.Node, e.flow.Transport, e.flow.Local, req, tx)}
		c, _ := flow.ConnOf(tx).(interface{ Admit() })
		s.judge(&a, req.Source(), c)
		return a
	}
}

// ready tells whether the stack serves the socket.
func (e *endpoint) ready() bool {
	return e.packet == nil || e.ua.TransportLayer().Pool("udp").Size() > 0
}

// serve keeps the loops running until close: the stack ends its own for reasons
// that pass.
func (e *endpoint) serve(log *slog.Logger) {
	defer e.loops.Wait()
	if e.web != nil {
		e.loops.Go(func() { e.supervise(log, e.web.Serve) })
	}
	e.supervise(log, e.serveOnce)
}

// supervise begins a loop again whenever it ends before close.
func (e *endpoint) supervise(log *slog.Logger, loop func() error) {
	pause := 10 * time.Millisecond
	for {
		begun := time.Now()
		err := loop()
		if e.isClosed() {
			return
		}
		if e.packet != nil && err == nil {
			continue // a reader made way for the next
		}
		log.Error("sip listener ended; it is started again", "address", e.socket.String(), "error", err)
		if time.Since(begun) > time.Minute {
			pause = 10 * time.Millisecond
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-e.done:
		}
		t.Stop()
		pause = min(pause*2, 5*time.Second)
	}
}

var errEnded = errors.New("the stack's loop returned")

// serveOnce runs one loop of the stack; nil means that a UDP reader retired,
// whose loop ends by itself while the next one runs.
func (e *endpoint) serveOnce() error {
	if e.stream != nil {
		return errors.Join(errEnded, e.serveStream())
	}
	r, ended := e.packet.Reader(), make(chan error, 1)
	e.loops.Go(func() { ended <- e.server.ServeUDP(r) })
	select {
	case <-r.Retired():
		return nil
	case err := <-ended:
		return errors.Join(errEnded, err)
	}
}

func (e *endpoint) serveStream() error {
	switch e.socket.Transport {
	case "tls":
		return e.server.ServeTLS(e.stream)
	case "ws", "wss":
		return e.server.ServeWS(e.stream)
	default:
		return e.server.ServeTCP(e.stream)
	}
}

func (e *endpoint) isClosed() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// close ends transactions, connections and the socket. Only once.
func (e *endpoint) close() error {
	close(e.done)
	var err error
	if e.stream != nil {
		err = e.stream.Close()
	}
	_ = e.ua.Close() // the stack reports connections that their peers closed first
	if e.packet != nil {
		err = errors.Join(err, e.packet.Close())
	}
	return err
}
