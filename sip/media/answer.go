package media

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/pion/sdp/v3"
)

// Local is our end of a session.
type Local struct {
	Addr    netip.AddrPort // where we receive RTP, as the peer can reach it
	ID      uint64         // of the session, the same in each of our descriptions of a call
	Version uint64         // one more with each description of the call that differs
}

// eventType is the payload type we offer for telephone events; 101 is what
// phones expect.
const eventType = 101

// Answer writes our answer (RFC 3264 section 6): the stream that ParseOffer
// chose with the peer's payload numbers, every other m= line refused with port
// 0, all in the order of the offer.
func (o *Offer) Answer(l Local) ([]byte, error) {
	d := describe(l)
	if t := o.desc.TimeDescriptions; len(t) > 0 {
		d.TimeDescriptions[0].Timing = t[0].Timing // "t=" as in the offer
	}
	for i, m := range o.desc.MediaDescriptions {
		var answer *sdp.MediaDescription
		if i == o.stream.mediaSection {
			answer = accept(l, o.stream, m)
		} else {
			answer = refuse(m)
		}
		if mid, ok := attribute(m.Attributes, "mid"); ok && isPlain(mid) {
			answer.WithValueAttribute("mid", mid) // RFC 5888 section 9.1
		}
		d.WithMedia(answer)
	}
	return marshal(d)
}

// NewOffer writes our offer for an INVITE that came without one: PCMU, PCMA
// and telephone events, to be sent in the 200 (RFC 3261 section 13.2.1).
func NewOffer(l Local) ([]byte, error) {
	m := audio(l, defaultPacketTime)
	m.WithCodec(uint8(PCMU), "PCMU", SampleRate, 0, "")
	m.WithCodec(uint8(PCMA), "PCMA", SampleRate, 0, "")
	m.WithCodec(eventType, "telephone-event", SampleRate, 0, "0-15")
	m.WithPropertyAttribute("sendrecv")
	return marshal(describe(l).WithMedia(m))
}

// ParseAnswer reads the peer's answer to NewOffer, out of its ACK. Errors:
// ErrMalformed, ErrNoCodec; the call then has no sound and is to be ended.
func ParseAnswer(body []byte) (Stream, error) {
	desc, err := parse(body)
	if err != nil {
		return Stream{}, err
	}
	st, ok := readStream(desc, desc.MediaDescriptions[0])
	if !ok {
		return Stream{}, ErrNoCodec
	}
	return st, nil
}

// describe is the session part of our descriptions.
func describe(l Local) *sdp.SessionDescription {
	family, addr := addressOf(l)
	return &sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: l.ID, SessionVersion: l.Version,
			NetworkType: "IN", AddressType: family, UnicastAddress: addr,
		},
		SessionName:           "-",
		ConnectionInformation: &sdp.ConnectionInformation{NetworkType: "IN", AddressType: family, Address: &sdp.Address{Address: addr}},
		TimeDescriptions:      []sdp.TimeDescription{{}},
	}
}

func addressOf(l Local) (family, addr string) {
	a := l.Addr.Addr().Unmap().WithZone("")
	if a.Is4() {
		return "IP4", a.String()
	}
	return "IP6", a.String()
}

// accept is our m= line for the stream we take.
func accept(l Local, st Stream, offered *sdp.MediaDescription) *sdp.MediaDescription {
	m := audio(l, st.PacketTime)
	m.MediaName.Protos = offered.MediaName.Protos
	m.WithCodec(st.PayloadType, st.Codec.String(), SampleRate, 0, "")
	if st.HasEvents {
		m.WithCodec(st.EventType, "telephone-event", SampleRate, 0, "0-15")
	}
	return m.WithPropertyAttribute(st.direction())
}

// audio is an m= line of ours without formats.
func audio(l Local, packetTime time.Duration) *sdp.MediaDescription {
	m := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "audio", Port: sdp.RangedPort{Value: int(l.Addr.Port())}, Protos: []string{"RTP", "AVP"},
	}}
	return m.WithValueAttribute("ptime", strconv.Itoa(int(packetTime/time.Millisecond)))
}

// refuse is an m= line with port 0 and the peer's own words (RFC 3264 section
// 6), as far as they are plain.
func refuse(offered *sdp.MediaDescription) *sdp.MediaDescription {
	name := sdp.MediaName{Media: "audio", Protos: []string{"RTP", "AVP"}}
	if isPlain(offered.MediaName.Media) {
		name.Media = offered.MediaName.Media
	}
	if allPlain(offered.MediaName.Protos) {
		name.Protos = offered.MediaName.Protos
	}
	for _, f := range offered.MediaName.Formats {
		if isPlain(f) {
			name.Formats = append(name.Formats, f)
		}
	}
	if len(name.Formats) == 0 {
		name.Formats = []string{"0"}
	}
	return &sdp.MediaDescription{MediaName: name}
}

func allPlain(words []string) bool {
	for _, w := range words {
		if !isPlain(w) {
			return false
		}
	}
	return len(words) > 0
}

// isPlain tells a word that may be repeated to the peer: 1 to 64 visible ASCII
// characters.
func isPlain(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func marshal(d *sdp.SessionDescription) ([]byte, error) {
	b, err := d.Marshal()
	if err != nil {
		return nil, fmt.Errorf("media: write description: %w", err)
	}
	return b, nil
}
