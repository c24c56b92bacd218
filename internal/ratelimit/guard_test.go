package ratelimit

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

var (
	zero  = time.Unix(1_700_000_000, 0)
	alice = netip.MustParseAddr("192.0.2.1")
	bob   = netip.MustParseAddr("192.0.2.2")
)

func guard(report func(Ban), trusted ...string) (*Guard, *Bans) {
	bans := NewBans()
	var prefixes []netip.Prefix
	for _, p := range trusted {
		prefixes = append(prefixes, netip.MustParsePrefix(p))
	}
	return NewGuard(prefixes, DefaultBudgets(), bans, report), bans
}

func TestBucket(t *testing.T) {
	var b Bucket
	r := Rate{PerSecond: 10, Burst: 5}
	for i := range 5 {
		if !b.Take(1, r, zero) {
			t.Fatalf("token %d was not there", i)
		}
	}
	if b.Take(1, r, zero) {
		t.Error("more than the burst")
	}
	if !b.Take(1, r, zero.Add(100*time.Millisecond)) {
		t.Error("nothing came back")
	}
	if d := b.Wait(10, r, zero.Add(100*time.Millisecond)); d != time.Second {
		t.Errorf("wait %v", d)
	}
	if !b.Take(5, r, zero.Add(time.Hour)) || b.Take(1, r, zero) {
		t.Error("not full after an hour, or a clock that goes back fills it")
	}
}

// TestSite: 5,000 phones behind one address all start at once, nobody known:
// each asks, repeats itself once and answers its challenge.
func TestSiteStartsAtOnce(t *testing.T) {
	g, _ := guard(func(b Ban) { t.Errorf("banned: %+v", b) })
	now := zero
	for phone := range 5_000 {
		for range 2 {
			if v := g.Admit(alice, 800, now); v != Pass {
				t.Fatalf("phone %d: %v", phone, v)
			}
		}
		g.Unproven(alice, fmt.Sprint(phone), now)
	}
	now = now.Add(time.Second)
	g.Authenticated(alice, now)
	for range 5_000 * 61 { // then the lamps
		if v := g.Admit(alice, 1000, now); v != Pass {
			t.Fatal(v)
		}
	}
	for range 2 * unknownMost {
		g.Unproven(alice, "x", now.Add(10*time.Minute))
	}
}

func TestBudgets(t *testing.T) {
	g, _ := guard(nil, "198.51.100.0/24")
	spent := func(a netip.Addr, size int) (n int) {
		for n = 0; n < 500_000 && g.Admit(a, size, zero) == Pass; n++ {
		}
		return n
	}
	if n := spent(alice, 100); n != 20_000 {
		t.Errorf("a stranger had %d messages", n)
	}
	if n := spent(bob, 16_384); n != 2048 {
		t.Errorf("a stranger had %d long messages", n)
	}
	if n := spent(netip.MustParseAddr("198.51.100.7"), 100); n != 500_000 {
		t.Errorf("a trusted address had %d messages", n)
	}
	g.Authenticated(alice, zero)
	if n := spent(alice, 100); n != 400_000 {
		t.Errorf("a known address had %d messages", n)
	}
	if v := g.Admit(alice, 100, zero.Add(knownFor)); v != Pass || g.Known(alice, zero.Add(knownFor)) {
		t.Errorf("%v, or known after a day", v)
	}
}

func TestBehaviour(t *testing.T) {
	late := zero.Add(grace)
	for _, tc := range []struct {
		name string
		do   func(*Guard)
		want string // reason; empty: no ban
	}{
		{"few names, long", func(g *Guard) {
			for i := range 900 {
				g.Unproven(alice, fmt.Sprint(i%10), zero.Add(time.Duration(i)*time.Second))
			}
		}, ""},
		{"many names at once", func(g *Guard) {
			for i := range 200 {
				g.Unproven(alice, fmt.Sprint(i), zero)
			}
		}, ""},
		{"many names, and on it goes", func(g *Guard) {
			for i := range 200 {
				g.Unproven(alice, fmt.Sprint(i), zero)
			}
			g.Unproven(alice, "1", late)
		}, BanNames},
		{"many names over hours", func(g *Guard) {
			for i := range 100 {
				g.Unproven(alice, fmt.Sprint(i), zero.Add(time.Duration(i)*window/10))
			}
		}, ""},
		{"one name, often, long", func(g *Guard) {
			for i := range unknownMost {
				g.Unproven(alice, "1001", zero.Add(time.Duration(i)*time.Second))
			}
		}, BanUnknown},
		{"known", func(g *Guard) {
			g.Authenticated(alice, zero)
			for i := range unknownMost {
				g.Unproven(alice, fmt.Sprint(i), zero.Add(time.Duration(i)*time.Second))
				g.Strange(alice, 100, zero)
				g.Tool(alice, zero)
			}
		}, ""},
		{"broken messages", func(g *Guard) {
			for range strangeMost {
				g.Strange(alice, 1, zero)
			}
		}, BanStrange},
		{"unknown methods", func(g *Guard) {
			for range 10 {
				g.Strange(alice, 10, zero)
			}
		}, BanStrange},
		{"a scanner's name", func(g *Guard) { g.Tool(alice, zero) }, BanTool},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []Ban
			g, bans := guard(func(b Ban) { got = append(got, b) })
			for range 5 {
				g.Admit(alice, 100, zero)
			}
			tc.do(g)
			if tc.want == "" {
				if len(got) > 0 {
					t.Errorf("banned: %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Why != tc.want || got[0].Addr != alice {
				t.Fatalf("bans %+v", got)
			}
			before, after := got[0].Until.Add(-time.Nanosecond), got[0].Until
			if g.Admit(alice, 1, before) != Banned || !g.Holds(alice, before) || g.Admit(bob, 1, before) != Pass {
				t.Error("the ban holds for the wrong address, or not")
			}
			if g.Admit(alice, 1, after) != Pass || g.Holds(alice, after) || bans.Sweep(after) != 0 {
				t.Error("the ban does not end")
			}
		})
	}
}

// TestBanFromElsewhere: another node's ban holds for strangers, not where
// somebody at that address proved who they are, nor for trusted addresses.
func TestBanFromElsewhere(t *testing.T) {
	g, bans := guard(nil, "192.0.2.3/32")
	g.Authenticated(bob, zero)
	carol := netip.MustParseAddr("192.0.2.3")
	for _, a := range []netip.Addr{alice, bob, carol} {
		bans.Add(Ban{Addr: a, Until: zero.Add(time.Minute)})
	}
	for a, want := range map[netip.Addr]Verdict{alice: Banned, bob: Pass, carol: Pass} {
		if v := g.Admit(a, 1, zero); v != want {
			t.Errorf("%v: %v", a, v)
		}
	}
	bans.Lift(alice)
	if g.Admit(alice, 1, zero) != Pass {
		t.Error("lifted, and still there")
	}
}

func TestSitesOfIPv6(t *testing.T) {
	g, _ := guard(nil)
	g.Tool(netip.MustParseAddr("2001:db8::1"), zero)
	if g.Admit(netip.MustParseAddr("2001:db8::ffff"), 1, zero) != Banned || g.Admit(netip.MustParseAddr("2001:db8:0:1::1"), 1, zero) != Pass {
		t.Error("a /64 is not one site")
	}
	if Site(netip.MustParseAddr("::ffff:192.0.2.1")) != alice {
		t.Error("a mapped address is another one")
	}
}

// TestForgedSources: 200,000 addresses, none of which ever proves anything,
// leave no more than the tables hold, and who was known stays known.
func TestForgedSources(t *testing.T) {
	g, bans := guard(nil)
	g.Authenticated(bob, zero)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range uint32(200_000) {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 0x0a000000+i)
		a := netip.AddrFrom4(b)
		now := zero.Add(time.Duration(i) * 50 * time.Microsecond)
		g.Admit(a, 500, now)
		g.Unproven(a, "x", now)
		g.Tool(a, now)
	}
	strangers, known := g.Sizes()
	if strangers > maxStrangers || known != 1 || bans.Sweep(zero) > maxBans {
		t.Errorf("%d strangers, %d known, %d bans", strangers, known, bans.Sweep(zero))
	}
	if grown := int64(heap()) - int64(before); grown > 32<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if g.Admit(bob, 500, zero) != Pass || !g.Known(bob, zero) {
		t.Error("the flood made the guard forget who is known")
	}
	runtime.KeepAlive(g)
}

func TestAllStrangersShareABudget(t *testing.T) {
	g, _ := guard(nil)
	passed := 0
	for i := range uint32(200_000) {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 0x0a000000+i)
		if g.Admit(netip.AddrFrom4(b), 500, zero) == Pass {
			passed++
		}
	}
	if passed != 100_000 {
		t.Errorf("%d strangers passed at once", passed)
	}
}

func TestAdmitDoesNotAllocate(t *testing.T) {
	g, _ := guard(nil, "127.0.0.0/8")
	g.Authenticated(bob, zero)
	g.Admit(alice, 1, zero)
	if n := testing.AllocsPerRun(100, func() { g.Admit(alice, 1, zero); g.Admit(bob, 1, zero) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAdmit(b *testing.B) {
	g, _ := guard(nil)
	now := zero
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		g.Admit(alice, 800, now)
	}
}
