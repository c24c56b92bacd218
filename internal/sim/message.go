package sim

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// request is a SIP request before it has a Via. Its text is put together here
// and not by the parser's library, so that the two cannot agree on a mistake.
type request struct {
	method   string
	uri      string
	from, to string // whole values, tags included
	callID   string
	cseq     uint32
	contact  string
	routes   []string
	headers  []string // "Name: value", already clean
	auth     string   // "Authorization: ..." or the proxy's
	kind     string   // Content-Type
	body     []byte
	inDialog bool // goes to the dialog's target, not to the registrar
}

// encode gives the message as sent over proto from local.
func (r *request) encode(proto string, local netip.AddrPort, branch, agent string) []byte {
	var b strings.Builder
	b.Grow(1024)
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	line(r.method, " ", r.uri, " SIP/2.0")
	line("Via: SIP/2.0/", strings.ToUpper(proto), " ", local.String(), ";branch=", branch, ";rport")
	for _, route := range r.routes {
		line("Route: ", route)
	}
	line("From: ", r.from)
	line("To: ", r.to)
	line("Call-ID: ", r.callID)
	line("CSeq: ", strconv.FormatUint(uint64(r.cseq), 10), " ", r.method)
	line("Max-Forwards: 70")
	if r.contact != "" {
		line("Contact: ", r.contact)
	}
	for _, h := range r.headers {
		line(h)
	}
	if r.auth != "" {
		line(r.auth)
	}
	line("User-Agent: ", agent)
	if len(r.body) > 0 {
		line("Content-Type: ", r.kind)
	}
	line("Content-Length: ", strconv.Itoa(len(r.body)))
	line()
	return append([]byte(b.String()), r.body...)
}

// inbound is a message as it came: parsed, and its raw lines for the answer.
// raw is valid only until the reader takes the next message.
type inbound struct {
	raw  []byte
	from netip.AddrPort
	link link
}

// respond builds a response to req from the request's own lines (RFC 3261
// section 8.2.6), so that what the peer sent comes back byte for byte.
func (p *Phone) respond(in inbound, status int, reason, tag string, extra ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", status, reason)
	topVia := true
	for _, h := range rawHeaders(in.raw) {
		switch h.name {
		case "via", "v":
			v := h.value
			if topVia {
				v = stampVia(v, in.from)
			}
			topVia = false
			b.WriteString("Via: " + v + "\r\n")
		case "from", "f":
			b.WriteString("From: " + h.value + "\r\n")
		case "to", "t":
			v := h.value
			if tag != "" && !strings.Contains(strings.ToLower(v), ";tag=") {
				v += ";tag=" + tag
			}
			b.WriteString("To: " + v + "\r\n")
		case "call-id", "i":
			b.WriteString("Call-ID: " + h.value + "\r\n")
		case "cseq":
			b.WriteString("CSeq: " + h.value + "\r\n")
		case "record-route":
			b.WriteString("Record-Route: " + h.value + "\r\n")
		}
	}
	for _, e := range extra {
		b.WriteString(e + "\r\n")
	}
	b.WriteString("User-Agent: " + p.sipAgent() + "\r\nContent-Length: 0\r\n\r\n")
	return []byte(b.String())
}

// rawHeader is one header line, unfolded, its name in lower case.
type rawHeader struct{ name, value string }

func rawHeaders(raw []byte) []rawHeader {
	text := string(raw)
	if i := strings.Index(text, "\r\n\r\n"); i >= 0 {
		text = text[:i]
	}
	lines := strings.Split(text, "\r\n")
	hs := make([]rawHeader, 0, len(lines))
	for _, l := range lines[1:] {
		if l != "" && (l[0] == ' ' || l[0] == '\t') && len(hs) > 0 {
			hs[len(hs)-1].value += " " + strings.TrimSpace(l)
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			continue
		}
		hs = append(hs, rawHeader{strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)})
	}
	return hs
}

// stampVia fills in rport and received (RFC 3581 section 4) in the first of
// the values.
func stampVia(v string, from netip.AddrPort) string {
	first, rest, more := strings.Cut(v, ",")
	if before, after, ok := strings.Cut(first, ";rport"); ok && !strings.HasPrefix(after, "=") {
		first = fmt.Sprintf("%s;rport=%d;received=%s%s", before, from.Port(), from.Addr(), after)
	}
	if more {
		return first + "," + rest
	}
	return first
}

// headed is a parsed message, of either kind.
type headed interface {
	GetHeader(name string) sip.Header
	GetHeaders(name string) []sip.Header
}

// headerText gives the first of the named headers; names are tried in order,
// for compact forms the parser does not map.
func headerText(m headed, names ...string) string {
	for _, n := range names {
		if h := m.GetHeader(n); h != nil {
			return h.Value()
		}
	}
	return ""
}

// headerTexts gives every value of a header.
func headerTexts(m headed, name string) []string {
	hs := m.GetHeaders(name)
	out := make([]string, 0, len(hs))
	for _, h := range hs {
		out = append(out, h.Value())
	}
	return out
}

// param finds a parameter whatever its case; the parser compares exactly.
func param(ps sip.HeaderParams, name string) (string, bool) {
	for _, kv := range ps {
		if strings.EqualFold(kv.K, name) {
			return kv.V, true
		}
	}
	return "", false
}

// clean makes every control character, and the line separators of Unicode, a
// blank: nothing that was fetched may break a header.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r <= 0x9f || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

// escapeUser percent-encodes what may not stand in the user part of a SIP URI
// (RFC 3261 section 25.1): # becomes %23, * stays.
func escapeUser(s string) string {
	const hexdigits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.!~*'()&=+$,?/", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexdigits[c>>4])
			b.WriteByte(hexdigits[c&15])
		}
	}
	return b.String()
}
