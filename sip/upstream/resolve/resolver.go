package resolve

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// Options are what a Resolver is made of.
type Options struct {
	Servers    []netip.AddrPort        // name servers, in the order in which they are asked; required
	Hosts      map[string][]netip.Addr // names that need no name server, as /etc/hosts has them
	Transports []string                // spoken here: of udp, tcp, tls; empty: all three
	Timeout    time.Duration           // for one question to one server; 0: 2 s
	Now        func() time.Time        // nil: time.Now
	Random     func(n int) int         // [0,n); nil: math/rand
	Log        *slog.Logger            // required
}

// Resolver finds hops. Safe for use by several goroutines.
type Resolver struct {
	o     Options
	cache *cache
}

// Bounds of one answer.
const (
	whole    = 8 * time.Second // for all questions of one URI
	maxHops  = 24
	maxSRV   = 32 // records of one name
	maxNAPTR = 16
	maxAddrs = 16
)

// New makes a Resolver.
func New(o Options) *Resolver {
	if len(o.Transports) == 0 {
		o.Transports = []string{"udp", "tcp", "tls"}
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.IntN
	}
	r := &Resolver{o: o}
	r.cache = newCache(r.ask, o.Now)
	return r
}

// Resolve gives the hops of a SIP or SIPS URI, the first to be tried first
// (RFC 3263 section 4), at most 24. The order of records of equal priority is
// drawn anew each time (RFC 2782). The errors are ErrURI, ErrNotFound,
// ErrRefused, ErrServer, or the context's.
func (r *Resolver) Resolve(ctx context.Context, uri string) ([]Hop, error) {
	t, err := parse(uri)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, whole)
	defer cancel()
	hops, err := r.hops(ctx, t)
	if err != nil && ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(ErrServer, err)
	}
	if len(hops) > maxHops {
		hops = hops[:maxHops]
	}
	return hops, err
}

func (r *Resolver) hops(ctx context.Context, t target) ([]Hop, error) {
	transport, settled := t.settled()
	switch {
	case settled && !r.speaks(transport):
		return nil, ErrURI
	case t.addr.IsValid():
		return []Hop{{transport, netip.AddrPortFrom(t.addr, portOr(t.port, transport)), ""}}, nil
	case t.port != 0:
		return r.byAddress(ctx, t.host, transport, t.port)
	case len(r.o.Hosts[t.host]) > 0: // a name of this machine's own has no services
		if transport = t.fallback(); settled {
			transport = t.transport
		}
		return r.byAddress(ctx, t.host, transport, 0)
	case settled:
		return r.bySRV(ctx, t.host, []string{service(transport, t.host)}, []string{transport})
	}
	names, transports, err := r.byNAPTR(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 { // no NAPTR: a question for each transport spoken here
		for _, tr := range r.choices(t) {
			names, transports = append(names, service(tr, t.host)), append(transports, tr)
		}
	}
	return r.bySRV(ctx, t.host, names, transports)
}

func (r *Resolver) speaks(transport string) bool { return slices.Contains(r.o.Transports, transport) }

// choices are the transports that may be used where the URI leaves it open,
// the preferred first.
func (r *Resolver) choices(t target) []string {
	if t.secure {
		return []string{"tls"}
	}
	var out []string
	for _, tr := range []string{"udp", "tcp", "tls"} {
		if r.speaks(tr) {
			out = append(out, tr)
		}
	}
	return out
}

// byNAPTR asks which services the name offers (RFC 3263 section 4.1): those
// that are spoken here, in the owner's order. Of a SIPS URI only TLS counts.
func (r *Resolver) byNAPTR(ctx context.Context, t target) (names, transports []string, err error) {
	rrs, err := r.cache.get(ctx, t.host, dns.TypeNAPTR)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, nil
	}
	if errors.Is(err, ErrServer) && ctx.Err() == nil {
		return nil, nil, nil // some name servers know no NAPTR, and do not answer
	}
	if err != nil {
		return nil, nil, err
	}
	for _, n := range sortedNAPTR(rrs) {
		tr, ok := naptrTransport(n.Service)
		if !ok || !r.speaks(tr) || t.secure && tr != "tls" || n.Replacement == "." || n.Replacement == "" {
			continue
		}
		name, err := canonicalName(n.Replacement)
		if err != nil || slices.Contains(names, name) {
			continue
		}
		names, transports = append(names, name), append(transports, tr)
	}
	return names, transports, nil
}

// bySRV asks for each service in turn and gives the hops of all of them: what
// comes later is tried when what came before has failed. Without any record
// the name itself is the target, by the first transport that a URI would have.
func (r *Resolver) bySRV(ctx context.Context, host string, names, transports []string) ([]Hop, error) {
	var hops []Hop
	var found, refused bool
	var failed error
	for i, name := range names {
		rrs, err := r.cache.get(ctx, name, dns.TypeSRV)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			failed = err
			continue
		}
		for _, s := range r.ordered(rrs) {
			if s.Target == "." {
				refused = true
				continue
			}
			found = true
			more, err := r.byAddress(ctx, s.Target, transports[i], s.Port)
			if err != nil {
				failed = err
			}
			for j := range more {
				more[j].Name = host // the certificate is for what was asked for (RFC 5922 section 7.3)
			}
			if hops = append(hops, more...); len(hops) >= maxHops {
				return hops, nil
			}
		}
	}
	switch {
	case len(hops) > 0:
		return hops, nil
	case found:
		return nil, failed
	case refused:
		return nil, ErrRefused
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	transport := transports[0]
	more, err := r.byAddress(ctx, host, transport, defaultPort(transport))
	if err != nil && failed != nil {
		err = failed
	}
	return more, err
}

// byAddress gives a name's addresses, IPv4 first: of a name with both, the
// other one is the failover.
func (r *Resolver) byAddress(ctx context.Context, name, transport string, port uint16) ([]Hop, error) {
	name, err := canonicalName(name)
	if err != nil {
		return nil, err
	}
	addrs, ok := r.o.Hosts[name]
	if !ok {
		if addrs, err = r.addresses(ctx, name); err != nil {
			return nil, err
		}
	}
	var hops []Hop
	for _, a := range addrs {
		hops = append(hops, Hop{transport, netip.AddrPortFrom(a, portOr(port, transport)), name})
	}
	return hops, nil
}

func (r *Resolver) addresses(ctx context.Context, name string) ([]netip.Addr, error) {
	var addrs []netip.Addr
	var failed error
	for _, typ := range []uint16{dns.TypeA, dns.TypeAAAA} {
		rrs, err := r.cache.get(ctx, name, typ)
		if err != nil && (failed == nil || !errors.Is(err, ErrNotFound)) {
			failed = err
		}
		for _, rr := range rrs {
			if a, ok := addressOf(rr); ok && !slices.Contains(addrs, a) && len(addrs) < maxAddrs {
				addrs = append(addrs, a)
			}
		}
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	if failed == nil { // nothing but addresses that cannot be used
		failed = ErrNotFound
	}
	return nil, failed
}

func portOr(port uint16, transport string) uint16 {
	if port != 0 {
		return port
	}
	return defaultPort(transport)
}
