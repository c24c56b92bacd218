package handler

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Header makes a header field whose value cannot end the line it stands on:
// the stack writes any text as it is, line breaks included.
func Header(name, value string) sip.Header { return sip.NewHeader(Clean(name), Clean(value)) }

// Clean replaces each control character by a blank: C0, DEL and C1, and the
// Unicode line separators, which some log viewers and phones obey.
func Clean(s string) string {
	if !strings.ContainsFunc(s, isControl) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, s)
}

// isControl also tells the replacement character, which is what a byte that is
// no UTF-8 looks like in a range over a string.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029
}

// Clipped is Clean, cut to at most n bytes at a character's end: for values
// that are stored or logged.
func Clipped(s string, n int) string {
	s = strings.ToValidUTF8(Clean(s), "?")
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// broken tells a value that would break a header line. Unlike Clean it minds
// only the bytes that end a line or a text.
func broken(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }
