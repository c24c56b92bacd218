package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Bounds of one question.
const (
	udpSize  = 1232 // what survives every path unfragmented (RFC 9715)
	maxAlias = 8    // CNAMEs followed
	maxRRs   = 128  // records of one answer that are looked at
	rounds   = 2    // times that each server is asked: a datagram may be lost
)

// ask puts one question to the servers in turn, following CNAMEs.
func (r *Resolver) ask(ctx context.Context, name string, typ uint16) answer {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(rounds*len(r.o.Servers)+1)*r.o.Timeout)
	defer cancel()
	ttl, seen := maxTTL, map[string]bool{}
	for len(seen) <= maxAlias {
		if seen[name] {
			return answer{err: fmt.Errorf("%w: aliases in a circle", ErrServer)}
		}
		seen[name] = true
		msg, err := r.query(ctx, name, typ)
		if err != nil {
			return answer{err: err}
		}
		got, alias := read(msg, name, typ)
		got.ttl = min(got.ttl, ttl)
		if alias == "" {
			return got
		}
		name, ttl = alias, got.ttl
	}
	return answer{err: fmt.Errorf("%w: too many aliases", ErrServer)}
}

// query asks one name server after the other until one gives an answer of
// sense: NOERROR or NXDOMAIN.
func (r *Resolver) query(ctx context.Context, name string, typ uint16) (*dns.Msg, error) {
	last := error(ErrServer)
	for range rounds {
		for _, server := range r.o.Servers {
			if ctx.Err() != nil {
				return nil, fmt.Errorf("%w: %w", ErrServer, ctx.Err())
			}
			msg, err := r.exchange(ctx, server, name, typ)
			if err == nil && (msg.Rcode == dns.RcodeSuccess || msg.Rcode == dns.RcodeNameError) {
				return msg, nil
			}
			if err == nil {
				err = fmt.Errorf("answer code %s", dns.RcodeToString[msg.Rcode])
			}
			last = fmt.Errorf("%w: %w", ErrServer, err)
			r.o.Log.Debug("name server gave no usable answer", "server", server.String(), "type", dns.TypeToString[typ], "error", err)
		}
	}
	return nil, last
}

// exchange asks one server over UDP, and over TCP when the answer was cut off,
// by the server's word or by arriving so.
func (r *Resolver) exchange(ctx context.Context, server netip.AddrPort, name string, typ uint16) (*dns.Msg, error) {
	q := new(dns.Msg)
	q.SetQuestion(dns.Fqdn(name), typ)
	q.SetEdns0(udpSize, false)
	msg, err := r.over(ctx, "udp", server, q)
	if err == nil && msg.Truncated || errors.Is(err, errCut) {
		q.Id = dns.Id()
		msg, err = r.over(ctx, "tcp", server, q)
	}
	return msg, err
}

// over asks by one transport. A datagram that answers another question is
// passed over: anybody can have sent it.
func (r *Resolver) over(ctx context.Context, network string, server netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
	deadline := time.Now().Add(r.o.Timeout)
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // nothing is kept
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	co := &dns.Conn{Conn: conn, UDPSize: udpSize}
	if err := co.WriteMsg(q); err != nil {
		return nil, err
	}
	for {
		msg, err := co.ReadMsg()
		if err == nil && !answers(msg, q) && network == "udp" {
			continue
		}
		if err != nil && msg != nil { // it came, and cannot be read
			return nil, fmt.Errorf("%w: %w", errCut, err)
		}
		if err == nil && !answers(msg, q) {
			err = fmt.Errorf("the answer is to another question")
		}
		if err != nil {
			return nil, err
		}
		return msg, nil
	}
}

var errCut = errors.New("resolve: the answer cannot be read to its end")

// answers tells whether a message is the answer to the question.
func answers(m, q *dns.Msg) bool {
	return m.Id == q.Id && m.Response && len(m.Question) == 1 && m.Question[0].Qtype == q.Question[0].Qtype &&
		m.Question[0].Qclass == dns.ClassINET && strings.EqualFold(m.Question[0].Name, q.Question[0].Name)
}

// read takes the records of the type asked for, along the aliases that the
// answer itself resolves; alias is where the answer ends without them.
func read(m *dns.Msg, name string, typ uint16) (got answer, alias string) {
	got.ttl = maxTTL
	rrs := m.Answer[:min(len(m.Answer), maxRRs)]
	at := name
	for range maxAlias {
		for _, rr := range rrs {
			if rr.Header().Rrtype == typ && sameName(rr.Header().Name, at) {
				got.rrs = append(got.rrs, rr)
				got.ttl = min(got.ttl, seconds(rr.Header().Ttl))
			}
		}
		next := ""
		for _, rr := range rrs {
			if c, ok := rr.(*dns.CNAME); ok && next == "" && sameName(c.Hdr.Name, at) {
				next, got.ttl = c.Target, min(got.ttl, seconds(c.Hdr.Ttl))
			}
		}
		if len(got.rrs) > 0 || next == "" {
			break
		}
		to, err := canonicalName(next)
		if err != nil {
			return answer{err: fmt.Errorf("%w: alias", ErrServer)}, ""
		}
		at = to
	}
	if len(got.rrs) > 0 {
		return got, ""
	}
	if at != name && m.Rcode == dns.RcodeSuccess && !hasSOA(m) {
		return got, at
	}
	return answer{err: ErrNotFound, ttl: negativeTTL(m)}, ""
}

// sameName compares an owner's name with a canonical one.
func sameName(owner, name string) bool {
	return strings.EqualFold(strings.TrimSuffix(owner, "."), name)
}

func hasSOA(m *dns.Msg) bool {
	for _, rr := range m.Ns {
		if rr.Header().Rrtype == dns.TypeSOA {
			return true
		}
	}
	return false
}

// negativeTTL is how long a "no" holds (RFC 2308 section 5).
func negativeTTL(m *dns.Msg) time.Duration {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(seconds(soa.Hdr.Ttl), seconds(soa.Minttl))
		}
	}
	return minTTL
}

func seconds(n uint32) time.Duration { return min(time.Duration(n)*time.Second, maxTTL) }
