package media

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// TestReports: at the end of a call its last report comes from the port above,
// to the port above, with a BYE.
func TestReports(t *testing.T) {
	var p phone
	var control *net.UDPConn
	for control == nil { // a pair of ports
		p = newPhone(t, "127.0.0.1")
		control, _ = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, p.addr().Port()+1)))
	}
	defer control.Close()
	s, here := start(t, Stream{PacketTime: 20 * time.Millisecond, Remote: p.addr(), Send: true, Receive: true})
	for i := range 5 {
		if i == 2 {
			continue // lost
		}
		if _, err := p.conn.WriteToUDPAddrPort(packetOf(t, rtp.Header{SSRC: 7, SequenceNumber: 65534 + uint16(i), Timestamp: uint32(160 * i)}, 0xff), here); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		if _, ok := p.next(20 * time.Second); !ok {
			t.Fatal("no sound")
		}
	}
	for s.Counts().Packets < 4 {
		p.next(20 * time.Second)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	_ = control.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, from, err := control.ReadFromUDPAddrPort(buf)
	if err != nil || from.Port() != here.Port()+1 {
		t.Fatalf("from %v: %v", from, err)
	}
	all, err := rtcp.Unmarshal(buf[:n])
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	sr, ok := all[0].(*rtcp.SenderReport)
	if !ok || sr.PacketCount < 10 || sr.OctetCount != 160*sr.PacketCount || len(sr.Reports) != 1 {
		t.Fatalf("%+v", all[0])
	}
	got := sr.Reports[0]
	got.Jitter = 0
	if d := cmp.Diff(rtcp.ReceptionReport{SSRC: 7, FractionLost: 51, TotalLost: 1, LastSequenceNumber: 65538}, got); d != "" {
		t.Error(d)
	}
	if bye, ok := all[2].(*rtcp.Goodbye); !ok || !cmp.Equal(bye.Sources, []uint32{sr.SSRC}) {
		t.Errorf("%+v", all[2])
	}
}

// TestJitter: the example of evenly late packets has none, of uneven ones it has
// (RFC 3550 appendix A.8).
func TestJitter(t *testing.T) {
	var even, uneven reception
	for i := range 200 {
		h := &rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(160 * i)}
		even.take(h, uint32(160*i+4000))
		uneven.take(h, uint32(160*i+80*(i%2)))
	}
	if e, u := even.report()[0].Jitter, uneven.report()[0].Jitter; e != 0 || u < 75 || u > 80 {
		t.Errorf("even %d, uneven %d", e, u)
	}
	if d := cmp.Diff([]rtcp.ReceptionReport(nil), (&reception{}).report()); d != "" {
		t.Error(d)
	}
}

func TestNTP(t *testing.T) {
	if got := ntp(time.Unix(0, 500_000_000)); got != 2_208_988_800<<32|1<<31 {
		t.Errorf("%x", got)
	}
}

// TestReportIsDue: every five seconds of sound.
func TestReportIsDue(t *testing.T) {
	r, n := newReports(), 0
	for i := range 1000 {
		if r.sent(uint32(160*i), 160) {
			n++
		}
	}
	if n != 4 {
		t.Errorf("%d reports in 20 s", n)
	}
}
