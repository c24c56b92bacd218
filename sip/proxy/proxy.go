package proxy

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// Sender sends by flows and to hops: flow.Sender.
type Sender interface {
	Open(ctx context.Context, f location.Flow, req *sip.Request, branch string, late func(*sip.Response)) (*flow.Pending, error)
	Forward(ctx context.Context, f location.Flow, req *sip.Request, branch string) (*sip.Response, error)
	Pass(f location.Flow, req *sip.Request, branch string) error
	Answer(f location.Flow, res *sip.Response, to string) error
	Reach(ctx context.Context, h flow.Hop, size int) (location.Flow, error)
	Alive(f location.Flow) bool
	HostPort(f location.Flow) string
}

// Options are what a Proxy is made of. Those up to Log are required.
type Options struct {
	Directory Directory
	Location  Location
	Sender    Sender
	Auth      handler.Authenticator
	Tracker   Tracker
	Key       []byte // signs what a Record-Route names; the same on every node
	Log       *slog.Logger

	Upstream  Upstream  // nil: there is none
	Emergency Emergency // nil: emergency calls have no route
	Hosts     []string  // our advertised host names, besides every IP address
	Now       func() time.Time
	// TimerC is how long a phone may be silent while it rings (RFC 3261 section
	// 16.6 step 11); 0: 180 s. Ringing bounds the whole; 0: 10 minutes.
	TimerC, Ringing time.Duration
}

// Proxy forwards requests between the phones of a tenant and its upstream. Its
// methods are handlers of the chain. Safe for use by several goroutines.
type Proxy struct {
	Options
	sealer  sealer
	ending  context.Context // what is left of calls is given up
	giveUp  context.CancelFunc
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// New makes a Proxy. Close ends it.
func New(o Options) (*Proxy, error) {
	if o.Directory == nil || o.Location == nil || o.Sender == nil || o.Auth == nil || o.Tracker == nil || len(o.Key) == 0 || o.Log == nil {
		return nil, errors.New("proxy: an option is missing")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TimerC <= 0 {
		o.TimerC = 180 * time.Second
	}
	if o.Ringing <= 0 {
		o.Ringing = 10 * time.Minute
	}
	p := &Proxy{Options: o, sealer: sealer{o.Key}}
	p.ending, p.giveUp = context.WithCancel(context.Background())
	return p, nil
}

// Close gives up what is still outstanding of calls whose INVITE has been
// answered, and waits for it until ctx ends. Calls that are up are not touched.
func (p *Proxy) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.giveUp()
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// work runs f on a goroutine that Close waits for; false after Close.
func (p *Proxy) work(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.running.Go(f)
	return true
}

// own tells the names by which this server goes.
func (p *Proxy) own(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return isAddress(host) || host == "localhost" || slices.Contains(p.Hosts, host)
}

// path reads the routes of a request.
func (p *Proxy) path(r *handler.Request) (path, error) {
	routes := r.Values("Route")
	got, ok := p.sealer.parsePath(r.SIP.Recipient.String(), routes, r.CallID(), func(host string) bool {
		return p.own(host) || r.Identity.Tenant.HasDomain(host)
	})
	if !ok {
		return path{}, &handler.Status{Code: 400, Reason: "Bad Route", Why: "malformed"}
	}
	return got, nil
}

// forwardable checks what RFC 3261 section 16.3 asks for.
func (p *Proxy) forwardable(r *handler.Request, way path) error {
	if remaining(r) == 0 {
		return handler.Refuse(483, "too_many_hops")
	}
	if v := r.Header("Proxy-Require"); v != "" && !strings.EqualFold(v, "privacy") {
		return &handler.Status{Code: 420, Why: "extension", Headers: []sip.Header{handler.Header("Unsupported", handler.Clipped(v, 200))}}
	}
	vias := r.Values("Via")
	if len(vias) > maxVias {
		return handler.Refuse(483, "too_many_hops")
	}
	if loops(vias, p.sealer.fingerprint(r, way)) {
		return handler.Refuse(482, "loop")
	}
	return nil
}
