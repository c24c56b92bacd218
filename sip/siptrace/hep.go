package siptrace

import (
	"encoding/binary"
	"time"
)

// The chunks of HEP version 3 that are sent: generic ones, vendor 0, numbered
// as in the document "HEP/EEP: The Extensible Encapsulation Protocol",
// revision 3.
const (
	hepFamily     = 0x0001 // 2: IPv4, 10: IPv6
	hepProtocol   = 0x0002 // of IP: 17 UDP, 6 TCP
	hepSource4    = 0x0003
	hepTarget4    = 0x0004
	hepSource6    = 0x0005
	hepTarget6    = 0x0006
	hepSourcePort = 0x0007
	hepTargetPort = 0x0008
	hepSeconds    = 0x0009
	hepMicros     = 0x000a
	hepType       = 0x000b // 1: SIP
	hepAgent      = 0x000c // capture agent, a number
	hepPayload    = 0x000f
	hepAgentName  = 0x0013
)

const (
	hepChunkHeader = 6
	hepHeader      = 6 // "HEP3" and the length of the whole
)

// HEP encodes a message as one HEP version 3 packet, to be sent as a UDP
// datagram to a collector such as Homer. agent is the number by which the
// collector knows this sender, name its name, which may be empty. The error is
// that of an address which is none.
func HEP(m Message, agent uint32, name string) ([]byte, error) {
	from, to, err := ends(m)
	if err != nil {
		return nil, err
	}
	protocol := byte(6)
	if m.Transport == "udp" {
		protocol = 17
	}
	b := make([]byte, hepHeader, 160+len(name)+len(m.Text))
	copy(b, "HEP3")
	source, target := from.Addr(), to.Addr()
	if source.Is4() && target.Is4() {
		b = chunk(b, hepFamily, []byte{2})
		b = chunk(b, hepProtocol, []byte{protocol})
		b = chunk(b, hepSource4, source.AsSlice())
		b = chunk(b, hepTarget4, target.AsSlice())
	} else {
		s, t := source.As16(), target.As16()
		b = chunk(b, hepFamily, []byte{10})
		b = chunk(b, hepProtocol, []byte{protocol})
		b = chunk(b, hepSource6, s[:])
		b = chunk(b, hepTarget6, t[:])
	}
	b = chunk(b, hepSourcePort, binary.BigEndian.AppendUint16(nil, from.Port()))
	b = chunk(b, hepTargetPort, binary.BigEndian.AppendUint16(nil, to.Port()))
	b = chunk(b, hepSeconds, binary.BigEndian.AppendUint32(nil, uint32(m.At.Unix())))
	b = chunk(b, hepMicros, binary.BigEndian.AppendUint32(nil, uint32(m.At.Nanosecond()/int(time.Microsecond))))
	b = chunk(b, hepType, []byte{1})
	b = chunk(b, hepAgent, binary.BigEndian.AppendUint32(nil, agent))
	if name != "" {
		b = chunk(b, hepAgentName, []byte(name[:min(len(name), 64)]))
	}
	// A datagram holds no more than 65,507 bytes.
	b = chunk(b, hepPayload, m.Text[:min(len(m.Text), 65_507-len(b)-hepChunkHeader)])
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	return b, nil
}

// chunk appends vendor 0, the type, the length with this header, the value.
func chunk(b []byte, kind uint16, value []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(hepChunkHeader+len(value)))
	return append(b, value...)
}
