package media

import (
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// TestPacerCatchesUp: packets that the machine was late for are sent all the
// same, none twice, and the clock of the stream does not drift from the wall's.
func TestPacerCatchesUp(t *testing.T) {
	p := newPhone(t, "127.0.0.1")
	begun := time.Now()
	start(t, Stream{PacketTime: 20 * time.Millisecond, Remote: p.addr(), Send: true})
	first, ok := p.next(20 * time.Second)
	if !ok {
		t.Fatal("no packet")
	}
	last := first
	for i := range 60 {
		if last, ok = p.next(20 * time.Second); !ok || last.SequenceNumber != first.SequenceNumber+uint16(i)+1 {
			t.Fatalf("packet %d: %v, %v", i, last.Header, ok)
		}
	}
	if took, sound := time.Since(begun), duration(int(last.Timestamp-first.Timestamp)); took < sound {
		t.Errorf("%v of sound within %v: too fast", sound, took)
	}
}

// crowd is many calls whose phones only count.
type crowd struct {
	pacer    *Pacer
	sessions []*Session
	conn     *net.UDPConn
	heard    sync.WaitGroup
	gaps     map[uint32][]time.Duration
	lost     int
}

func newCrowd(tb testing.TB, n int) *crowd {
	tb.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	_ = conn.SetReadBuffer(4 << 20)
	c := &crowd{pacer: NewPacer(), conn: conn, gaps: map[uint32][]time.Duration{}}
	c.heard.Go(c.count)
	ports := testPorts(tb, 24000, 25998)
	for range n {
		sock, err := ports.Listen(loopback)
		if err != nil {
			tb.Fatal(err)
		}
		st := Stream{PacketTime: 20 * time.Millisecond, Send: true, Receive: true, Remote: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
		s := Start(sock, st, Options{Pacer: c.pacer, Keys: NewKeypad()})
		s.Speak()
		c.sessions = append(c.sessions, s)
	}
	return c
}

// count notes what time passed between the packets of each stream.
func (c *crowd) count() {
	type seen struct {
		at  time.Time
		seq uint16
	}
	last := map[uint32]seen{}
	buf := make([]byte, 2000)
	for {
		n, _, err := c.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		var h rtp.Header
		if _, err := h.Unmarshal(buf[:n]); err != nil {
			continue
		}
		now := time.Now()
		if was, ok := last[h.SSRC]; ok {
			c.gaps[h.SSRC] = append(c.gaps[h.SSRC], now.Sub(was.at))
			c.lost += int(h.SequenceNumber-was.seq) - 1
		}
		last[h.SSRC] = seen{now, h.SequenceNumber}
	}
}

func (c *crowd) close() {
	for _, s := range c.sessions {
		_ = s.Close()
	}
	c.pacer.Wait()
	_ = c.conn.Close()
	c.heard.Wait()
}

// TestManySessions: 200 calls at once, of which none loses a packet.
func TestManySessions(t *testing.T) {
	c := newCrowd(t, 200)
	clip := NewClip(Yes())
	var playing sync.WaitGroup
	for _, s := range c.sessions {
		playing.Go(func() {
			if err := s.Play(t.Context(), Sound{clip, clip}); err != nil {
				t.Error(err)
			}
		})
	}
	playing.Wait()
	late := c.pacer.Latest()
	c.close()
	var worst time.Duration
	for ssrc, gaps := range c.gaps {
		if len(gaps) < 80 {
			t.Errorf("stream %x has %d packets", ssrc, len(gaps))
		}
		for _, g := range gaps {
			worst = max(worst, g)
		}
	}
	if len(c.gaps) != 200 || c.lost != 0 {
		t.Errorf("%d streams, %d packets lost", len(c.gaps), c.lost)
	}
	t.Logf("200 streams: longest time between two packets %v; the pacer was at most %v late", worst, late)
}

// BenchmarkPacer is 200 calls that hear and are heard: what share of one core
// sender, sockets and ears take, and how late the latest packet was. The other
// ends are part of it, as they run here too.
func BenchmarkPacer(b *testing.B) {
	for b.Loop() {
		c := newCrowd(b, 200)
		clip := NewClip(make([]int16, 3*SampleRate))
		begun, before := time.Now(), cpuTime(b)
		var playing sync.WaitGroup
		for _, s := range c.sessions {
			playing.Go(func() { _ = s.Play(b.Context(), Sound{clip}) })
		}
		playing.Wait()
		b.ReportMetric(100*float64(cpuTime(b)-before)/float64(time.Since(begun)), "%core")
		b.ReportMetric(float64(c.pacer.Latest().Microseconds())/1000, "ms-late")
		c.close()
		if c.lost > 0 {
			b.Errorf("%d packets lost", c.lost)
		}
	}
}

// cpuTime is what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
