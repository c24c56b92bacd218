package siptrace

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// linkRaw is LINKTYPE_RAW: each packet begins with its IP header.
const linkRaw = 101

// Pcap writes messages as a capture file that Wireshark, tshark, tcpdump and
// sngrep open. Whatever a message travelled by, it is written as one UDP
// datagram between the two addresses: what TCP or TLS carried is then whole
// and in clear; its Via tells the transport.
type Pcap struct {
	w    io.Writer
	last uint16 // IP identification
}

// NewPcap writes the header of the file.
func NewPcap(w io.Writer) (*Pcap, error) {
	h := make([]byte, 0, 24)
	h = binary.LittleEndian.AppendUint32(h, 0xa1b2c3d4) // microseconds
	h = binary.LittleEndian.AppendUint16(h, 2)
	h = binary.LittleEndian.AppendUint16(h, 4)
	h = binary.LittleEndian.AppendUint64(h, 0) // UTC, no accuracy told
	h = binary.LittleEndian.AppendUint32(h, 1<<18)
	h = binary.LittleEndian.AppendUint32(h, linkRaw)
	if _, err := w.Write(h); err != nil {
		return nil, fmt.Errorf("siptrace: pcap: %w", err)
	}
	return &Pcap{w: w}, nil
}

// Write appends a message.
func (p *Pcap) Write(m Message) error {
	from, to, err := ends(m)
	if err != nil {
		return err
	}
	p.last++
	packet := datagram(from, to, m.Text, p.last)
	r := make([]byte, 0, 16+len(packet))
	r = binary.LittleEndian.AppendUint32(r, uint32(m.At.Unix()))
	r = binary.LittleEndian.AppendUint32(r, uint32(m.At.Nanosecond()/int(time.Microsecond)))
	r = binary.LittleEndian.AppendUint32(r, uint32(len(packet)))
	r = binary.LittleEndian.AppendUint32(r, uint32(len(packet)))
	if _, err := p.w.Write(append(r, packet...)); err != nil {
		return fmt.Errorf("siptrace: pcap: %w", err)
	}
	return nil
}

// ends gives the addresses of a message in the order in which it travelled.
func ends(m Message) (from, to netip.AddrPort, err error) {
	local, err := netip.ParseAddrPort(m.Local)
	if err != nil {
		return from, to, fmt.Errorf("siptrace: local address: %w", err)
	}
	remote, err := netip.ParseAddrPort(m.Remote)
	if err != nil {
		return from, to, fmt.Errorf("siptrace: remote address: %w", err)
	}
	local, remote = plain(local), plain(remote)
	if m.In {
		return remote, local, nil
	}
	return local, remote, nil
}

func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

const udpHeader = 8

// datagram is an IP packet with a UDP datagram in it. A message that fits in
// none is cut.
func datagram(from, to netip.AddrPort, text []byte, id uint16) []byte {
	if from.Addr().Is4() && to.Addr().Is4() {
		text = text[:min(len(text), 65_535-20-udpHeader)]
		h := make([]byte, 20, 20+udpHeader+len(text))
		h[0] = 0x45
		binary.BigEndian.PutUint16(h[2:], uint16(20+udpHeader+len(text)))
		binary.BigEndian.PutUint16(h[4:], id)
		h[8], h[9] = 64, 17
		copy(h[12:], from.Addr().AsSlice())
		copy(h[16:], to.Addr().AsSlice())
		binary.BigEndian.PutUint16(h[10:], ^fold(sum(0, h)))
		return udp(h, from, to, text)
	}
	text = text[:min(len(text), 65_535-udpHeader)]
	h := make([]byte, 40, 40+udpHeader+len(text))
	h[0] = 0x60
	binary.BigEndian.PutUint16(h[4:], uint16(udpHeader+len(text)))
	h[6], h[7] = 17, 64
	source, target := from.Addr().As16(), to.Addr().As16()
	copy(h[8:], source[:])
	copy(h[24:], target[:])
	return udp(h, from, to, text)
}

// udp appends the datagram; its sum covers the addresses too.
func udp(h []byte, from, to netip.AddrPort, text []byte) []byte {
	start := len(h)
	length := uint16(udpHeader + len(text))
	h = binary.BigEndian.AppendUint16(h, from.Port())
	h = binary.BigEndian.AppendUint16(h, to.Port())
	h = binary.BigEndian.AppendUint16(h, length)
	h = append(append(h, 0, 0), text...)
	addresses := h[12:20]
	if start == 40 {
		addresses = h[8:40]
	}
	total := sum(uint32(length)+17, addresses)
	check := ^fold(sum(total, h[start:]))
	if check == 0 {
		check = 0xffff // zero says that there is none
	}
	binary.BigEndian.PutUint16(h[start+6:], check)
	return h
}

// sum adds 16-bit words, as the sums of IP and UDP do.
func sum(total uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		total += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		total += uint32(b[0]) << 8
	}
	return total
}

func fold(total uint32) uint16 {
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}
