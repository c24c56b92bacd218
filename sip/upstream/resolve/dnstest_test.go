package resolve

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// zone is a name server on loopback, over UDP and TCP.
type zone struct {
	addr netip.AddrPort

	mu    sync.Mutex
	rrs   []dns.RR
	asked map[string]int // "type name" -> questions, over either transport
	wire  func(w dns.ResponseWriter, q *dns.Msg) bool
}

// newZone serves the records, in the text form of zone files.
func newZone(t *testing.T, records ...string) *zone {
	t.Helper()
	z := &zone{asked: map[string]int{}}
	z.set(t, records...)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z.addr = tcp.Addr().(*net.TCPAddr).AddrPort()
	udp, err := net.ListenPacket("udp", z.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{Listener: tcp, Handler: z}, {PacketConn: udp, Handler: z}} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go func() { _ = s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return z
}

func (z *zone) set(t *testing.T, records ...string) {
	t.Helper()
	var rrs []dns.RR
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.rrs = rrs
}

// rude makes the server answer otherwise.
func (z *zone) rude(wire func(dns.ResponseWriter, *dns.Msg) bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.wire = wire
}

// questions counts what was asked; a key ends with what is given.
func (z *zone) questions(suffix string) (n int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for k, v := range z.asked {
		if strings.HasSuffix(k, suffix) {
			n += v
		}
	}
	return n
}

// ServeDNS implements dns.Handler: what the zone has, NXDOMAIN with an SOA for
// names that it has not.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	name, typ := strings.ToLower(q.Question[0].Name), q.Question[0].Qtype
	z.asked[dns.TypeToString[typ]+" "+strings.TrimSuffix(name, ".")]++
	wire, rrs := z.wire, z.rrs
	z.mu.Unlock()
	if wire != nil && wire(w, q) {
		return
	}
	m := new(dns.Msg)
	m.SetReply(q)
	known := false
	for _, rr := range rrs {
		if !strings.EqualFold(rr.Header().Name, name) {
			continue
		}
		known = true
		if rr.Header().Rrtype == typ || rr.Header().Rrtype == dns.TypeCNAME {
			m.Answer = append(m.Answer, rr)
		}
	}
	if !known {
		m.Rcode = dns.RcodeNameError
	}
	if len(m.Answer) == 0 {
		soa, _ := dns.NewRR("test. 60 IN SOA ns.test. a.test. 1 2 3 4 30")
		m.Ns = append(m.Ns, soa)
	}
	if w.RemoteAddr().Network() == "udp" {
		m.Truncate(udpSize)
	}
	_ = w.WriteMsg(m)
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// resolver asks the zones.
func resolver(c *clock, timeout time.Duration, zones ...*zone) *Resolver {
	o := Options{
		Timeout: timeout, Random: func(int) int { return 0 }, Log: slog.New(slog.DiscardHandler),
		Hosts: map[string][]netip.Addr{"here": {netip.MustParseAddr("127.0.0.9")}},
	}
	for _, z := range zones {
		o.Servers = append(o.Servers, z.addr)
	}
	if c != nil {
		o.Now = c.now
	}
	return New(o)
}
