package media

import (
	"time"

	"github.com/pion/rtp"
)

// outgoing is the state of the stream we send (RFC 3550 section 5.1).
type outgoing struct {
	ssrc   uint32
	seq    uint16
	stamp  uint32
	marker bool // the next packet begins a talkspurt (RFC 3551 section 4.1)
	buf    [12 + maxFrame]byte
}

// maxFrame is the sound of the longest packet, 60 ms, in bytes.
const maxFrame = 60 * SampleRate / 1000

// playback is a sound and how far it has been sent.
type playback struct {
	sound Sound
	clip  int // the one in hand
	off   int // bytes of it that have been sent
	done  chan struct{}
}

// frame sends the next packet and tells how long after it the one behind is
// due; 0 when the session is closed. An error of the network is one lost packet.
// The peer on hold gets nothing, but the clock of the stream goes on.
func (s *Session) frame() time.Duration {
	select {
	case <-s.closed:
		return 0
	default:
	}
	s.mu.Lock()
	st, to := s.stream, s.source.to(s.stream)
	n := samples(st.PacketTime)
	sound := s.out.buf[12 : 12+n]
	s.next(sound, st.Codec)
	send := st.Send && to.IsValid()
	stamp := s.out.stamp
	s.out.stamp += uint32(n)
	due := false
	if send {
		s.counts.Sent++
		due = s.reports.sent(stamp, n)
	}
	s.mu.Unlock()
	if !send {
		s.out.marker = true
		return st.PacketTime
	}
	head := rtp.Header{
		Version: 2, Marker: s.out.marker, PayloadType: st.PayloadType,
		SequenceNumber: s.out.seq, Timestamp: stamp, SSRC: s.out.ssrc,
	}
	s.out.seq++
	s.out.marker = false
	if _, err := head.MarshalTo(s.out.buf[:12]); err == nil {
		_, _ = s.sock.conn.WriteToUDPAddrPort(s.out.buf[:12+n], to)
	}
	if due {
		s.report(false)
	}
	return st.PacketTime
}

// next fills b with the sound that follows, silence behind its end. A sound is
// over when its last packet has had its time. s.mu is held.
func (s *Session) next(b []byte, law Codec) {
	if s.sound != nil {
		n := s.sound.read(b, law)
		if n == 0 {
			close(s.sound.done)
			s.sound = nil
		}
		b = b[n:]
	}
	for i := range b {
		b[i] = quiet(law)
	}
}

// read takes the next bytes of the sound; 0 when there are no more.
func (p *playback) read(b []byte, law Codec) (n int) {
	for p.clip < len(p.sound) && n < len(b) {
		clip := p.sound[p.clip].Encoded(law)
		took := copy(b[n:], clip[p.off:])
		n += took
		if p.off += took; p.off == len(clip) {
			p.clip, p.off = p.clip+1, 0
		}
	}
	return n
}
