package media

import (
	"context"
	"net"
	"time"

	"github.com/pion/rtp"
)

// Play sends a sound of 16-bit samples at SampleRate and returns when its last
// packet has had its time, with ctx's error when ctx ends before, or with
// net.ErrClosed after Close. While the peer is on hold, or its address is not
// known yet, the time passes and nothing is sent. A second sound waits for the
// first.
func (s *Session) Play(ctx context.Context, pcm []int16) error {
	s.playing.Lock()
	defer s.playing.Unlock()
	// Each packet has its time counted from the start, so that a late timer
	// delays one packet and not all that follow.
	start := time.Now()
	first := s.baseTS + uint32(samples(start.Sub(s.began)))
	timer := time.NewTimer(0)
	defer timer.Stop()
	buf := make([]byte, 0, maxPacket)
	for sent := 0; ; {
		timer.Reset(time.Until(start.Add(duration(sent))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.closed:
			return net.ErrClosed
		}
		if sent >= len(pcm) {
			return nil
		}
		n := s.sendFrame(buf, pcm[sent:], first+uint32(sent), sent == 0)
		sent += n
	}
}

// sendFrame sends the next packet's worth of pcm and tells how many samples
// that were; the last packet is filled with silence. An error of the network is
// one lost packet.
func (s *Session) sendFrame(buf []byte, pcm []int16, ts uint32, marker bool) int {
	s.mu.Lock()
	st, to := s.stream, s.remote
	s.mu.Unlock()
	n := samples(st.PacketTime)
	if !st.Send || !to.IsValid() {
		return n
	}
	frame := pcm[:min(n, len(pcm))]
	head := rtp.Header{
		Version: 2, Marker: marker, PayloadType: st.PayloadType,
		SequenceNumber: s.seq, Timestamp: ts, SSRC: s.ssrc,
	}
	s.seq++
	size, err := head.MarshalTo(buf[:maxPacket])
	if err != nil {
		return n
	}
	buf = st.Codec.AppendEncoded(buf[:size], frame)
	for range n - len(frame) {
		buf = st.Codec.AppendEncoded(buf, []int16{0})
	}
	_, _ = s.sock.conn.WriteToUDPAddrPort(buf, to)
	return n
}

// samples is how many fit into d.
func samples(d time.Duration) int { return int(d * SampleRate / time.Second) }

// duration is how long n samples last.
func duration(n int) time.Duration { return time.Duration(n) * time.Second / SampleRate }
