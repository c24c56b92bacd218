package media

import (
	"bytes"
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
	s := Start(sock, st, Options{Pacer: pacer(t), Keys: NewKeypad(), Trusted: trusted})
	s.Speak()
	t.Cleanup(func() { s.Close() })
	return s, netip.AddrPortFrom(loopback, sock.Port())
}

func pacer(t testing.TB) *Pacer {
	p := NewPacer()
	t.Cleanup(p.Wait)
	return p
}

// hears reads until the sound has come, and gives every packet's header.
func (p phone) hears(law Codec, want []byte) (heads []rtp.Header) {
	p.t.Helper()
	var heard []byte
	for !bytes.Contains(heard, want) {
		pkt, ok := p.next(20 * time.Second)
		if !ok || len(heads) > 6000 {
			p.t.Fatalf("the %d bytes of the sound are not in the %d packets that came", len(want), len(heads))
		}
		if law.payload() == pkt.PayloadType || pkt.PayloadType >= 96 {
			heard = append(heard, pkt.Payload...)
		}
		heads = append(heads, pkt.Header)
	}
	return heads
}

func (c Codec) payload() uint8 { return uint8(c) }

func TestSoundArrives(t *testing.T) {
	for _, tc := range []struct {
		name   string
		stream Stream
		sound  Sound
	}{
		{"yes in PCMU", Stream{Codec: PCMU, PayloadType: 0, PacketTime: 20 * time.Millisecond}, Sound{NewClip(Yes())}},
		{"no in PCMA", Stream{Codec: PCMA, PayloadType: 8, PacketTime: 20 * time.Millisecond}, Sound{NewClip(No())}},
		{"clips of odd lengths", Stream{Codec: PCMU, PayloadType: 0, PacketTime: 20 * time.Millisecond}, Sound{NewClip(Yes()[:777]), NewClip(nil), NewClip(Yes()[777:790]), NewClip(No()[:2001])}},
		{"dynamic number, 30 ms", Stream{Codec: PCMA, PayloadType: 96, PacketTime: 30 * time.Millisecond}, Sound{NewClip(Yes())}},
		{"10 ms", Stream{Codec: PCMU, PayloadType: 0, PacketTime: 10 * time.Millisecond}, Sound{NewClip(Yes())}},
		{"60 ms", Stream{Codec: PCMU, PayloadType: 0, PacketTime: 60 * time.Millisecond}, Sound{NewClip(Yes())}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPhone(t, "127.0.0.1")
			st := tc.stream
			st.Remote, st.Send, st.Receive = p.addr(), true, true
			s, _ := start(t, st)
			done := make(chan error, 1)
			began := time.Now()
			go func() { done <- s.Play(t.Context(), tc.sound) }()
			heads := p.hears(st.Codec, tc.sound.Encoded(st.Codec))
			if err := <-done; err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took < tc.sound.Duration() {
				t.Errorf("Play returned after %v, before the last packet had its time", took)
			}
			for i, h := range heads {
				n := samples(st.PacketTime)
				if h.Marker != (i == 0) || h.PayloadType != st.PayloadType || h.SSRC != heads[0].SSRC ||
					h.SequenceNumber != heads[0].SequenceNumber+uint16(i) || h.Timestamp != heads[0].Timestamp+uint32(i*n) {
					t.Fatalf("packet %d: %v, the first was %v", i, h, heads[0])
				}
			}
		})
	}
}

// TestNoGapBetweenSounds: there is a packet every 20 ms from the start of the
// session to its end, of sound or of silence, one stream.
func TestNoGapBetweenSounds(t *testing.T) {
	p := newPhone(t, "127.0.0.1")
	s, _ := start(t, Stream{PacketTime: 20 * time.Millisecond, Remote: p.addr(), Send: true})
	clip := NewClip(Yes()[480:1120])
	var last rtp.Header
	for i := range 3 {
		if err := s.Play(t.Context(), Sound{clip}); err != nil {
			t.Fatal(err)
		}
		for j, h := range p.hears(PCMU, clip.Encoded(PCMU)) {
			if i+j > 0 && (h.Marker || h.SequenceNumber != last.SequenceNumber+1 || h.Timestamp != last.Timestamp+160) {
				t.Errorf("%v follows %v", h, last)
			}
			last = h
		}
	}
}

func TestPlayEnds(t *testing.T) {
	p := newPhone(t, "127.0.0.1")
	long := Sound{NewClip(make([]int16, 60*SampleRate))}
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
	if err := s.Play(t.Context(), Sound{NewClip(make([]int16, 800))}); err != nil {
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
	pkt, ok := p.next(20 * time.Second)
	if !ok || !pkt.Marker {
		t.Errorf("after resume: %v, %v", pkt, ok)
	}
}

// A phone behind a NAT names an address nobody can reach; the sound follows its
// first packet.
func TestFollowsThePhoneBehindANAT(t *testing.T) {
	p := newPhone(t, "127.0.0.2")
	st := Stream{PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort("127.0.0.9:9"), Send: true, Receive: true}
	_, here := start(t, st, netip.MustParseAddr("::ffff:127.0.0.2"))
	p.send(here, 0)
	if _, ok := p.next(20 * time.Second); !ok {
		t.Error("nothing came")
	}
}

// TestSource: where packets go after some came. Strangers never matter.
func TestSource(t *testing.T) {
	const described = "192.0.2.7:4000"
	st := Stream{Codec: PCMU, PacketTime: 20 * time.Millisecond, Remote: netip.MustParseAddrPort(described), Send: true, HasEvents: true, EventType: 101}
	type packet struct {
		after   time.Duration
		from    string
		payload uint8
		want    string
	}
	for _, tc := range []struct {
		name    string
		packets []packet
		counts  Counts
	}{
		{"another port at the address described", []packet{{0, "192.0.2.7:5555", 0, "192.0.2.7:5555"}, {0, "192.0.2.7:6666", 0, "192.0.2.7:5555"}}, Counts{Packets: 1, Strangers: 1}},
		{"from where the SIP comes", []packet{{0, "203.0.113.1:9", 101, "203.0.113.1:9"}, {0, "203.0.113.1:10", 0, "203.0.113.1:9"}}, Counts{Packets: 1, Strangers: 1}},
		{"the description is right after all", []packet{{0, "192.0.2.7:5555", 0, "192.0.2.7:5555"}, {0, "[::ffff:192.0.2.7]:4000", 0, described}, {0, "192.0.2.7:5555", 0, described}}, Counts{Packets: 2, Strangers: 1}},
		{"strangers", []packet{{0, "198.51.100.5:1", 0, described}, {0, "198.51.100.6:4000", 101, described}, {9 * time.Second, "198.51.100.5:1", 0, described}}, Counts{Strangers: 3}},
		{"the NAT gives another port", []packet{{0, "203.0.113.1:9", 0, "203.0.113.1:9"}, {3 * time.Second, "203.0.113.1:10", 0, "203.0.113.1:10"}}, Counts{Packets: 2}},
		{"other payload types", []packet{{0, "192.0.2.7:5555", 9, described}, {0, "192.0.2.7:5555", 72, described}}, Counts{Unknown: 2}},
		{"comfort noise and the other law", []packet{{0, described, 13, described}, {0, described, 8, described}}, Counts{Packets: 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, clock := quietSession(st, netip.MustParseAddr("203.0.113.1"))
			for i, p := range tc.packets {
				*clock = clock.Add(p.after)
				s.receive(packetOf(t, rtp.Header{PayloadType: p.payload}, 1), netip.MustParseAddrPort(p.from))
				if got := s.source.to(s.stream).String(); got != p.want {
					t.Errorf("after packet %d to %s, want %s", i, got, p.want)
				}
			}
			if d := cmp.Diff(tc.counts, s.Counts()); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("junk", func(t *testing.T) {
		s, _ := quietSession(st)
		for _, b := range [][]byte{nil, {0x80}, make([]byte, 12), []byte("OPTIONS sip:x SIP/2.0"), {0xa0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, {0xa0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9}} {
			s.receive(b, netip.MustParseAddrPort("192.0.2.7:5555"))
		}
		if got := s.source.to(s.stream).String(); got != described || s.Counts().Malformed != 6 {
			t.Errorf("junk moved the sound to %s; %+v", got, s.Counts())
		}
	})
	t.Run("a new address by re-INVITE", func(t *testing.T) {
		s, _ := quietSession(st)
		s.receive(packetOf(t, rtp.Header{}, 1), netip.MustParseAddrPort("192.0.2.7:5555"))
		s.Update(st)
		if got := s.source.to(s.stream).String(); got != "192.0.2.7:5555" {
			t.Errorf("the same description again moved the sound to %s", got)
		}
		moved := st
		moved.Remote = netip.MustParseAddrPort("192.0.2.8:4000")
		s.Update(moved)
		if got := s.source.to(s.stream); got != moved.Remote {
			t.Errorf("still to %v", got)
		}
	})
}

// quietSession is one without socket and sender, and its clock.
func quietSession(st Stream, trusted ...netip.Addr) (*Session, *time.Time) {
	clock := time.Unix(1_000_000, 0)
	s := &Session{keys: NewKeypad(), now: func() time.Time { return clock }, trusted: trusted, stream: st, closed: make(chan struct{})}
	return s, &clock
}

func packetOf(t testing.TB, h rtp.Header, payload ...byte) []byte {
	t.Helper()
	h.Version = 2
	b, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTonesInPackets: keys in sound whose packets come late, twice or never, or
// that leaves silence out.
func TestTonesInPackets(t *testing.T) {
	from := netip.MustParseAddrPort("192.0.2.7:5555")
	var pcm []int16
	for _, k := range []byte("5512") {
		pcm = append(pcm, tone{key: k, on: 80 * time.Millisecond, off: 100 * time.Millisecond, level: 15}.samples(nil)...)
	}
	var all [][]byte // nine packets for each key: four of tone, five of silence
	for i := range len(pcm) / 160 {
		h := rtp.Header{SSRC: 9, SequenceNumber: uint16(65530 + i), Timestamp: uint32(0xffffff00 + 160*i)}
		all = append(all, packetOf(t, h, PCMU.AppendEncoded(nil, pcm[160*i:160*(i+1)])...))
	}
	for _, tc := range []struct {
		name string
		send func(send func(i int))
		want string
	}{
		{"in order", func(send func(int)) {
			for i := range all {
				send(i)
			}
		}, "5512"},
		{"each twice", func(send func(int)) {
			for i := range all {
				send(i)
				send(i)
			}
		}, "5512"},
		{"one of the silence lost, now and then", func(send func(int)) {
			for i := range all {
				if i%9 != 6 {
					send(i)
				}
			}
		}, "5512"},
		{"the silence late", func(send func(int)) {
			for i := range all {
				switch i % 9 {
				case 6:
					send(i + 1)
				case 7:
					send(i - 1)
				default:
					send(i)
				}
			}
		}, "5512"},
		{"an old one again and again", func(send func(int)) {
			for i := range all {
				send(i)
				send(0)
			}
		}, "5512"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, clock := quietSession(Stream{Codec: PCMU, Remote: from})
			tc.send(func(i int) {
				*clock = clock.Add(20 * time.Millisecond)
				s.receive(all[i], from)
			})
			if got := typed(s.keys); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	for name, noise := range map[string]bool{"silence is left out": false, "comfort noise stands for silence": true} {
		t.Run(name, func(t *testing.T) {
			s, _ := quietSession(Stream{Codec: PCMU, Remote: from})
			seq := uint16(0)
			for i := range all {
				h := rtp.Header{SSRC: 9, Timestamp: uint32(160 * i)}
				switch {
				case i%9 < 4:
				case i%9 == 4 && noise:
					h.PayloadType = comfortNoise
				default:
					continue
				}
				seq++
				h.SequenceNumber = seq
				payload := PCMU.AppendEncoded(nil, pcm[160*i:160*(i+1)])
				if h.PayloadType == comfortNoise {
					payload = []byte{60}
				}
				s.receive(packetOf(t, h, payload...), from)
			}
			if got := typed(s.keys); got != "5512" {
				t.Errorf("%q", got)
			}
		})
	}
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
	case <-time.After(20 * time.Second):
		t.Fatal("Close waits for a flood")
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff}, []byte{0x80, 101, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5, 0x80, 1, 1})
	f.Add([]byte{0xbf, 0xff, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff}, []byte{0x80, 0xe5, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5})
	f.Add([]byte{0xa0, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 2}, []byte{0x80, 13, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		s, _ := quietSession(Stream{Codec: PCMU, HasEvents: true, EventType: 101, Remote: netip.MustParseAddrPort("192.0.2.7:5555")})
		for _, p := range [][]byte{a, b, a} {
			s.receive(p, netip.MustParseAddrPort("192.0.2.7:5555"))
		}
		if n := len(s.keys.keys); n > 3 {
			t.Errorf("%d keys of three packets", n)
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	s, _ := quietSession(Stream{PacketTime: 20 * time.Millisecond, Send: true, Remote: conn.LocalAddr().(*net.UDPAddr).AddrPort()})
	s.sock = &Socket{conn: conn}
	clip := NewClip(Yes())
	b.ReportAllocs()
	for b.Loop() {
		if s.sound == nil {
			s.sound = &playback{sound: Sound{clip}, done: make(chan struct{})}
		}
		s.frame()
	}
}

func BenchmarkReceive(b *testing.B) {
	from := netip.MustParseAddrPort("192.0.2.7:5555")
	s, _ := quietSession(Stream{Codec: PCMU, Remote: from})
	h := rtp.Header{}
	sound := NewClip(Yes()).Encoded(PCMU)[1600:1760]
	b.ReportAllocs()
	for b.Loop() {
		h.SequenceNumber++
		h.Timestamp += 160
		s.receive(packetOf(b, h, sound...), from)
	}
}
