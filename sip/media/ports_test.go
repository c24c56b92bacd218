package media

import (
	"errors"
	"net/netip"
	"sync"
	"testing"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// testPorts is a range that other tests and programs hardly use.
func testPorts(t testing.TB, first, last uint16) *Ports {
	t.Helper()
	p, err := NewPorts(first, last)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func listen(t *testing.T, p *Ports, local netip.Addr) *Socket {
	t.Helper()
	s, err := p.Listen(local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPortsRange(t *testing.T) {
	for _, tc := range []struct {
		first, last uint16
		count       int
	}{{20000, 20999, 500}, {20001, 20002, 1}, {20001, 20001, 0}, {20000, 20000, 1}, {20002, 20000, 0}, {0, 100, 0}, {65535, 65535, 0}, {65534, 65535, 1}} {
		p, err := NewPorts(tc.first, tc.last)
		if (err == nil) != (tc.count > 0) || err == nil && p.count != tc.count {
			t.Errorf("%d-%d: %+v, %v", tc.first, tc.last, p, err)
		}
	}
}

func TestPortsRunOut(t *testing.T) {
	p := testPorts(t, 23001, 23008) // 23002, 23004, 23006, 23008
	// Another pool stands for another program that holds a port of the range.
	listen(t, testPorts(t, 23004, 23004), loopback)
	var wg sync.WaitGroup
	got := make(chan *Socket, 10)
	for range 10 {
		wg.Go(func() {
			s, err := p.Listen(loopback)
			if errors.Is(err, ErrNoPort) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			got <- s
		})
	}
	wg.Wait()
	close(got)
	seen := map[uint16]bool{}
	for s := range got {
		if s.Port()%2 != 0 || s.Port() < 23002 || s.Port() > 23008 || s.Port() == 23004 || seen[s.Port()] {
			t.Errorf("port %d", s.Port())
		}
		seen[s.Port()] = true
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 3 || p.InUse() != 0 {
		t.Errorf("%d ports given out, %d still in use", len(seen), p.InUse())
	}
	listen(t, p, loopback) // a port given back is given out again
}

func TestPortsAtAForeignAddress(t *testing.T) {
	p := testPorts(t, 23010, 23020)
	if _, err := p.Listen(netip.MustParseAddr("192.0.2.1")); err == nil || errors.Is(err, ErrNoPort) {
		t.Errorf("listening at an address that is not ours: %v", err)
	}
	if p.InUse() != 0 {
		t.Error("a port stayed taken")
	}
}
