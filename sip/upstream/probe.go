package upstream

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/metrics"
	"perch/sip/flow"
)

// Times of the probes.
const (
	probeEvery   = 30 * time.Second // a hop that answers
	probeDown    = 10 * time.Second // one that does not
	probeAgain   = 2 * time.Second  // one that has just begun or ended to answer
	probeTick    = time.Second
	maxProbes    = 64 // at once
	maxNewsWait  = 256
	newsDeadline = 5 * time.Second
)

// Prober asks every next hop of every upstream, again and again, whether it is
// there (OPTIONS: RFC 3261 section 11), and tells of those that change.
type Prober struct {
	Client  *Client
	Tenants *Tenants
	News    News
	Metrics *metrics.Upstream
	Log     *slog.Logger

	mu    sync.Mutex
	due   map[string]time.Time                     // of hops
	users map[string]map[directory.TenantCode]bool // of hops
	news  chan change
	room  chan struct{}
}

type change struct {
	hop flow.Hop
	up  bool
	why string
}

// NewProber makes a Prober, which hears of the client's changes from now on.
func NewProber(c *Client, t *Tenants, n News, m *metrics.Upstream, log *slog.Logger) *Prober {
	p := &Prober{
		Client: c, Tenants: t, News: n, Metrics: m, Log: log, due: map[string]time.Time{},
		users: map[string]map[directory.TenantCode]bool{}, news: make(chan change, maxNewsWait), room: make(chan struct{}, maxProbes),
	}
	c.Changed = func(hop flow.Hop, up bool, why string) {
		select {
		case p.news <- change{hop, up, why}:
		default: // the next probe says the same again in the log
		}
	}
	return p
}

// Run probes until ctx ends.
func (p *Prober) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	tick := time.NewTicker(probeTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case c := <-p.news:
			p.tell(ctx, c)
		case <-tick.C:
			p.look(ctx, &working)
			p.count()
		}
	}
}

// look begins the probes that are due. The names are resolved beside, since a
// name server may be slow.
func (p *Prober) look(ctx context.Context, working *sync.WaitGroup) {
	byURI := map[string][]directory.TenantCode{}
	for _, t := range p.Tenants.trunks() {
		byURI[t.tenant.Upstream.URI] = append(byURI[t.tenant.Upstream.URI], t.tenant.Code)
	}
	for uri, tenants := range byURI {
		if !p.claim("uri "+uri, p.Client.Now().Add(probeAgain)) {
			continue
		}
		select {
		case p.room <- struct{}{}:
		default:
			return
		}
		working.Go(func() {
			defer func() { <-p.room }()
			p.upstream(ctx, uri, tenants)
		})
	}
}

// claim takes a thing that is due, until when it is due again.
func (p *Prober) claim(what string, next time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Client.Now()
	if now.Before(p.due[what]) {
		return false
	}
	if len(p.due) > 2*maxHops {
		clear(p.due)
	}
	p.due[what] = next
	return true
}

// upstream probes those hops of one upstream that are due.
func (p *Prober) upstream(ctx context.Context, uri string, tenants []directory.TenantCode) {
	found, err := p.Client.Resolver.Resolve(ctx, uri)
	if err != nil {
		return // the calls say so
	}
	for _, h := range found {
		hop := hopOf(h)
		p.mu.Lock()
		users := map[directory.TenantCode]bool{}
		for _, t := range tenants {
			users[t] = true
		}
		if len(p.users) > maxHops {
			clear(p.users)
		}
		p.users[hop.String()+" "+uri] = users
		p.mu.Unlock()
		if !p.claim(hop.String(), p.Client.Now().Add(perHop+probeAgain)) {
			continue
		}
		_ = p.Client.Check(ctx, hop, uri) // Health has heard of it
		p.mu.Lock()
		p.due[hop.String()] = p.Client.Now().Add(p.pause(hop))
		p.mu.Unlock()
	}
}

// pause is until the next probe of a hop.
func (p *Prober) pause(hop flow.Hop) time.Duration {
	p.Client.Health.mu.Lock()
	defer p.Client.Health.mu.Unlock()
	s := p.Client.Health.hops[hop.String()]
	switch {
	case s == nil:
		return probeEvery
	case s.Up != (s.row > 0):
		return probeAgain
	case !s.Up:
		return probeDown
	}
	return probeEvery
}

// tell writes the news of a hop to every tenant that uses it.
func (p *Prober) tell(ctx context.Context, c change) {
	typ := event.UpstreamDown
	if c.up {
		typ = event.UpstreamUp
		p.Log.Info("next hop answers again", "hop", c.hop.String())
	} else {
		p.Log.Warn("next hop is down", "hop", c.hop.String(), "reason", c.why)
	}
	told := map[directory.TenantCode]bool{}
	p.mu.Lock()
	for _, t := range p.Tenants.trunks() {
		if p.users[c.hop.String()+" "+t.tenant.Upstream.URI][t.tenant.Code] {
			told[t.tenant.Code] = true
		}
	}
	p.mu.Unlock()
	var events []event.Event
	for t := range told {
		events = append(events, event.Event{Type: typ, Tenant: t, Target: c.hop.String(), Reason: c.why})
	}
	ctx, cancel := context.WithTimeout(ctx, newsDeadline)
	defer cancel()
	if err := p.News.Append(ctx, events...); err != nil {
		p.Log.Warn("news of a next hop not written", "error", err)
	}
}

func (p *Prober) count() {
	up, down := 0, 0
	for _, s := range p.Client.Health.All(p.Client.Now()) {
		if s.Up {
			up++
		} else {
			down++
		}
	}
	p.Metrics.SetHops(up, down)
}
