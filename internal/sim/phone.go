package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Phone is one virtual desk phone. Make it with New, give it life with Run.
// All methods may be called from any goroutine.
type Phone struct {
	opt      Options
	habits   habits
	parser   *sip.Parser
	http     *http.Client
	ownHTTP  *http.Transport // nil when the round tripper was given
	lineMark string          // Snom's line parameter, kept over reboots
	errands  chan struct{}   // capacity 1: errand was set
	udp      *udpLink
	src      source // main goroutine only
	done     chan struct{}
	macInUA  atomic.Bool

	mu       sync.Mutex
	st       State
	changed  chan struct{} // closed and replaced at each change
	started  bool
	closed   bool // no more goroutines
	deaf     bool // power is off
	wg       sync.WaitGroup
	root     context.Context // ends with Run
	leave    context.CancelFunc
	line     *line
	tcp      *tcpLink
	rule     rebootRule
	trusting bool
	realm    string
	dial     dialPlan
	errand   errand
	pusher   pusher
	pushed   [][]byte // bodies of NOTIFYs that are still to be read
	calls    int
	clients  map[txKey]*clientTx
	servers  map[string]serverTx
	dialogs  map[dialogKey]*subscription
	talks    map[dialogKey]*call
	posed    map[string]posed // by Call-ID
}

// ErrNotRunning is returned by what needs a phone with power.
var ErrNotRunning = errors.New("sim: the phone is not running")

// New checks o and builds a phone that is switched off. It opens nothing.
func New(o Options) (*Phone, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	h, _ := habitsOf(o.Brand) // complete has looked
	p := &Phone{
		opt: o, habits: h, parser: sip.NewParser(), lineMark: token(4), errands: make(chan struct{}, 1),
		done: make(chan struct{}), changed: make(chan struct{}), deaf: true,
		clients: map[txKey]*clientTx{}, servers: map[string]serverTx{},
		dialogs: map[dialogKey]*subscription{}, talks: map[dialogKey]*call{}, posed: map[string]posed{},
		st: State{MAC: o.MAC, Brand: o.Brand, Phase: PhaseOff},
	}
	user := ""
	if o.Secret != "" {
		user = o.MAC.String()
	}
	if p.src, err = newSource(o.BaseURL, &p.opt, user, o.Secret); err != nil {
		return nil, err
	}
	rt := o.RoundTripper
	if rt == nil {
		p.ownHTTP = &http.Transport{MaxIdleConns: 2, IdleConnTimeout: 5 * time.Second, DisableCompression: true}
		rt = p.ownHTTP
	}
	p.http = &http.Client{Transport: rt, CheckRedirect: fewRedirects}
	return p, nil
}

// fewRedirects follows three, as many as a desk phone does.
func fewRedirects(_ *http.Request, via []*http.Request) error {
	if len(via) > 3 {
		return errors.New("too many redirects")
	}
	return nil
}

// MAC gives the phone's hardware address.
func (p *Phone) MAC() string { return p.opt.MAC.String() }

// Run switches the phone on and blocks until ctx ends, which is a power cut, or
// Shutdown has ended it politely. It returns an error when the phone could not
// open its socket or was switched on before. When it returns every goroutine
// of the phone has ended and its sockets are closed.
func (p *Phone) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	life, leave := context.WithCancel(ctx)
	defer leave()
	if err := p.start(ctx, leave); err != nil {
		return err
	}
	p.spawn(p.readUDP)
	p.live(life)
	if ctx.Err() == nil {
		p.farewell(ctx)
	}
	cancel()
	p.close()
	return nil
}

// start opens the socket. A phone runs once.
func (p *Phone) start(ctx context.Context, leave context.CancelFunc) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started {
		return errors.New("sim: a phone runs once")
	}
	ip := p.opt.LocalIP
	if !ip.IsValid() {
		var err error
		if ip, err = reachIP(p.src.base); err != nil {
			return fmt.Errorf("sim: local address: %w", err)
		}
	}
	udp, err := listenUDP(ip)
	if err != nil {
		return fmt.Errorf("sim: socket: %w", err)
	}
	p.udp, p.root, p.leave, p.started = udp, ctx, leave, true
	return nil
}

// Shutdown ends the phone as someone who unplugs it with care: calls are hung
// up, subscriptions ended, contacts removed. It waits for Run to return, or
// for ctx.
func (p *Phone) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	leave := p.leave
	p.mu.Unlock()
	if leave == nil {
		return ErrNotRunning
	}
	leave()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// spawn runs f as a goroutine that Run waits for; false when it is too late.
func (p *Phone) spawn(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Go(f)
	return true
}

// close ends all that Run began. Its context has ended already.
func (p *Phone) close() {
	p.mu.Lock()
	p.closed, p.deaf = true, true
	l, tcp := p.line, p.tcp
	p.mu.Unlock()
	if l != nil {
		l.cancel()
		l.work.Wait()
	}
	if tcp != nil {
		tcp.close()
	}
	p.udp.conn.Close()
	p.wg.Wait()
	if p.ownHTTP != nil {
		p.ownHTTP.CloseIdleConnections()
	}
	p.update(func(s *State) {
		p.line = nil
		s.Phase, s.Registered, s.AOR = PhaseOff, false, ""
	})
	p.emit(PoweredOff, "", 0)
	close(p.done)
}

// sleep waits for d; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
