package media

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/pion/rtp"
)

const (
	maxPacket = 1500 // bytes; longer ones are cut, and then are no RTP of ours
	maxRate   = 500  // packets a second that are looked at; a call has at most 100

	comfortNoise = 13 // payload type of RFC 3389
)

// incoming is the state of the stream we get.
type incoming struct {
	events events
	tones  Tones
	known  bool
	ssrc   uint32
	seq    uint16 // of the last packet of sound
	stamp  uint32 // where the next one should begin
}

// read takes packets until the socket closes.
func (s *Session) read() {
	buf := make([]byte, maxPacket)
	second, count := time.Now(), 0
	for {
		if count++; count > maxRate {
			// More than any call needs: let the kernel drop the rest of it.
			if !s.pause(time.Second - time.Since(second)) {
				return
			}
			count = 0
		}
		if time.Since(second) >= time.Second {
			second, count = time.Now(), 0
		}
		n, from, err := s.sock.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			s.receive(buf[:n], from)
		}
	}
}

// pause waits and tells whether the session goes on.
func (s *Session) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closed:
		return false
	}
}

// receive looks at one packet.
func (s *Session) receive(b []byte, from netip.AddrPort) {
	head, payload, ok := parseRTP(b)
	st, ok := s.accept(&head, ok, from)
	if !ok {
		return
	}
	switch {
	case st.HasEvents && head.PayloadType == st.EventType:
		if key, ok := s.in.events.packet(&head, payload); ok {
			s.keys.Press(ByRTP, key, s.now())
		}
	case head.PayloadType == comfortNoise:
		s.in.tones.Silence(SampleRate)
	case head.PayloadType == uint8(PCMA) && st.PayloadType != uint8(PCMA):
		s.listen(&head, PCMA, payload)
	case head.PayloadType == uint8(PCMU) && st.PayloadType != uint8(PCMU):
		s.listen(&head, PCMU, payload)
	default:
		s.listen(&head, st.Codec, payload)
	}
}

// accept counts a packet and tells whether it is the peer's, and of which
// stream.
func (s *Session) accept(head *rtp.Header, isRTP bool, from netip.AddrPort) (Stream, bool) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stream
	switch {
	case !s.expected(from) || !s.source.belongs(from, st.Remote, s.now()):
		s.counts.Strangers++
	case !isRTP:
		s.counts.Malformed++
	case !st.has(head.PayloadType):
		s.counts.Unknown++
	default:
		s.counts.Packets++
		s.source.heard(from, s.now())
		if !st.HasEvents || head.PayloadType != st.EventType {
			s.reports.got.take(head, uint32(samples(s.now().Sub(s.begun))))
		}
		return st, true
	}
	return st, false
}

// expected tells an address that the peer named, or its SIP comes from. s.mu is
// held.
func (s *Session) expected(from netip.AddrPort) bool {
	if from.Addr() == s.stream.Remote.Addr() {
		return true
	}
	for _, a := range s.trusted {
		if a == from.Addr() {
			return true
		}
	}
	return false
}

// listen looks for keys in sound. A packet that comes late is not put into
// order: a tone spans several.
func (s *Session) listen(head *rtp.Header, law Codec, payload []byte) {
	in := &s.in
	if !in.known || in.ssrc != head.SSRC {
		in.known, in.ssrc, in.seq, in.stamp = true, head.SSRC, head.SequenceNumber-1, head.Timestamp
	}
	step := int16(head.SequenceNumber - in.seq)
	if step <= 0 && step > -100 {
		return
	}
	skipped := int32(head.Timestamp - in.stamp)
	switch {
	case step != 1:
		in.tones.Lost()
	case skipped != 0:
		in.tones.Silence(int(max(skipped, 0)))
	}
	in.seq, in.stamp = head.SequenceNumber, head.Timestamp+uint32(len(payload))
	in.tones.Hear(law, payload, func(k Key) { s.keys.Press(InBand, k, s.now()) })
}

// parseRTP reads a packet (RFC 3550 section 5.1); its padding is taken off.
func parseRTP(b []byte) (head rtp.Header, payload []byte, ok bool) {
	n, err := head.Unmarshal(b)
	if err != nil || head.Version != 2 || n > len(b) {
		return head, nil, false
	}
	payload = b[n:]
	if head.Padding {
		if len(payload) == 0 {
			return head, nil, false
		}
		pad := int(payload[len(payload)-1])
		if pad == 0 || pad > len(payload) {
			return head, nil, false
		}
		payload = payload[:len(payload)-pad]
	}
	return head, payload, true
}
