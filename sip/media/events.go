package media

import (
	"encoding/binary"
	"slices"

	"github.com/pion/rtp"
)

// events reads telephone events (RFC 4733). A press is a series of packets with
// one timestamp, the last of which is sent three times; any of them may be
// lost, doubled or late. Its first packet to arrive is the press.
type events struct {
	known  bool
	ssrc   uint32
	event  byte
	stamp  uint32   // of the series in hand
	last   uint16   // the greatest duration it reported
	ended  bool     // a packet with the E bit came
	before []uint32 // timestamps of series that are over
}

const (
	seriesKept = 8
	// newClock is how far back, in samples, a timestamp must lie to be another
	// clock's rather than a packet that is late: ten seconds.
	newClock = 10 * SampleRate
	// slack is how much further than the duration reported last a segment or a
	// restamped packet of the same press may begin, in samples.
	slack = 60 * SampleRate / 1000
)

// packet takes one packet and gives the key when a press begins.
func (e *events) packet(h *rtp.Header, payload []byte) (Key, bool) {
	if len(payload) < 4 {
		return 0, false
	}
	event, end := payload[0], payload[1]&0x80 != 0
	length := binary.BigEndian.Uint16(payload[2:])
	if !e.known || h.SSRC != e.ssrc {
		*e = events{ssrc: h.SSRC}
	} else if e.belongs(h, event) {
		e.last, e.ended = max(e.last, length), e.ended || end
		return 0, false
	} else if e.late(h.Timestamp) {
		return 0, false
	}
	if e.known {
		e.retire()
	}
	same := e.known && e.continues(h, event)
	e.known, e.event, e.stamp, e.last, e.ended = true, event, h.Timestamp, length, end
	key, ok := KeyOf(int(event))
	return key, ok && !same
}

// belongs tells a packet of the series in hand.
func (e *events) belongs(h *rtp.Header, event byte) bool {
	return h.Timestamp == e.stamp && event == e.event
}

// late tells a packet of a series that is over, or of one that has been
// overtaken: its key would be out of order.
func (e *events) late(stamp uint32) bool {
	if slices.Contains(e.before, stamp) {
		return true
	}
	back := int32(e.stamp - stamp)
	return back > 0 && back < newClock
}

// continues tells a new timestamp within the same press: a long press is sent
// in segments, each where the one before ends (RFC 4733 section 2.5.1.3), and
// some phones stamp each packet anew. A press whose end was lost is not taken
// for it: the next one begins later, or with the marker bit.
func (e *events) continues(h *rtp.Header, event byte) bool {
	return event == e.event && !e.ended && !h.Marker && h.Timestamp-e.stamp <= uint32(e.last)+slack
}

func (e *events) retire() {
	if e.before = append(e.before, e.stamp); len(e.before) > seriesKept {
		e.before = e.before[1:]
	}
}
