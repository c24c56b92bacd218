package media

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// phone is the other end: a bare socket.
type phone struct {
	t    *testing.T
	conn *net.UDPConn
}

func newPhone(t *testing.T, ip string) phone {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return phone{t, conn}
}

func (p phone) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p phone) next(within time.Duration) (rtp.Packet, bool) {
	p.t.Helper()
	buf := make([]byte, 2000)
	if err := p.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		p.t.Fatal(err)
	}
	n, err := p.conn.Read(buf)
	if err != nil {
		return rtp.Packet{}, false
	}
	var pkt rtp.Packet
	if err := pkt.Unmarshal(buf[:n]); err != nil {
		p.t.Fatal(err)
	}
	return pkt, true
}

func (p phone) send(to netip.AddrPort, payloadType uint8) {
	p.t.Helper()
	b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: payloadType}, Payload: []byte{1}}).Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.conn.WriteToUDPAddrPort(b, to); err != nil {
		p.t.Fatal(err)
	}
}

func start(t *testing.T, st Stream, trusted ...netip.Addr) (*Session, netip.AddrPort) {
	t.Helper()
	sock := listen(t, testPorts(t, 23100, 23998), loopback)
	s := Start(sock, st, trusted...)
	t.Cleanup(func() { s.Close() })
	return s, netip.AddrPortFrom(loopback, sock.Port())
}

func TestMelodyArrives(t *testing.T) {
	for _, tc := range []struct {
		name   string
		stream Stream
		pcm    []int16
	}{
		{"yes in PCMU", Stream{Codec: PCMU, PayloadType: 0, PacketTime: 20 * time.Millisecond}, Yes()},
		{"no in PCMA", Stream{Codec: PCMA, PayloadType: 8, PacketTime: 20 * time.Millisecond}, No()},
		{"yes in PCMA, dynamic number, 30 ms", Stream{Codec: PCMA, PayloadType: 96, PacketTime: 30 * time.Millisecond}, Yes()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPhone(t, "127.0.0.1")
			st := tc.stream
			st.Remote, st.Send, st.Receive = p.addr(), true, true
			s, from := start(t, st)
			done := make(chan error, 1)
			began := time.Now()
			go func() { done <- s.Play(t.Context(), tc.pcm) }()

			n := samples(st.PacketTime)
			var got []int16
			var first rtp.Packet
			packets := (len(tc.pcm) + n - 1) / n
			for i := range packets {
				pkt, ok := p.next(5 * time.Second)
				if !ok {
					t.Fatalf("packet %d of %d never came", i, packets)
				}
				if i == 0 {
					first = pkt
				}
				want := rtp.Header{
					Version: 2, Marker: i == 0, PayloadType: st.PayloadType, SSRC: first.SSRC,
					SequenceNumber: first.SequenceNumber + uint16(i), Timestamp: first.Timestamp + uint32(i*n),
				}
				if pkt.Marker != want.Marker || pkt.PayloadType != want.PayloadType || pkt.SSRC != want.SSRC ||
					pkt.SequenceNumber != want.SequenceNumber || pkt.Timestamp != want.Timestamp || len(pkt.Payload) != n {
					t.Fatalf("packet %d: %v", i, pkt)
				}
				got = st.Codec.AppendDecoded(got, pkt.Payload)
				// Never early; how late depends on the machine.
				if at := time.Since(began); at < time.Duration(i)*st.PacketTime {
					t.Errorf("packet %d after %v", i, at)
				}
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took < duration(len(tc.pcm)) {
				t.Errorf("Play returned after %v, before the last packet had its time", took)
			}
			want := st.Codec.AppendDecoded(nil, st.Codec.AppendEncoded(nil, tc.pcm))
			if d := cmp.Diff(want, got[:len(want)]); d != "" {
				t.Errorf("another sound arrived: %s", d)
			}
			if pkt, ok := p.next(50 * time.Millisecond); ok {
				t.Errorf("a packet too many from %v: %v", from, pkt)
			}
		})
	}
}

// A second sound goes on in the same RTP stream, later on its clock.
func TestTwoSoundsAreOneStream(t *testing.T) {
	p := newPhone(t, "127.0.0.1")
	s, _ := start(t, Stream{PacketTime: 20 * time.Millisecond, Remote: p.addr(), Send: true})
	var last rtp.Packet
	for i := range 2 {
		if err := s.Play(t.Context(), make([]int16, 320)); err != nil {
			t.Fatal(err)
		}
		for j := range 2 {
			pkt, ok := p.next(5 * time.Second)
			if !ok {
				t.Fatal("a packet is missing")
			}
			if pkt.Marker != (j == 0) {
				t.Errorf("sound %d packet %d: marker %t", i, j, pkt.Marker)
			}
			if i+j > 0 && (pkt.SequenceNumber != last.SequenceNumber+1 || pkt.SSRC != last.SSRC || int32(pkt.Timestamp-last.Timestamp) < 160) {
				t.Errorf("%v follows %v", pkt, last)
			}
			last = pkt
		}
	}
}

func TestPlayEnds(t *testing.T) {
	p := newPhone(t, "127.0.0.1")
	long := make([]int16, 60*SampleRate)
	stream := Stream{PacketTime: 20 * time.Millisecond, Remote: p.addr(), Send: true}
	t.Run("with its context", func(t *testing.T) {
		s, _ := start(t, stream)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Play(ctx, long) }()
		p.next(5 * time.Second)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("with the session", func(t *testing.T) {
		s, _ := start(t, stream)
		done := make(chan error, 1)
		go func() { done <- s.Play(t.Context(), long) }()
		p.next(5 * time.Second)
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if n := s.sock.ports.InUse(); n != 0 {
			t.Errorf("%d ports still in use", n)
		}
	})
}

func TestHoldAndResume(t *testing.T) {
	p := newPhone(t, "127.0.0.1")
	st := Stream{PacketTime: 20 * time.Millisecond, Remote: p.addr()}
	s, _ := start(t, st)
	began := time.Now()
	if err := s.Play(t.Context(), make([]int16, 800)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("on hold a sound takes its time, it took %v", took)
	}
	if pkt, ok := p.next(20 * time.Millisecond); ok {
		t.Errorf("sent on hold: %v", pkt)
	}
	st.Send = true
	s.Update(st)
	if err := s.Play(t.Context(), make([]int16, 160)); err != nil {
		t.Fatal(err)
	}
	if _, ok := p.next(5 * time.Second); !ok {
		t.Error("nothing sent after resume")
	}
}

// A phone behind a NAT names an address nobody can reach; the sound follows its
// first packet.
func TestFollowsThePhoneBehindANAT(t *testing.T) {
	p := newPhone(t, "127.0.0.2")
	st := Stream{PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("127.0.0.9:9"), Send: true, Receive: true}
	s, here := start(t, st, netip.MustParseAddr("::ffff:127.0.0.2"))
	done := make(chan error, 1)
	go func() { done <- s.Play(t.Context(), Yes()) }()
	p.send(here, 0)
	if _, ok := p.next(5 * time.Second); !ok {
		t.Error("nothing came")
	}
	s.Close()
	<-done
}

func TestLatch(t *testing.T) {
	signalled := netip.MustParseAddrPort("192.0.2.7:4000")
	signalling := netip.MustParseAddr("203.0.113.1")
	st := Stream{PacketTime: 20 * time.Millisecond, Remote: signalled, Send: true, HasEvents: true, EventType: 101}
	type packet struct {
		from    string
		payload uint8
		want    string // where packets go afterwards
	}
	for _, tc := range []struct {
		name    string
		packets []packet
	}{
		{"port behind the signalled address", []packet{{"192.0.2.7:5555", 0, "192.0.2.7:5555"}, {"192.0.2.7:6666", 0, "192.0.2.7:5555"}}},
		{"from where the SIP comes", []packet{{"203.0.113.1:9", 101, "203.0.113.1:9"}, {"192.0.2.7:4000", 0, "203.0.113.1:9"}}},
		{"a stranger until the phone speaks", []packet{
			{"198.51.100.5:1", 0, "198.51.100.5:1"},
			{"198.51.100.6:2", 0, "198.51.100.5:1"},
			{"[::ffff:192.0.2.7]:4000", 0, "192.0.2.7:4000"},
			{"198.51.100.5:1", 0, "192.0.2.7:4000"},
		}},
		{"other payload", []packet{{"198.51.100.5:1", 9, "192.0.2.7:4000"}, {"192.0.2.7:5555", 72, "192.0.2.7:4000"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := start(t, st, signalling)
			for i, p := range tc.packets {
				b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: p.payload}}).Marshal()
				if err != nil {
					t.Fatal(err)
				}
				s.receive(b, netip.MustParseAddrPort(p.from))
				if got := s.remote.String(); got != p.want {
					t.Errorf("after packet %d to %s, want %s", i, got, p.want)
				}
			}
		})
	}
	t.Run("junk", func(t *testing.T) {
		s, _ := start(t, st)
		for _, b := range [][]byte{nil, {0x80}, make([]byte, 12), []byte("OPTIONS sip:x SIP/2.0")} {
			s.receive(b, netip.MustParseAddrPort("192.0.2.7:5555"))
		}
		if s.remote != signalled {
			t.Errorf("junk moved the sound to %v", s.remote)
		}
	})
	t.Run("a new address by re-INVITE", func(t *testing.T) {
		s, _ := start(t, st)
		b, err := (&rtp.Packet{Header: rtp.Header{Version: 2}}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		s.receive(b, netip.MustParseAddrPort("192.0.2.7:5555"))
		s.Update(st)
		if got := s.remote.String(); got != "192.0.2.7:5555" {
			t.Errorf("the same description again moved the sound to %s", got)
		}
		moved := st
		moved.Remote = netip.MustParseAddrPort("192.0.2.8:4000")
		s.Update(moved)
		if s.remote != moved.Remote {
			t.Errorf("still to %v", s.remote)
		}
	})
}

// More packets than a call can have are left to the kernel, and Close does not
// wait for them.
func TestFlood(t *testing.T) {
	p := newPhone(t, "127.0.0.1")
	s, here := start(t, Stream{PacketTime: 20 * time.Millisecond, Remote: p.addr(), Send: true})
	for range 3 * maxRate {
		p.send(here, 0)
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Close waits for a flood")
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff})
	f.Add([]byte{0xbf, 0xff, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff})
	f.Fuzz(func(_ *testing.T, b []byte) {
		s := &Session{stream: Stream{PayloadType: 0}}
		s.receive(b, netip.MustParseAddrPort("192.0.2.7:5555"))
	})
}

func BenchmarkFrame(b *testing.B) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s := &Session{
		sock:   &Socket{conn: conn},
		stream: Stream{PacketTime: 20 * time.Millisecond, Send: true}, remote: to,
	}
	pcm, buf := Yes()[:160], make([]byte, 0, maxPacket)
	b.ReportAllocs()
	for b.Loop() {
		s.sendFrame(buf, pcm, 0, false)
	}
}
