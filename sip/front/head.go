package front

import "bytes"

// Bounds of what comes before a body. The stack has none.
const (
	maxFields = 128      // header fields
	maxField  = 8 << 10  // bytes of one
	maxHead   = 16 << 10 // bytes of all, first line included
)

// Fault is what is wrong with a message whose first line has the right form.
type Fault uint8

// The faults.
const (
	NoFault    Fault = iota
	Unfinished       // the empty line after the header fields is missing
	BadLine          // the first line is not made of three words and two blanks, or its URI is none (RFC 3261 section 25.1)
	BadScheme        // a request's URI is none of SIP's (RFC 3261 section 8.2.2.1)
	BadLength        // Content-Length is no number, or is given twice and differs
	Short            // Content-Length says more than there is (RFC 3261 section 18.3)
	NoLength         // a stream without Content-Length (RFC 3261 section 18.3)
	Crowded          // more header fields, or longer ones, than anybody needs
	Huge             // more than a message may have
)

// Head is the start of a message: its first line and the fields that can be
// acted upon without the stack. All point into the message. A value has no
// blanks around it, and line folding still in it.
type Head struct {
	Method []byte // nil: a response
	URI    []byte
	Via    []byte // the first field
	From   []byte
	To     []byte
	CallID []byte
	CSeq   []byte

	Contact       []byte // the first field
	Expires       []byte
	Authorization []byte // the first field
	UserAgent     []byte

	Size   int // bytes up to and with the empty line
	Fields int
	Length int // Content-Length; -1: not given
}

// Parse reads the head of a message that Scan has let through, from its first
// line on. After a fault what was read before it is there.
func (h *Head) Parse(b []byte) Fault {
	*h = Head{Length: -1}
	line, n := nextLine(b)
	if n == 0 {
		return Unfinished
	}
	fault := h.firstLine(line)
	for {
		line, m := nextField(b[n:])
		if m == 0 {
			if len(b) > maxHead {
				return Crowded
			}
			return Unfinished
		}
		n += m
		if len(line) == 0 {
			h.Size = n
			break
		}
		if h.Fields++; h.Fields > maxFields || len(line) > maxField || n > maxHead {
			return Crowded
		}
		if f := h.field(line); f != NoFault && fault == NoFault {
			fault = f
		}
	}
	return fault
}

// firstLine checks a request or status line.
func (h *Head) firstLine(line []byte) Fault {
	if hasVersion(line) {
		sp := bytes.IndexByte(line, ' ') // Scan has seen it, and three digits after it
		if sp < 0 || len(line) < sp+4 || len(line) > sp+4 && line[sp+4] != ' ' {
			return BadLine
		}
		return NoFault
	}
	sp := bytes.IndexByte(line, ' ')
	if sp < 0 {
		return BadLine
	}
	h.Method = line[:sp]
	rest := line[sp+1:]
	end := bytes.LastIndexByte(rest, ' ')
	if end < 1 {
		return BadLine
	}
	h.URI = rest[:end]
	if !hasVersion(rest[end+1:]) {
		return BadLine
	}
	for _, c := range h.URI {
		if c <= ' ' || c == '<' || c == '>' || c == '"' || c >= 0x7f {
			return BadLine
		}
	}
	colon := bytes.IndexByte(h.URI, ':')
	switch {
	case colon < 1:
		return BadLine
	case isHelp(h.URI):
		return NoFault
	case !is(h.URI[:colon], "", "sip") && !is(h.URI[:colon], "", "sips"):
		return BadScheme
	case !isHostPort(h.URI[colon+1:]):
		return BadLine
	}
	return NoFault
}

// isHelp tells the name of the emergency service, urn:service:sos and what is
// below it (RFC 5031 section 4.2): the one Request-URI that is none of SIP's and
// means something here.
func isHelp(uri []byte) bool {
	const sos = "urn:service:sos"
	return len(uri) >= len(sos) && len(uri) <= 80 && bytes.EqualFold(uri[:len(sos)], []byte(sos)) && (len(uri) == len(sos) || uri[len(sos)] == '.')
}

// isHostPort checks what stands between the user and the parameters of a SIP
// URI: a host, or an IPv6 address in brackets, and a port of digits.
func isHostPort(rest []byte) bool {
	rest = rest[bytes.LastIndexByte(rest, '@')+1:]
	if i := bytes.IndexAny(rest, ";?"); i >= 0 {
		rest = rest[:i]
	}
	if len(rest) > 0 && rest[0] == '[' {
		end := bytes.IndexByte(rest, ']')
		if end < 0 {
			return false
		}
		rest = rest[end:] // the bracket stands for the host
	}
	host, port, has := bytes.Cut(rest, []byte{':'})
	return len(host) > 0 && (!has || len(port) > 0 && len(port) <= 5 && isDigits(port))
}

// field takes one header field.
func (h *Head) field(line []byte) Fault {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 {
		return NoFault // the stack decides
	}
	value := trim(line[colon+1:])
	switch name := trim(line[:colon]); {
	case is(name, "v", "via"):
		first(&h.Via, value)
	case is(name, "f", "from"):
		first(&h.From, value)
	case is(name, "t", "to"):
		first(&h.To, value)
	case is(name, "i", "call-id"):
		first(&h.CallID, value)
	case is(name, "", "cseq"):
		first(&h.CSeq, value)
	case is(name, "m", "contact"):
		first(&h.Contact, value)
	case is(name, "", "expires"):
		first(&h.Expires, value)
	case is(name, "", "authorization"):
		first(&h.Authorization, value)
	case is(name, "", "user-agent"):
		first(&h.UserAgent, value)
	case is(name, "l", "content-length"):
		n, ok := number(value)
		if !ok || h.Length >= 0 && h.Length != n {
			return BadLength
		}
		h.Length = n
	}
	return NoFault
}

func first(where *[]byte, value []byte) {
	if *where == nil {
		*where = value
	}
}

// is compares a field's name with the compact and the long form, both in lower
// case.
func is(name []byte, compact, long string) bool {
	return len(name) == len(long) && fold(name, long) || len(name) == 1 && len(compact) == 1 && fold(name, compact)
}

func fold(b []byte, lower string) bool {
	for i := range len(lower) {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// number reads 1 to 9 digits: more than any message has.
func number(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 9 || !isDigits(b) {
		return 0, false
	}
	n := 0
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n, true
}

// nextLine gives a line without its end, and the bytes both take; 0: there is
// no end.
func nextLine(b []byte) ([]byte, int) {
	i := bytes.IndexByte(b, '\n')
	if i < 1 || b[i-1] != '\r' {
		return nil, 0
	}
	return b[:i-1], i + 1
}

// nextField is nextLine with the lines that continue it (RFC 3261 section
// 7.3.1): those that begin with a blank.
func nextField(b []byte) ([]byte, int) {
	line, n := nextLine(b)
	for n > 0 && len(line) > 0 && n < len(b) && (b[n] == ' ' || b[n] == '\t') {
		_, more := nextLine(b[n:])
		if more == 0 {
			return nil, 0
		}
		n += more
		line = b[:n-2]
	}
	return line, n
}

func trim(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
