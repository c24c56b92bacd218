package media

import (
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// reportEvery is how often a session tells what it sent and got (RFC 3550
// section 6.2), in samples of what it sent: 5 seconds.
const reportEvery = 5 * SampleRate

// reports is what the RTCP of a session is made of (RFC 3550 section 6). It is
// told by the sender and the reader, and sent to the port above that of the
// peer's RTP. What the peer reports is not read: nothing here would use it.
type reports struct {
	name    string // CNAME: random, of this session (RFC 7022 section 4.2)
	octets  uint32
	packets uint32
	stamp   uint32 // of the packet sent last
	since   int    // samples sent since the last report
	got     reception
}

func newReports() reports {
	b := binary.BigEndian.AppendUint64(nil, rand.Uint64())
	return reports{name: base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, rand.Uint32()))}
}

// sent counts a packet and tells whether a report is due.
func (r *reports) sent(stamp uint32, n int) (due bool) {
	r.packets++
	r.octets += uint32(n)
	r.stamp = stamp
	if r.since += n; r.since < reportEvery {
		return false
	}
	r.since = 0
	return true
}

// packet builds a compound packet: what was sent, if anything, what was got,
// who says so, and whether that is the end (RFC 3550 section 6.1).
func (r *reports) packet(ssrc uint32, now time.Time, bye bool) ([]byte, error) {
	got := r.got.report()
	var first rtcp.Packet = &rtcp.ReceiverReport{SSRC: ssrc, Reports: got}
	if r.packets > 0 {
		first = &rtcp.SenderReport{
			SSRC: ssrc, NTPTime: ntp(now), RTPTime: r.stamp,
			PacketCount: r.packets, OctetCount: r.octets, Reports: got,
		}
	}
	all := []rtcp.Packet{first, rtcp.NewCNAMESourceDescription(ssrc, r.name)}
	if bye {
		all = append(all, &rtcp.Goodbye{Sources: []uint32{ssrc}})
	}
	return rtcp.Marshal(all)
}

// ntp is a time as RFC 3550 section 4 has it: seconds since 1900 and their
// fraction, 32 bits each.
func ntp(t time.Time) uint64 {
	const since1900 = 2_208_988_800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// reception is what was got of one source (RFC 3550 appendices A.1, A.3, A.8).
type reception struct {
	known    bool
	ssrc     uint32
	first    uint32 // sequence number
	highest  uint32 // with the count of its turns above
	received uint32
	expected uint32 // at the last report
	had      uint32 // received at the last report
	transit  uint32
	jitter   float64
}

// take counts a packet of sound.
func (r *reception) take(h *rtp.Header, arrival uint32) {
	if !r.known || h.SSRC != r.ssrc {
		seq := uint32(h.SequenceNumber)
		*r = reception{known: true, ssrc: h.SSRC, first: seq, highest: seq, received: 1, transit: arrival - h.Timestamp}
		return
	}
	r.received++
	if ahead := int16(h.SequenceNumber - uint16(r.highest)); ahead > 0 {
		r.highest += uint32(ahead)
	}
	transit := arrival - h.Timestamp
	d := float64(int32(transit - r.transit))
	r.transit = transit
	r.jitter += (max(d, -d) - r.jitter) / 16
}

// report is the block about the source; none before its first packet.
func (r *reception) report() []rtcp.ReceptionReport {
	if !r.known {
		return nil
	}
	expected := r.highest - r.first + 1
	lost := int64(expected) - int64(r.received)
	interval := int64(expected-r.expected) - int64(r.received-r.had)
	fraction := uint8(0)
	if n := int64(expected - r.expected); n > 0 && interval > 0 {
		fraction = uint8(min(interval*256/n, 255))
	}
	r.expected, r.had = expected, r.received
	return []rtcp.ReceptionReport{{
		SSRC: r.ssrc, FractionLost: fraction, TotalLost: uint32(min(max(lost, 0), 1<<23-1)),
		LastSequenceNumber: r.highest, Jitter: uint32(r.jitter),
	}}
}

// report sends one; a port that could not be had sends none.
func (s *Session) report(bye bool) {
	if s.sock == nil || s.sock.control == nil {
		return
	}
	s.mu.Lock()
	to := s.source.to(s.stream)
	b, err := s.reports.packet(s.out.ssrc, s.now(), bye)
	s.mu.Unlock()
	if err != nil || !to.IsValid() || to.Port() == 65535 {
		return
	}
	_, _ = s.sock.control.WriteToUDPAddrPort(b, netip.AddrPortFrom(to.Addr(), to.Port()+1))
}
