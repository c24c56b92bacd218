package front

import (
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"perch/internal/ratelimit"
)

// TestForgedSources: 200,000 forged sources, each with a datagram that looks
// like the first of a phone, leave little behind and little of them reaches the
// stack; a known site still does.
func TestForgedSources(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0)
	guard := ratelimit.NewGuard(nil, ratelimit.DefaultBudgets(), ratelimit.NewBans(), nil)
	s := NewSocket(conn, NewDoor(DoorOptions{Guard: guard, Now: func() time.Time { return now }}), nil)
	defer s.Close() //nolint:errcheck // a test's
	site := netip.MustParseAddrPort("192.0.2.1:5060")
	guard.Authenticated(site.Addr(), now)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, passed := heap(), 0
	msg := []byte(whole)
	for i := range uint32(200_000) {
		now = now.Add(10 * time.Microsecond) // two seconds in all
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 0x0a000000+i)
		if s.look(msg, netip.AddrPortFrom(netip.AddrFrom4(b), 5060)) > 0 {
			passed++
		}
		if i%100 == 0 && s.look(msg, site) == 0 {
			t.Fatal("the known site is shut out")
		}
	}
	if grown := heap() - before; grown > 24<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if passed > 150_000 {
		t.Errorf("%d strangers passed", passed)
	}
	runtime.KeepAlive(guard)
}
