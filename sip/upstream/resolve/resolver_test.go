package resolve

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func texts(hops []Hop) string {
	var out []string
	for _, h := range hops {
		out = append(out, h.String())
	}
	return strings.Join(out, " ")
}

// TestRFC3263: the cases of section 4, with one zone.
func TestRFC3263(t *testing.T) {
	z := newZone(
		t,
		`full.test. 300 IN NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.full.test.`,
		`full.test. 300 IN NAPTR 10 20 "s" "SIP+D2T" "" _sip._tcp.full.test.`,
		`full.test. 300 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.full.test.`,
		`full.test. 300 IN NAPTR 1 1 "s" "SIP+D2S" "" _sip._sctp.full.test.`,
		`full.test. 300 IN NAPTR 1 1 "u" "E2U+sip" "!^.*$!sip:x@evil.test!" .`,
		`_sip._udp.full.test. 300 IN SRV 10 0 5060 a.test.`,
		`_sip._tcp.full.test. 300 IN SRV 10 0 5070 a.test.`,
		`_sips._tcp.full.test. 300 IN SRV 10 0 5071 a.test.`,
		`_sips._tcp.full.test. 300 IN SRV 5 0 5072 six.test.`,
		`a.test. 300 IN A 192.0.2.1`,
		`a.test. 300 IN A 192.0.2.2`,
		`six.test. 300 IN AAAA 2001:db8::1`,
		`srv.test. 300 IN A 192.0.2.9`,
		`_sip._tcp.srv.test. 300 IN SRV 10 0 5080 a.test.`,
		`gone.test. 300 IN A 192.0.2.9`,
		`_sip._udp.gone.test. 300 IN SRV 0 0 0 .`,
		`_sip._tcp.gone.test. 300 IN SRV 0 0 0 .`,
		`_sips._tcp.gone.test. 300 IN SRV 0 0 0 .`,
		`alias.test. 300 IN CNAME alias2.test.`,
		`alias2.test. 300 IN CNAME a.test.`,
		`loop.test. 300 IN CNAME loop2.test.`,
		`loop2.test. 300 IN CNAME loop.test.`,
		`bad.test. 300 IN A 0.0.0.0`,
		`bad.test. 300 IN A 224.0.0.1`,
		`half.test. 300 IN NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.half.test.`,
		`half.test. 300 IN A 192.0.2.3`,
	)
	r := resolver(nil, 0, z)
	for _, tc := range []struct {
		uri, want string
		err       error
	}{
		{"sip:192.0.2.7", "udp:192.0.2.7:5060", nil},
		{"sip:[2001:db8::7]:5070", "udp:[2001:db8::7]:5070", nil},
		{"sips:192.0.2.7", "tls:192.0.2.7:5061", nil},
		{"sip:192.0.2.7;transport=TCP", "tcp:192.0.2.7:5060", nil},
		{"sips:192.0.2.7;transport=tcp", "tls:192.0.2.7:5061", nil},
		{"sip:a.test;maddr=192.0.2.8", "udp:192.0.2.8:5060", nil},
		{"sip:a.test:5062", "udp:192.0.2.1:5062 udp:192.0.2.2:5062", nil},
		{"sip:a.test:5062;transport=tls", "tls:192.0.2.1:5062 tls:192.0.2.2:5062", nil},
		{"sip:full.test", "tls:[2001:db8::1]:5072 tls:192.0.2.1:5071 tls:192.0.2.2:5071 tcp:192.0.2.1:5070 tcp:192.0.2.2:5070 udp:192.0.2.1:5060 udp:192.0.2.2:5060", nil},
		{"sips:full.test", "tls:[2001:db8::1]:5072 tls:192.0.2.1:5071 tls:192.0.2.2:5071", nil},
		{"sip:full.test;transport=udp", "udp:192.0.2.1:5060 udp:192.0.2.2:5060", nil},
		{"sip:srv.test", "tcp:192.0.2.1:5080 tcp:192.0.2.2:5080", nil},
		{"sip:srv.test;transport=udp", "udp:192.0.2.9:5060", nil},
		{"sip:a.test", "udp:192.0.2.1:5060 udp:192.0.2.2:5060", nil},
		{"sip:six.test", "udp:[2001:db8::1]:5060", nil},
		{"sip:alias.test", "udp:192.0.2.1:5060 udp:192.0.2.2:5060", nil},
		{"sip:half.test", "tcp:192.0.2.3:5060", nil},
		{"sip:here", "udp:127.0.0.9:5060", nil},
		{"sip:here;transport=tcp", "tcp:127.0.0.9:5060", nil},
		{"sip:gone.test", "", ErrRefused},
		{"sip:loop.test", "", ErrServer},
		{"sip:bad.test", "", ErrNotFound},
		{"sip:nowhere.test", "", ErrNotFound},
		{"sip:a.test;transport=sctp", "", ErrURI},
		{"sips:a.test;transport=udp", "", ErrURI},
		{"tel:112", "", ErrURI},
		{"", "", ErrURI},
	} {
		hops, err := r.Resolve(t.Context(), tc.uri)
		if !errors.Is(err, tc.err) || texts(hops) != tc.want {
			t.Errorf("%s: %s, %v\nwant %s, %v", tc.uri, texts(hops), err, tc.want, tc.err)
		}
	}
	hops, _ := r.Resolve(t.Context(), "sips:full.test")
	if hops[0].Name != "full.test" {
		t.Errorf("the certificate has to be for %q", hops[0].Name)
	}
}

// TestTransports: what is not spoken here is not chosen.
func TestTransports(t *testing.T) {
	z := newZone(
		t,
		`full.test. 300 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.full.test.`,
		`full.test. 300 IN NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.full.test.`,
		`_sip._udp.full.test. 300 IN SRV 10 0 5060 a.test.`,
		`a.test. 300 IN A 192.0.2.1`,
	)
	r := resolver(nil, 0, z)
	r.o.Transports = []string{"udp"}
	hops, err := r.Resolve(t.Context(), "sip:full.test")
	if err != nil || texts(hops) != "udp:192.0.2.1:5060" {
		t.Error(texts(hops), err)
	}
	if _, err := r.Resolve(t.Context(), "sip:192.0.2.1;transport=tcp"); !errors.Is(err, ErrURI) {
		t.Error(err)
	}
}

// TestWeights: RFC 2782: records of one priority share by weight.
func TestWeights(t *testing.T) {
	z := newZone(
		t,
		`_sip._udp.w.test. 300 IN SRV 10 60 5001 a.test.`,
		`_sip._udp.w.test. 300 IN SRV 10 30 5002 a.test.`,
		`_sip._udp.w.test. 300 IN SRV 10 10 5003 a.test.`,
		`_sip._udp.w.test. 300 IN SRV 20 0 5004 a.test.`,
		`a.test. 300 IN A 192.0.2.1`,
	)
	r := resolver(nil, 0, z)
	r.o.Random = rand.New(rand.NewPCG(1, 2)).IntN
	first, n := map[uint16]int{}, 4000
	for range n {
		hops, err := r.Resolve(t.Context(), "sip:w.test;transport=udp")
		if err != nil || len(hops) != 4 || hops[3].Addr.Port() != 5004 {
			t.Fatal(texts(hops), err)
		}
		first[hops[0].Addr.Port()]++
	}
	for port, share := range map[uint16]float64{5001: .6, 5002: .3, 5003: .1} {
		if got := float64(first[port]) / float64(n); got < share-.05 || got > share+.05 {
			t.Errorf("port %d came first in %.2f of the draws, want %.2f", port, got, share)
		}
	}
}

// TestTruncated: an answer that does not fit comes by TCP.
func TestTruncated(t *testing.T) {
	z := newZone(t, `a.test. 300 IN A 192.0.2.1`)
	z.rude(func(w dns.ResponseWriter, q *dns.Msg) bool {
		if w.RemoteAddr().Network() != "udp" {
			return false
		}
		m := new(dns.Msg)
		m.SetReply(q)
		m.Truncated = true
		_ = w.WriteMsg(m)
		return true
	})
	hops, err := resolver(nil, 0, z).Resolve(t.Context(), "sip:a.test:5060")
	if err != nil || texts(hops) != "udp:192.0.2.1:5060" {
		t.Error(texts(hops), err)
	}
}

// TestGarbage: a name server that sends rubbish costs the time of one that is
// silent at most, and the next one is asked.
func TestGarbage(t *testing.T) {
	good := newZone(t, `a.test. 300 IN A 192.0.2.1`)
	for name, wire := range map[string]func(dns.ResponseWriter, *dns.Msg){
		"rubbish": func(w dns.ResponseWriter, _ *dns.Msg) {
			_, _ = w.Write([]byte("this is no DNS message at all, is it?"))
		},
		"cut off": func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg)
			m.SetReply(q)
			rr, _ := dns.NewRR(q.Question[0].Name + " 300 IN A 198.51.100.1")
			m.Answer = []dns.RR{rr, rr}
			b, _ := m.Pack()
			_, _ = w.Write(b[:len(b)-9])
		},
		"another question": func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg)
			m.SetReply(q)
			m.Question[0].Name = "evil.test."
			_ = w.WriteMsg(m)
		},
		"another id": func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg)
			m.SetReply(q)
			m.Id++
			_ = w.WriteMsg(m)
		},
		"a question back": func(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(q) },
		"refusal": func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg)
			m.SetRcode(q, dns.RcodeServerFailure)
			_ = w.WriteMsg(m)
		},
		"silence": func(dns.ResponseWriter, *dns.Msg) {},
	} {
		t.Run(name, func(t *testing.T) {
			bad := newZone(t)
			bad.rude(func(w dns.ResponseWriter, q *dns.Msg) bool { wire(w, q); return true })
			hops, err := resolver(nil, 200*time.Millisecond, bad, good).Resolve(t.Context(), "sip:a.test:5060")
			if err != nil || texts(hops) != "udp:192.0.2.1:5060" {
				t.Error(texts(hops), err)
			}
			_, err = resolver(nil, 50*time.Millisecond, bad).Resolve(t.Context(), "sip:a.test")
			if !errors.Is(err, ErrServer) {
				t.Error("alone:", err)
			}
		})
	}
}

// TestMany: an answer with more than anybody needs is cut.
func TestMany(t *testing.T) {
	var rrs []string
	for i := range 60 {
		rrs = append(rrs, "_sip._udp.m.test. 300 IN SRV 1 1 "+string(rune('1'+i%9))+"000 a.test.", "a.test. 300 IN A 192.0.2."+strconv.Itoa(i+1))
	}
	z := newZone(t, rrs...)
	hops, err := resolver(nil, 0, z).Resolve(t.Context(), "sip:m.test;transport=udp")
	if err != nil || len(hops) != maxHops {
		t.Error(len(hops), err)
	}
}

// TestCache: answers are kept as long as their TTL says within the bounds, a
// "no" too, and outlive the name servers for a while.
func TestCache(t *testing.T) {
	z := newZone(t, `a.test. 60 IN A 192.0.2.1`, `zero.test. 0 IN A 192.0.2.2`)
	c := &clock{at: time.Unix(1_000_000, 0)}
	r := resolver(c, 50*time.Millisecond, z)
	get := func(uri, want string, err error) {
		t.Helper()
		hops, got := r.Resolve(context.Background(), uri)
		if texts(hops) != want || !errors.Is(got, err) {
			t.Errorf("%s: %s, %v", uri, texts(hops), got)
		}
	}
	for range 3 {
		get("sip:a.test:5060", "udp:192.0.2.1:5060", nil)
		get("sip:zero.test:5060", "udp:192.0.2.2:5060", nil)
		get("sip:no.test:5060", "", ErrNotFound)
	}
	if n := z.questions("A a.test"); n != 2 { // A and AAAA
		t.Errorf("asked %d times", n)
	}
	if n := z.questions("A no.test"); n != 2 {
		t.Errorf("asked %d times for what is not there", n)
	}
	z.set(t, `a.test. 60 IN A 192.0.2.5`, `no.test. 60 IN A 192.0.2.6`)
	get("sip:a.test:5060", "udp:192.0.2.1:5060", nil)
	c.move(61 * time.Second)
	get("sip:a.test:5060", "udp:192.0.2.5:5060", nil)
	get("sip:no.test:5060", "udp:192.0.2.6:5060", nil)
	z.rude(func(dns.ResponseWriter, *dns.Msg) bool { return true })
	c.move(10 * time.Minute)
	get("sip:a.test:5060", "udp:192.0.2.5:5060", nil)
	c.move(2 * time.Hour)
	get("sip:a.test:5060", "", ErrServer)
}

// TestSharedQuestion: many who want the same ask once.
func TestSharedQuestion(t *testing.T) {
	z := newZone(t, `a.test. 60 IN A 192.0.2.1`)
	r := resolver(nil, 0, z)
	done := make(chan error, 50)
	for range cap(done) {
		go func() {
			_, err := r.Resolve(context.Background(), "sip:a.test:5060")
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := z.questions("A a.test"); n > 4 {
		t.Errorf("asked %d times", n)
	}
}

// TestCacheBound: the memory of names that were asked for once is bounded.
func TestCacheBound(t *testing.T) {
	c := &clock{at: time.Unix(1, 0)}
	ca := newCache(func(context.Context, string, uint16) answer { return answer{err: ErrNotFound, ttl: time.Minute} }, c.now)
	for i := range 3 * maxEntries {
		_, _ = ca.get(t.Context(), strings.Repeat("x", i%200)+string(rune('a'+i%26))+time.Duration(i).String(), dns.TypeA)
	}
	if n := len(ca.entries); n > maxEntries {
		t.Errorf("%d entries", n)
	}
}

func TestSystemFiles(t *testing.T) {
	servers, err := ReadServers(strings.NewReader("search x\nnameserver 192.0.2.1\nnameserver nonsense\nnameserver 2001:db8::1\n"))
	if err != nil || len(servers) != 2 || servers[1].String() != "[2001:db8::1]:53" {
		t.Error(servers, err)
	}
	if servers, _ := ReadServers(strings.NewReader("")); len(servers) != 1 || servers[0].String() != "127.0.0.1:53" {
		t.Error(servers)
	}
	hosts := ReadHosts(strings.NewReader("192.0.2.1 PBX pbx.test # here\nnonsense\n::1 localhost\n"))
	if len(hosts) != 3 || hosts["pbx"][0].String() != "192.0.2.1" || hosts["localhost"][0].String() != "::1" {
		t.Error(hosts)
	}
}

// FuzzRead: whatever a name server sends makes no address of nothing.
func FuzzRead(f *testing.F) {
	m := new(dns.Msg)
	m.SetQuestion("a.test.", dns.TypeA)
	rr, _ := dns.NewRR("a.test. 300 IN A 192.0.2.1")
	m.Answer = []dns.RR{rr}
	b, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(dns.Msg)
		if m.Unpack(b) != nil {
			return
		}
		for _, typ := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeNAPTR} {
			got, alias := read(m, "a.test", typ)
			if got.ttl > maxTTL || len(got.rrs) > maxRRs || alias != "" && got.err != nil {
				t.Fatalf("%+v %q", got, alias)
			}
			r := resolver(nil, 0)
			for _, s := range r.ordered(slices.Clone(got.rrs)) {
				_, _ = canonicalName(s.Target)
			}
		}
	})
}

// FuzzParse: any URI.
func FuzzParse(f *testing.F) {
	f.Add("sip:a@b:5060;transport=tcp;maddr=192.0.2.1")
	f.Add("sips:[::1]")
	f.Fuzz(func(t *testing.T, uri string) {
		p, err := parse(uri)
		if err == nil && p.host == "" && !p.addr.IsValid() {
			t.Fatalf("%q leads nowhere", uri)
		}
	})
}

func BenchmarkResolveCached(b *testing.B) {
	c := &clock{at: time.Unix(1, 0)}
	r := resolver(c, 0)
	srv, _ := dns.NewRR(`_sip._udp.w.test. 300 IN SRV 10 60 5001 a.test.`)
	a, _ := dns.NewRR(`a.test. 300 IN A 192.0.2.1`)
	r.cache.ask = func(_ context.Context, _ string, typ uint16) answer {
		switch typ {
		case dns.TypeSRV:
			return answer{rrs: []dns.RR{srv}, ttl: time.Hour}
		case dns.TypeA:
			return answer{rrs: []dns.RR{a}, ttl: time.Hour}
		}
		return answer{err: ErrNotFound, ttl: time.Hour}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Resolve(context.Background(), "sip:w.test;transport=udp"); err != nil {
			b.Fatal(err)
		}
	}
}
