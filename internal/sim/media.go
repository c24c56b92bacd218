package sim

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
)

// maxAudio bounds what a phone records of one call.
const maxAudio = 1 << 20

// media is the sound of one call: a real RTP socket that records what it hears
// and, once the peer is known, sends silence as a phone does.
type media struct {
	conn  *net.UDPConn
	speak bool
	wg    sync.WaitGroup
	quit  chan struct{}
	once  sync.Once

	mu      sync.Mutex
	codec   uint8 // 0 PCMU, 8 PCMA
	known   bool
	packets int
	audio   []byte
}

func openMedia(ip netip.Addr, speak bool) (*media, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return nil, err
	}
	m := &media{conn: conn, speak: speak, quit: make(chan struct{})}
	m.wg.Go(m.listen)
	return m, nil
}

// description is the phone's SDP with the given formats (RFC 4566, RFC 3264).
func (m *media) description(formats []string, maps []string) []byte {
	local := localOf(m.conn.LocalAddr())
	family := "IP4"
	if local.Addr().Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- 20000 20000 IN %s %s\r\ns=SDP data\r\nc=IN %s %s\r\nt=0 0\r\n", family, local.Addr(), family, local.Addr())
	fmt.Fprintf(&b, "m=audio %d RTP/AVP %s\r\n", local.Port(), strings.Join(formats, " "))
	for _, a := range maps {
		b.WriteString("a=rtpmap:" + a + "\r\n")
	}
	b.WriteString("a=ptime:20\r\na=sendrecv\r\n")
	return []byte(b.String())
}

// offer lists the phone's codecs, or only some that nobody has.
func (m *media) offer(o CallOptions) []byte {
	if o.UnknownCodecs {
		return m.description([]string{"97", "98"}, []string{"97 X-UNHEARD/8000", "98 X-OF/16000"})
	}
	formats := []string{"0", "8", "101"}
	if o.PCMAFirst {
		formats = []string{"8", "0", "101"}
	}
	return m.description(formats, []string{"0 PCMU/8000", "8 PCMA/8000", "101 telephone-event/8000"})
}

// accept takes the peer's SDP. When it was the offer, the phone's answer is
// returned for the ACK.
func (m *media) accept(body []byte, isOffer bool) (answer []byte) {
	peer, codec, ok := readSDP(body)
	if !ok {
		if isOffer && len(body) > 0 {
			return []byte("v=0\r\no=- 20000 20000 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n")
		}
		return nil
	}
	m.mu.Lock()
	m.codec, m.known = codec, true
	m.mu.Unlock()
	if m.speak {
		m.wg.Go(func() { m.silence(peer, codec) })
	}
	if !isOffer {
		return nil
	}
	n := strconv.Itoa(int(codec))
	return m.description([]string{n}, []string{n + " " + codecName(codec) + "/8000"})
}

// readSDP finds where to send and in which of the two codecs.
func readSDP(body []byte) (peer netip.AddrPort, codec uint8, ok bool) {
	var d sdp.SessionDescription
	if len(body) == 0 || d.Unmarshal(body) != nil {
		return peer, 0, false
	}
	for _, md := range d.MediaDescriptions {
		if md.MediaName.Media != "audio" || md.MediaName.Port.Value <= 0 || md.MediaName.Port.Value > 65535 {
			continue
		}
		ci := md.ConnectionInformation
		if ci == nil {
			ci = d.ConnectionInformation
		}
		if ci == nil || ci.Address == nil {
			continue
		}
		ip, err := netip.ParseAddr(ci.Address.Address)
		if err != nil {
			continue
		}
		for _, f := range md.MediaName.Formats {
			if f == "0" || f == "8" {
				return netip.AddrPortFrom(ip.Unmap(), uint16(md.MediaName.Port.Value)), f[0] - '0', true
			}
		}
	}
	return peer, 0, false
}

func codecName(pt uint8) string {
	if pt == 8 {
		return "PCMA"
	}
	return "PCMU"
}

// listen records RTP until the socket closes.
func (m *media) listen() {
	buf := make([]byte, 2048)
	for {
		n, _, err := m.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			select {
			case <-m.quit:
				return
			default:
				continue
			}
		}
		var pkt rtp.Packet
		if pkt.Unmarshal(buf[:n]) != nil {
			continue
		}
		m.mu.Lock()
		// Sound may come before the answer that names its codec.
		if pt := pkt.PayloadType; pt == 0 || pt == 8 {
			m.packets++
			if len(m.audio)+len(pkt.Payload) <= maxAudio {
				m.audio = append(m.audio, pkt.Payload...)
			}
		}
		m.mu.Unlock()
	}
}

// silence sends 20 ms of nothing every 20 ms.
func (m *media) silence(peer netip.AddrPort, codec uint8) {
	quiet := byte(0xff) // mu-law zero
	if codec == 8 {
		quiet = 0xd5
	}
	payload := make([]byte, 160)
	for i := range payload {
		payload[i] = quiet
	}
	pkt := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: codec, SSRC: 0x5e1f, Marker: true}, Payload: payload}
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		if b, err := pkt.Marshal(); err == nil {
			_, _ = m.conn.WriteToUDPAddrPort(b, peer)
		}
		pkt.Marker = false
		pkt.SequenceNumber++
		pkt.Timestamp += 160
		select {
		case <-t.C:
		case <-m.quit:
			return
		}
	}
}

// close ends the sound and gives what was heard.
func (m *media) close() (codec string, packets int, audio []byte) {
	m.once.Do(func() {
		close(m.quit)
		// What is on its way when BYE comes has still been played.
		m.conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
		m.wg.Wait()
		m.conn.Close()
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known {
		codec = codecName(m.codec)
	}
	return codec, m.packets, m.audio
}
