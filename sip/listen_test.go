package sip

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func TestParseListen(t *testing.T) {
	for in, want := range map[string]string{
		"udp://0.0.0.0:5060": "udp://0.0.0.0:5060", "tcp://[::]:5060": "tcp://[::]:5060", "udp://*:5060": "udp://[::]:5060",
		"udp://:5060": "udp://[::]:5060", "tls://192.0.2.1:5061": "tls://192.0.2.1:5061", "wss://*:443": "wss://[::]:443", "tcp://[::ffff:192.0.2.1]:1": "tcp://192.0.2.1:1",
	} {
		tp, a, err := ParseListen(in)
		if got := (Address{tp, a}).String(); err != nil || got != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "5060", "udp:5060", "sctp://a:1", "dtls://0.0.0.0:5061", "udp://name:5060", "udp://192.0.2.1", "udp://192.0.2.1:99999"} {
		if _, _, err := ParseListen(in); err == nil {
			t.Errorf("%q was read", in)
		}
	}
}

// TestWildcard: one socket for each local address, all at one port, none of
// them link-local or the wildcard itself.
func TestWildcard(t *testing.T) {
	sockets, err := openAll([]string{"udp://0.0.0.0:0", "tcp://0.0.0.0:0"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	port := map[string]uint16{}
	seen := map[string]bool{}
	for _, s := range sockets {
		defer s.close()
		if p, ok := port[s.Transport]; ok && p != s.Addr.Port() {
			t.Errorf("%s is at another port than %d", s.Address, p)
		}
		port[s.Transport] = s.Addr.Port()
		seen[s.Transport+s.Addr.Addr().String()] = true
		if a := s.Addr.Addr(); a.IsUnspecified() || a.IsLinkLocalUnicast() || s.Addr.Port() == 0 {
			t.Error(s.Address)
		}
	}
	if !seen["udp127.0.0.1"] || !seen["tcp127.0.0.1"] {
		t.Error("loopback is missing", seen)
	}
}

func TestOpenAllOrNone(t *testing.T) {
	first, err := open("udp", netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	free, err := open("tcp", netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	free.close()
	log := slog.New(slog.DiscardHandler)
	if _, err := openAll([]string{"tcp://" + free.Addr.String(), "udp://" + first.Addr.String()}, log); err == nil || !strings.Contains(err.Error(), first.Addr.String()) {
		t.Fatalf("a taken port gave %v", err)
	}
	again, err := openAll([]string{"tcp://" + free.Addr.String()}, log)
	if err != nil {
		t.Fatalf("a failed start left a listener open: %v", err)
	}
	for _, s := range again {
		s.close()
	}
}

func TestAdvertised(t *testing.T) {
	for in, want := range map[string]string{"": "", "sip.acme.test": "sip.acme.test:5060", "192.0.2.1:5080": "192.0.2.1:5080", "[2001:db8::1]": "[2001:db8::1]:5060"} {
		if got := advertised(in, 5060); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
