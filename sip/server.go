// Package sip is the SIP server: it opens the listeners of the configuration,
// gives each socket a user agent of the stack, and hands requests by method to
// the packages below it. It knows no method's meaning and no store; it promises
// that a listener's loop does not end before Close.
package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"perch/internal/ratelimit"
	"perch/metrics"
	"perch/sip/flow"
	"perch/sip/front"
	"perch/sip/handler"
	"perch/sip/siptrace"
)

// Options are what a Server is made of. Listen, Node and Log are required.
type Options struct {
	Listen    []string     // udp://host:port, also tcp, tls, ws, wss; a wildcard host is every local address
	Advertise string       // host[:port] for Via and Contact; empty: the address a phone's request arrived at
	Node      string       // name of this node in flows
	Sender    *flow.Sender // told of the sockets; nil: one is made
	Handlers  Handlers
	TLS       *tls.Config     // of the tls and wss listeners; required where there are any
	HopTLS    *tls.Config     // of connections opened to PBXs; nil: the system's authorities
	Origins   []string        // of pages that may speak SIP over ws and wss, beside our own: scheme://host[:port]
	Server    string          // Server header; empty: "Perch"
	Trusted   []netip.Prefix  // no budgets and no bans for these addresses
	Bans      *ratelimit.Bans // shared with other nodes; nil: the server's own
	// Banned is told of each ban that begins here, and must not block; may be nil.
	Banned func(ratelimit.Ban)
	// Emergency knows the emergency numbers of the installation: these calls are
	// the last to be refused. Nil: only numbers that are known everywhere.
	Emergency func(user string) bool
	Limits    handler.Limits   // requests in their handlers
	Conns     ConnLimits       // accepted connections
	Metrics   *metrics.SIP     // nil: not counted
	Trace     *siptrace.Tracer // sees every message; nil: none does
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger
}

// ConnLimits bound the accepted connections; zero is the default.
type ConnLimits struct{ Total, PerAddress int }

// Server is the SIP server. New builds, Listen opens the sockets, Run serves
// until its context ends, Close is safe at any time and twice.
type Server struct {
	o         Options
	chain     *handler.Chain
	gate      *front.Gate
	guard     *ratelimit.Guard
	door      *front.Door
	started   chan struct{}
	mu        sync.Mutex
	endpoints []*endpoint
	closed    bool
	running   bool
	serving   sync.WaitGroup
}

// New builds a server. The first New of a process also makes the stack's
// process-wide settings: see Setup.
func New(o Options) (*Server, error) {
	if o.Log == nil || o.Node == "" {
		return nil, errors.New("sip: Log and Node are required")
	}
	Setup(o.Log, o.Metrics)
	if o.Server == "" {
		o.Server = "Perch"
	}
	if o.Sender == nil {
		o.Sender = flow.NewSender(o.Node)
	}
	s := &Server{
		o: o, started: make(chan struct{}),
		chain: handler.NewChain(o.Log, o.Metrics, o.Server, o.Limits),
	}
	s.chain.Now, s.chain.Emergency = o.Now, o.Emergency
	s.admission()
	o.Sender.Dial(s)
	return s, nil
}

// Sender sends by the flows of this server's sockets.
func (s *Server) Sender() *flow.Sender { return s.o.Sender }

// Closed gives the ID of each connection that has closed after somebody was
// authenticated over it: the one in the flows of that connection.
func (s *Server) Closed() <-chan string { return s.gate.Closed() }

// Listen opens every socket, or none.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.endpoints != nil {
		return errors.New("sip: Listen after Listen or Close")
	}
	sockets, err := openAll(s.o.Listen, s.o.Log)
	if err != nil {
		return err
	}
	for _, sock := range sockets {
		e, err := s.newEndpoint(sock)
		if err != nil {
			for _, other := range sockets {
				other.close()
			}
			s.endpoints = nil
			return err
		}
		s.endpoints = append(s.endpoints, e)
	}
	for _, e := range s.endpoints {
		s.o.Sender.Add(e.flow)
	}
	return nil
}

// Bound is where the server listens, in the order of the configuration, each
// wildcard as the addresses it stood for.
func (s *Server) Bound() []Address {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Address, 0, len(s.endpoints))
	for _, e := range s.endpoints {
		if e.dialled == nil {
			out = append(out, e.socket.Address)
		}
	}
	return out
}

// Started is closed once every socket is served, or Run ends before.
func (s *Server) Started() <-chan struct{} { return s.started }

// drainFor bounds the shutdown: handlers get this long to answer.
const drainFor = 3 * time.Second

// Run serves until ctx ends; then it answers what it has begun, refuses the
// rest, and closes. Listen comes first. It returns nil after an orderly end.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.closed || len(s.endpoints) == 0 {
		s.mu.Unlock()
		return errors.New("sip: Run before Listen or after Close")
	}
	endpoints := slices.Clone(s.endpoints)
	s.running = true
	for _, e := range endpoints {
		s.serving.Go(func() { e.serve(s.o.Log) })
	}
	s.mu.Unlock()
	s.await(ctx, endpoints)
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	s.chain.Drain(drain)
	return s.Close()
}

// await closes started once the stack has taken every UDP socket: before that
// it would open another to send. It gives up when ctx ends.
func (s *Server) await(ctx context.Context, endpoints []*endpoint) {
	defer close(s.started)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for _, e := range endpoints {
		for !e.ready() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Close closes all sockets and connections at once and waits for their loops.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	endpoints := s.endpoints
	s.mu.Unlock()
	var errs []error
	for _, e := range endpoints {
		s.o.Sender.Remove(e.flow)
		if err := e.close(); err != nil {
			errs = append(errs, fmt.Errorf("sip: close %s: %w", e.socket.Address, err))
		}
	}
	s.serving.Wait()
	return errors.Join(errs...)
}
