package sim

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

// fleetOf switches on n idle Yealink phones against s.
func fleetOf(tb testing.TB, s *server, n int) (*Fleet, func()) {
	tb.Helper()
	first := directory.MAC{0x00, 0x15, 0x65, 0x00, 0xff, 0xf0}
	mac := first
	s.set(func() {
		s.httpUser = ""
		for range n {
			s.files[mac.String()+".cfg"] = yealinkFile(s, mac.String(), mac.String(), "pw", "Desk")
			s.passwords[mac.String()] = "pw"
			mac = NextMAC(mac)
		}
	})
	f, err := NewFleet(FleetOptions{Count: n, First: first, Jitter: time.Millisecond, Phone: func(_ int, o Options) Options {
		o.Brand, o.BaseURL, o.LocalIP = Yealink, s.http.URL, netip.MustParseAddr("127.0.0.1")
		o.T1, o.Retry = 500*time.Millisecond, time.Second
		return o
	}})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	return f, func() {
		stop()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	}
}

func TestFleet(t *testing.T) {
	s := newServer(t)
	f, stop := fleetOf(t, s, 40)
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, p := range f.Phones() {
		if err := p.Await(ctx, func(st State) bool { return st.Registered && userOf(st.AOR) == p.MAC() }); err != nil {
			t.Fatalf("%s: %v %+v", p.MAC(), err, p.State())
		}
	}
	if got := f.Phones()[39].MAC(); got != "001565010017" {
		t.Errorf("last MAC %s", got)
	}
	if err := f.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	s.set(func() {
		if len(s.contacts) != 0 {
			t.Errorf("%d contacts left", len(s.contacts))
		}
	})
}

func TestFleetRefusesNonsense(t *testing.T) {
	bad := []FleetOptions{
		{Count: 0, Phone: func(_ int, o Options) Options { return o }},
		{Count: 1},
		{Count: 1, First: testMAC, Phone: func(_ int, o Options) Options { return o }},
		{Count: 2, First: directory.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, Phone: func(_ int, o Options) Options {
			o.Brand, o.BaseURL = Snom, "http://a/"
			return o
		}},
	}
	for i, o := range bad {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if _, err := NewFleet(o); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	r := request{method: "REGISTER", uri: "sip:acme.test", from: "<sip:1@a>;tag=1", to: "<sip:1@a>", callID: "c", cseq: 1, contact: "<sip:1@b>"}
	local := netip.MustParseAddrPort("127.0.0.1:5060")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = io.Discard.Write(r.encode("udp", local, "z9hG4bK1", "agent"))
	}
}

func BenchmarkYealinkFile(b *testing.B) {
	s := &server{addr: netip.MustParseAddrPort("127.0.0.1:5060")}
	file := []byte(yealinkFile(s, "1001", "a", "pw", "Ada", "1", "2", "3", "4", "5", "6", "7", "8", "9"))
	b.ReportAllocs()
	for b.Loop() {
		all := settings{}
		if _, err := parseYealink(file, all); err != nil || len(yealinkConfig(all).keys) != 9 {
			b.Fatal(err)
		}
	}
}
