// Package flow sends our requests to phones by the very flow they registered
// through (RFC 5626 section 5.3): from the socket their request arrived at, to
// the address it came from, for stream transports over that one connection and
// never a new one. It knows no method's meaning and no store; it promises that
// a request leaves by the flow it names or not at all.
package flow

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"perch/sip/location"
)

// Why a request was not answered.
var (
	// ErrGone says that the flow is no more: the connection has closed, or
	// nothing listens at its local address now. Nothing was sent.
	ErrGone = errors.New("flow: gone")
	// ErrElsewhere says that another node holds the flow. Nothing was sent.
	ErrElsewhere = errors.New("flow: held by another node")
	// ErrTimeout says that no final response came in time.
	ErrTimeout = errors.New("flow: no final response")
	// ErrClosed says that the connection closed before the final response: the
	// request may have arrived.
	ErrClosed = errors.New("flow: closed before the final response")
)

// Timeout is how long Send waits for a final response: RFC 3261's 64*T1.
const Timeout = 32 * time.Second

// Endpoint is one open socket: a user agent of the stack has exactly one, so
// that neither its transactions nor its connections mix with another's.
type Endpoint struct {
	Transport string // "udp", "tcp", ...
	Local     string // ip:port it is bound to
	Advertise string // host:port for Via and Contact; empty: Local
	UA        *sipgo.UserAgent
}

func (e Endpoint) advertised() string {
	if e.Advertise != "" {
		return e.Advertise
	}
	return e.Local
}

// Sender sends requests by flows. Safe for use by several goroutines.
type Sender struct {
	node   string
	dialer Dialer // nil: no connection is ever opened from here

	mu        sync.RWMutex
	endpoints map[string]Endpoint
	hops      map[string]location.Flow // connections to hops
	dialling  map[string]chan struct{} // one at a time to each
	failed    map[string]time.Time     // hops that could not be connected to, and when
}

// NewSender makes a sender for the flows that this node holds.
func NewSender(node string) *Sender {
	return &Sender{
		node: node, endpoints: map[string]Endpoint{}, hops: map[string]location.Flow{}, dialling: map[string]chan struct{}{},
		failed: map[string]time.Time{},
	}
}

// Add makes the flows of a socket usable; Remove ends that.
func (s *Sender) Add(e Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints[e.Transport+"|"+e.Local] = e
}

// Remove forgets a socket.
func (s *Sender) Remove(e Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.endpoints, e.Transport+"|"+e.Local)
}

// HostPort is what we call ourselves in headers to the peer of a flow: the
// advertised host and port, else the address that its own request arrived at.
// It is empty for a flow that is gone.
func (s *Sender) HostPort(f location.Flow) string {
	e, err := s.endpoint(f)
	if err != nil {
		return ""
	}
	return e.advertised()
}

// Contact is the URI of a user of ours as the peer of a flow can reach it
// (RFC 3261 section 8.1.1.8), with the flow's transport; empty for a flow that
// is gone.
func (s *Sender) Contact(f location.Flow, user string) string {
	host := s.HostPort(f)
	if host == "" {
		return ""
	}
	uri := "sip:" + user + "@" + host
	switch f.Transport {
	case "udp":
	case "wss": // RFC 7118 section 4.2: the parameter is ws, however the connection is secured
		uri += ";transport=ws"
	default:
		uri += ";transport=" + f.Transport
	}
	return uri
}

// network is the stack's name for the transport of a flow. TLS of wss ends
// before the stack, which sees plain WebSocket.
func network(f location.Flow) string {
	if f.Transport == "wss" {
		return "WS"
	}
	return strings.ToUpper(f.Transport)
}

func (s *Sender) endpoint(f location.Flow) (Endpoint, error) {
	if f.Node != s.node {
		return Endpoint{}, ErrElsewhere
	}
	s.mu.RLock()
	e, ok := s.endpoints[f.Transport+"|"+f.Local]
	s.mu.RUnlock()
	if !ok {
		return Endpoint{}, ErrGone
	}
	return e, nil
}

// Send sends a request in a transaction of its own and returns the final
// response, whatever its code. Build makes req; Send adds the Via. The errors
// are ErrGone, ErrElsewhere, ErrTimeout, ErrClosed, the context's, or that of a
// write.
// It is not for INVITE, whose transaction outlives its response, nor for ACK.
func (s *Sender) Send(ctx context.Context, f location.Flow, req *sip.Request) (*sip.Response, error) {
	removeVias(req)
	e, err := s.prepare(f, req, sip.GenerateBranch())
	if err != nil {
		return nil, err
	}
	return s.exchange(ctx, e, f, req)
}

// exchange sends a request that is prepared.
func (s *Sender) exchange(ctx context.Context, e Endpoint, f location.Flow, req *sip.Request) (*sip.Response, error) {
	tx, err := e.UA.TransactionLayer().NewClientTransaction(ctx, req)
	if err != nil {
		// The stack found no connection and tried to make one, which it must not.
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	defer tx.Terminate()
	if !owns(tx.Connection(), f) {
		return nil, ErrGone
	}
	if err := tx.Init(); err != nil { // this writes the request
		return nil, fmt.Errorf("flow: send %s: %w", req.Method, err)
	}
	return wait(ctx, tx, doneOf(tx.Connection()))
}

// wait reads until the final response: the stack's transaction stands still
// while nobody reads.
func wait(ctx context.Context, tx *sip.ClientTx, gone <-chan struct{}) (*sip.Response, error) {
	limit := time.NewTimer(Timeout)
	defer limit.Stop()
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, nil
			}
		case <-tx.Done():
			if err := tx.Err(); !errors.Is(err, sip.ErrTransactionTimeout) {
				return nil, fmt.Errorf("flow: %w", err)
			}
			return nil, ErrTimeout
		case <-limit.C:
			return nil, ErrTimeout
		case <-gone:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Write sends a request outside any transaction: the ACK of a 2xx (RFC 3261
// section 13.2.2.4). The errors are those of Send.
func (s *Sender) Write(f location.Flow, req *sip.Request) error {
	removeVias(req)
	e, err := s.prepare(f, req, sip.GenerateBranch())
	if err != nil {
		return err
	}
	return s.write(e, f, req)
}

func (s *Sender) write(e Endpoint, f location.Flow, req *sip.Request) error {
	conn, err := e.UA.TransportLayer().GetConnection(network(f), poolKey(f))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	defer conn.TryClose() //nolint:errcheck // gives back the pool's reference
	if !owns(conn, f) {
		return ErrGone
	}
	if err := conn.WriteMsg(req); err != nil {
		return fmt.Errorf("flow: write %s: %w", req.Method, err)
	}
	return nil
}

// poolKey is what the stack keeps the flow's socket under.
func poolKey(f location.Flow) string {
	if f.Transport == "udp" {
		return f.Local
	}
	return f.Remote
}

// prepare checks the message, addresses it and writes the Via.
func (s *Sender) prepare(f location.Flow, req *sip.Request, branch string) (Endpoint, error) {
	e, err := s.aim(f, req)
	if err != nil {
		return Endpoint{}, err
	}
	return e, addVia(req, e, f, branch)
}

// aim checks the message and addresses it.
func (s *Sender) aim(f location.Flow, req *sip.Request) (Endpoint, error) {
	e, err := s.endpoint(f)
	if err != nil {
		return Endpoint{}, err
	}
	if _, _, err := net.SplitHostPort(f.Remote); err != nil {
		return Endpoint{}, fmt.Errorf("%w: remote address: %w", ErrGone, err)
	}
	if err := unbroken(req); err != nil {
		return Endpoint{}, err
	}
	req.SetTransport(network(f))
	req.SetDestination(f.Remote)
	req.Laddr = sip.Addr{}
	if f.Transport == "udp" {
		// The exact address of the listener: without it the stack would open
		// another socket for a peer it has not heard of since its start.
		// For streams it must not be set: there the listener's address leads
		// to whichever connection was accepted last.
		host, port, err := sip.ParseAddr(f.Local)
		if err != nil {
			return Endpoint{}, fmt.Errorf("%w: local address: %w", ErrGone, err)
		}
		req.Laddr = sip.Addr{IP: net.ParseIP(host), Port: port}
	}
	return e, nil
}

// removeVias takes off what an earlier attempt may have left.
func removeVias(req *sip.Request) {
	for req.RemoveHeader("Via") {
		continue
	}
}

// addVia puts our Via on top (RFC 3261 section 18.1.1), with rport so that the
// answer finds back through what stands between (RFC 3581).
func addVia(req *sip.Request, e Endpoint, f location.Flow, branch string) error {
	host, portText, err := net.SplitHostPort(e.advertised())
	if err != nil {
		return fmt.Errorf("flow: advertised address: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("flow: advertised port: %w", err)
	}
	via := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(f.Transport),
		Host: host, Port: port,
		Params: sip.HeaderParams{{K: "branch", V: branch}, {K: "rport"}},
	}
	req.PrependHeader(via)
	return nil
}
