package media

import (
	"errors"
	"net/netip"
	"time"
)

// The reasons for which there is no session. The caller answers 400 to
// ErrMalformed, 488 to ErrNoCodec and 503 to ErrNoPort.
var (
	ErrMalformed = errors.New("media: unreadable session description")
	ErrNoCodec   = errors.New("media: no audio stream with PCMU or PCMA over RTP/AVP")
	ErrNoPort    = errors.New("media: no free RTP port")
)

// Stream is what offer and answer agreed on, from our side.
type Stream struct {
	Codec        Codec
	PayloadType  uint8 // of the codec
	EventType    uint8 // payload type of RFC 4733 telephone events
	HasEvents    bool
	PacketTime   time.Duration  // length of one packet: 10 to 60 ms in steps of 10
	Remote       netip.AddrPort // where the peer listens; not valid if it named no usable address
	Send         bool           // the peer wants to hear us
	Receive      bool           // the peer may send
	mediaSection int            // index of the m= line
}

// defaultPacketTime holds when the peer asks for none (RFC 3551 section 4.5).
const defaultPacketTime = 20 * time.Millisecond

// direction is the attribute of our description (RFC 3264 section 6.1).
func (s Stream) direction() string {
	switch {
	case s.Send && s.Receive:
		return "sendrecv"
	case s.Send:
		return "sendonly"
	case s.Receive:
		return "recvonly"
	}
	return "inactive"
}

// has tells a payload type that may come: the codec's, events', either law by
// its static number (some phones send one that they offered and we did not
// choose), and comfort noise (RFC 3389).
func (s Stream) has(payloadType uint8) bool {
	switch payloadType {
	case s.PayloadType, uint8(PCMU), uint8(PCMA), comfortNoise:
		return true
	}
	return s.HasEvents && payloadType == s.EventType
}
