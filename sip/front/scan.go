// Package front is the first reader of every SIP socket. Before the stack sees
// anything it decides on what needs no stack: whether the source is let in,
// keep-alives and STUN, what is no SIP, what breaks its own frame, what is too
// long or too many. It gives each connection a name and keeps a socket's error
// from ending its reader. It knows no sipgo and no more of a message than its
// first line and a few fields; it promises that the rest reaches the stack
// untouched, one whole message after the other, and not to allocate for what it
// drops.
package front

import "bytes"

// Verdict is what a first look at a datagram or the start of a stream says.
type Verdict uint8

// The verdicts.
const (
	Message   Verdict = iota // begins like a SIP request or response
	KeepAlive                // CRLFs or nothing at all (RFC 5626 section 4.4.1)
	STUN                     // a STUN message (keep-alive of RFC 5626 section 4.4.2)
	TooLong
	Junk
)

const (
	maxDatagram = 16 << 10 // bytes; a REGISTER has under 2 KB, an INVITE with a long SDP under 8
	maxMethod   = 64
	version     = "SIP/"
)

// Scan looks at the first line of a datagram. offset is where the message
// begins: RFC 3261 section 7.5 has line breaks before it ignored. It promises
// no more than that the line has the form of a request or status line.
func Scan(b []byte) (v Verdict, offset int) {
	if len(b) > maxDatagram {
		return TooLong, 0
	}
	if isSTUN(b) {
		return STUN, 0
	}
	for offset < len(b) && (b[offset] == '\r' || b[offset] == '\n' || b[offset] == 0) {
		offset++
	}
	if offset == len(b) {
		return KeepAlive, offset
	}
	b = b[offset:]
	end := bytes.IndexByte(b, '\r')
	if end < 0 || end+1 >= len(b) || b[end+1] != '\n' {
		return Junk, offset
	}
	if !isStartLine(b[:end]) || hasBareBreak(b) {
		return Junk, offset
	}
	return Message, offset
}

// isSTUN tells a STUN header: two zero bits, and the magic cookie.
func isSTUN(b []byte) bool {
	return len(b) >= 20 && b[0]&0xc0 == 0 && b[4] == 0x21 && b[5] == 0x12 && b[6] == 0xa4 && b[7] == 0x42
}

// isStartLine tells "SIP/2.0 200 OK" and "METHOD uri SIP/2.0" by their form.
func isStartLine(line []byte) bool {
	if i := hasVersion(line); i {
		rest := line[len(version):]
		sp := bytes.IndexByte(rest, ' ')
		return sp > 0 && len(rest) >= sp+4 && isDigits(rest[sp+1:sp+4])
	}
	sp := bytes.IndexByte(line, ' ')
	if sp < 1 || sp > maxMethod || !isToken(line[:sp]) {
		return false
	}
	line = bytes.TrimRight(line, " ") // a fault that is answered, not junk
	last := bytes.LastIndexByte(line, ' ')
	return last > sp+1 && hasVersion(line[last+1:])
}

// hasVersion tells "SIP/" in any case (RFC 3261 section 7.1).
func hasVersion(b []byte) bool {
	if len(b) < len(version) {
		return false
	}
	for i := range len(version) {
		if c := b[i]; c != version[i] && c-'a'+'A' != version[i] {
			return false
		}
	}
	return true
}

// hasBareBreak tells a line feed without its carriage return, a carriage return
// without its line feed, or a NUL, before the body: the stack would carry it
// into header values.
func hasBareBreak(b []byte) bool {
	head := b
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		head = b[:i]
	}
	for i := 0; i < len(head); i++ {
		j := bytes.IndexByte(head[i:], '\r')
		if j < 0 {
			break
		}
		if i += j; i+1 < len(head) && head[i+1] != '\n' {
			return true
		}
	}
	for i := 0; i < len(head); i++ {
		j := bytes.IndexByte(head[i:], '\n')
		if j < 0 {
			break
		}
		if i += j; i == 0 || head[i-1] != '\r' {
			return true
		}
	}
	return bytes.IndexByte(head, 0) >= 0
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// isToken is RFC 3261 section 25.1's token.
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-', c == '.', c == '!', c == '%', c == '*', c == '_', c == '+', c == '`', c == '\'', c == '~':
		default:
			return false
		}
	}
	return len(b) > 0
}
