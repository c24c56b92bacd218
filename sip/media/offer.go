package media

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
)

// Offer is a peer's offer, read.
type Offer struct {
	desc   *sdp.SessionDescription
	stream Stream
}

// ParseOffer reads the body of an INVITE. The first audio stream over RTP/AVP
// with PCMU or PCMA is the one we take, with the codec the peer named first
// (RFC 3264 section 6.1). Errors: ErrMalformed, ErrNoCodec.
func ParseOffer(body []byte) (*Offer, error) {
	desc, err := parse(body)
	if err != nil {
		return nil, err
	}
	for i, m := range desc.MediaDescriptions {
		if st, ok := readStream(desc, m); ok {
			st.mediaSection = i
			return &Offer{desc: desc, stream: st}, nil
		}
	}
	return nil, ErrNoCodec
}

// Stream is what our answer agrees to.
func (o *Offer) Stream() Stream { return o.stream }

// readStream tells what we would agree to for one m= line.
func readStream(desc *sdp.SessionDescription, m *sdp.MediaDescription) (Stream, bool) {
	name := m.MediaName
	port := name.Port.Value
	if !strings.EqualFold(name.Media, "audio") || port < 1 || port > 65535 || !isPlainRTP(name.Protos) {
		return Stream{}, false
	}
	st := Stream{PacketTime: packetTime(m)}
	if !st.pickFormats(name.Formats, rtpmaps(m)) {
		return Stream{}, false
	}
	switch direction(desc, m) {
	case "sendonly":
		st.Receive = true
	case "recvonly":
		st.Send = true
	case "inactive":
	default:
		st.Send, st.Receive = true, true
	}
	addr, hold := connection(desc, m)
	if hold {
		st.Send = false // RFC 3264 section 8.4: the old way to hold
	}
	if addr.IsValid() {
		st.Remote = netip.AddrPortFrom(addr, uint16(port))
	}
	return st, true
}

// isPlainRTP tells RTP/AVP, and AVPF, whose feedback may be left unused (RFC
// 4585). Encrypted profiles are refused: we have no keys.
func isPlainRTP(protos []string) bool {
	p := strings.ToUpper(strings.Join(protos, "/"))
	return p == "RTP/AVP" || p == "RTP/AVPF"
}

// pickFormats takes the first G.711 format and the first telephone-event.
func (s *Stream) pickFormats(formats []string, maps map[string]string) bool {
	found := false
	for _, f := range formats {
		pt, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		name, mapped := maps[f]
		switch {
		case found:
		case name == "PCMU/8000" || !mapped && pt == uint64(PCMU):
			s.Codec, s.PayloadType, found = PCMU, uint8(pt), true
		case name == "PCMA/8000" || !mapped && pt == uint64(PCMA):
			s.Codec, s.PayloadType, found = PCMA, uint8(pt), true
		}
		if name == "TELEPHONE-EVENT/8000" && !s.HasEvents {
			s.EventType, s.HasEvents = uint8(pt), true
		}
	}
	return found
}

// rtpmaps gives name and rate in capitals by payload type; one channel may be
// spelled out (RFC 8866 section 6.6).
func rtpmaps(m *sdp.MediaDescription) map[string]string {
	maps := map[string]string{}
	for _, a := range m.Attributes {
		pt, name, ok := strings.Cut(strings.TrimSpace(a.Value), " ")
		if ok && strings.EqualFold(a.Key, "rtpmap") {
			maps[pt] = strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(name)), "/1")
		}
	}
	return maps
}

// packetTime is what the peer would like to get (RFC 8866 section 6.4), as far
// as we cut packets that way.
func packetTime(m *sdp.MediaDescription) time.Duration {
	ms := func(key string) int {
		v, _ := attribute(m.Attributes, key)
		n, _ := strconv.Atoi(strings.TrimSpace(v))
		return n
	}
	n, limit := ms("ptime"), ms("maxptime")
	if n == 0 {
		n = int(defaultPacketTime / time.Millisecond)
	}
	if limit > 0 {
		n = min(n, limit)
	}
	if n < 10 || n > 60 || n%10 != 0 {
		return defaultPacketTime
	}
	return time.Duration(n) * time.Millisecond
}

// direction is the peer's attribute; that of the stream goes before that of
// the session (RFC 8866 section 6.7).
func direction(desc *sdp.SessionDescription, m *sdp.MediaDescription) string {
	for _, attrs := range [][]sdp.Attribute{m.Attributes, desc.Attributes} {
		for _, a := range attrs {
			key := strings.ToLower(strings.TrimSpace(a.Key))
			if slices.Contains([]string{"sendrecv", "sendonly", "recvonly", "inactive"}, key) {
				return key
			}
		}
	}
	return "sendrecv"
}

// connection is the peer's address: the stream's c= line before the session's.
// hold is the all-zero address. A host name is not resolved, and multicast is
// not sent to: both are no address, and we wait for the peer's first packet.
func connection(desc *sdp.SessionDescription, m *sdp.MediaDescription) (addr netip.Addr, hold bool) {
	c := m.ConnectionInformation
	if c == nil {
		c = desc.ConnectionInformation
	}
	if c == nil || c.Address == nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(c.Address.Address)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	addr = addr.Unmap()
	if addr.IsUnspecified() {
		return netip.Addr{}, true
	}
	if addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}, false
	}
	return addr, false
}

// attribute finds a key in any case.
func attribute(attrs []sdp.Attribute, key string) (string, bool) {
	for _, a := range attrs {
		if strings.EqualFold(strings.TrimSpace(a.Key), key) {
			return a.Value, true
		}
	}
	return "", false
}
