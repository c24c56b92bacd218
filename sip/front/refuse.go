package front

import (
	"bytes"
	"net/netip"
	"strconv"
)

// Refuse appends the response to a request with a fault, without state
// (RFC 3261 section 8.2.7): 400, or 513 for one that is too long. There is none
// for an ACK, a response, or a request that lacks what a response repeats
// (section 8.2.6.2). The top Via gets what section 18.2.1 and RFC 3581 section
// 4 ask for when from is valid.
func (d *Door) Refuse(out []byte, h *Head, f Fault, from netip.AddrPort) []byte {
	if d == nil || h.Method == nil || string(h.Method) == "ACK" || h.Via == nil || h.From == nil || h.To == nil || h.CallID == nil || h.CSeq == nil {
		return out
	}
	out = append(out, "SIP/2.0 "...)
	out = append(out, phraseOf(f)...)
	out = append(out, "\r\nVia: "...)
	out = appendVia(out, h.Via, from)
	out = appendField(out, "From", h.From)
	out = appendField(out, "To", h.To)
	if !hasTag(h.To) {
		// The same for every copy of the request, as a server without state must
		// have it.
		out = append(out, ";tag=none"...)
	}
	out = appendField(out, "Call-ID", h.CallID)
	out = appendField(out, "CSeq", h.CSeq)
	if d.server != "" {
		out = append(out, "\r\nServer: "...)
		out = append(out, d.server...)
	}
	return append(out, "\r\nContent-Length: 0\r\n\r\n"...)
}

func appendField(out []byte, name string, value []byte) []byte {
	out = append(out, "\r\n"...)
	out = append(out, name...)
	out = append(out, ": "...)
	return append(out, value...)
}

// phraseOf is the status line's end for a fault.
func phraseOf(f Fault) string {
	switch f {
	case BadLine:
		return "400 Bad Request Line"
	case BadScheme:
		return "416 Unsupported URI Scheme"
	case BadLength:
		return "400 Bad Content-Length"
	case Short:
		return "400 Body Shorter Than Content-Length"
	case NoLength:
		return "400 Missing Content-Length"
	case Crowded:
		return "400 Too Many Header Fields"
	case Huge:
		return "513 Message Too Large"
	}
	return "400 Bad Request"
}

// hasTag tells whether a To value has a tag after its address.
func hasTag(to []byte) bool {
	if i := bytes.LastIndexByte(to, '>'); i >= 0 {
		to = to[i:]
	}
	for i := bytes.IndexByte(to, ';'); i >= 0; {
		to = trim(to[i+1:])
		if len(to) >= 4 && fold(to, "tag") && (to[3] == '=' || isBlank(to[3])) {
			return true
		}
		i = bytes.IndexByte(to, ';')
	}
	return false
}

// appendVia repeats a Via field and adds received and rport to its first value.
// Where that has quotes it is left alone: they may hold anything.
func appendVia(out, via []byte, from netip.AddrPort) []byte {
	if !from.IsValid() || bytes.IndexByte(via, '"') >= 0 || bytes.Contains(via, []byte("received=")) {
		return append(out, via...)
	}
	top, rest := via, []byte(nil)
	if i := bytes.IndexByte(via, ','); i >= 0 {
		top, rest = via[:i], via[i:]
	}
	if i := bytes.Index(top, []byte(";rport")); i >= 0 {
		if after := top[i+6:]; len(after) == 0 || after[0] == ';' || isBlank(after[0]) {
			out = append(out, top[:i+6]...)
			out = append(out, '=')
			out = strconv.AppendUint(out, uint64(from.Port()), 10)
			top = after
		}
	}
	out = append(out, trimEnd(top)...)
	out = append(out, ";received="...)
	out = from.Addr().Unmap().WithZone("").AppendTo(out)
	return append(out, rest...)
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
