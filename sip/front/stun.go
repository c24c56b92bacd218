package front

import (
	"encoding/binary"
	"net/netip"
)

// STUN message types and attributes (RFC 8489 sections 5, 14 and 18.2).
const (
	bindingRequest = 0x0001
	bindingSuccess = 0x0101
	bindingError   = 0x0111
	attrErrorCode  = 0x0009
	attrUnknown    = 0x000a
	attrXORMapped  = 0x0020
	stunCookie     = 0x2112a442
	stunHeader     = 20
	maxUnknown     = 8 // attributes named in an error
)

// AppendSTUN appends the answer to a STUN message that came from an address:
// the address itself for a binding request, by which a phone keeps its NAT
// binding alive and sees when it has changed (RFC 5626 sections 4.4.2 and 8).
// An attribute that must be understood and is not gets 420 (RFC 8489 section
// 6.3.1). Other messages get no answer.
func AppendSTUN(out, msg []byte, from netip.AddrPort) []byte {
	if !isSTUN(msg) || binary.BigEndian.Uint16(msg) != bindingRequest {
		return out
	}
	body := msg[stunHeader:]
	if int(binary.BigEndian.Uint16(msg[2:])) != len(body) || len(body)%4 != 0 {
		return out
	}
	var unknown [maxUnknown]uint16
	n := 0
	for len(body) >= 4 {
		kind, size := binary.BigEndian.Uint16(body), (int(binary.BigEndian.Uint16(body[2:]))+3)&^3
		if len(body) < 4+size {
			return out
		}
		if kind < 0x8000 && n < maxUnknown { // none of them means anything here
			unknown[n] = kind
			n++
		}
		body = body[4+size:]
	}
	if n > 0 {
		return appendUnknown(out, msg, unknown[:n])
	}
	return appendMapped(out, msg, from)
}

// appendHead begins an answer: the type, the length of what follows, and the
// cookie and transaction of the request.
func appendHead(out, msg []byte, kind uint16, size int) []byte {
	out = binary.BigEndian.AppendUint16(out, kind)
	out = binary.BigEndian.AppendUint16(out, uint16(size))
	return append(out, msg[4:stunHeader]...)
}

// appendMapped answers with the address, XORed so that no NAT on the way
// rewrites it (RFC 8489 section 14.2).
func appendMapped(out, msg []byte, from netip.AddrPort) []byte {
	addr := from.Addr().Unmap()
	raw, family := addr.AsSlice(), byte(1)
	if addr.Is6() {
		family = 2
	}
	out = appendHead(out, msg, bindingSuccess, 8+len(raw))
	out = binary.BigEndian.AppendUint16(out, attrXORMapped)
	out = binary.BigEndian.AppendUint16(out, uint16(4+len(raw)))
	out = append(out, 0, family)
	out = binary.BigEndian.AppendUint16(out, from.Port()^uint16(stunCookie>>16))
	for i, c := range raw {
		out = append(out, c^msg[4+i]) // the cookie, then the transaction's id
	}
	return out
}

// appendUnknown answers 420 and lists what was not understood.
func appendUnknown(out, msg []byte, kinds []uint16) []byte {
	const phrase = "Unknown Attribute\x00\x00\x00" // padded to 20
	list := (2*len(kinds) + 3) &^ 3
	out = appendHead(out, msg, bindingError, 4+4+len(phrase)+4+list)
	out = binary.BigEndian.AppendUint16(out, attrErrorCode)
	out = binary.BigEndian.AppendUint16(out, uint16(4+len(phrase)-3))
	out = append(out, 0, 0, 4, 20)
	out = append(out, phrase...)
	out = binary.BigEndian.AppendUint16(out, attrUnknown)
	out = binary.BigEndian.AppendUint16(out, uint16(2*len(kinds)))
	for _, k := range kinds {
		out = binary.BigEndian.AppendUint16(out, k)
	}
	if len(kinds)%2 == 1 {
		out = append(out, 0, 0)
	}
	return out
}
