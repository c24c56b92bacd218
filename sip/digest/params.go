package digest

import (
	"errors"
	"strings"
)

const (
	maxHeader = 4096 // bytes of one header value; longer ones are not looked at
	maxParams = 32   // parameters of one header value
)

// Reasons for which a header value is not read. Their texts name no value.
var (
	ErrMalformed = errors.New("digest: malformed header value")
	ErrNotDigest = errors.New("digest: another authentication scheme")
)

// scanner walks the comma separated name=value pairs of a header value. It
// allocates only to remove backslashes from a quoted value.
type scanner struct{ rest string }

// skip passes blanks, tabs and commas: empty list elements are legal
// (RFC 9110 section 5.6.1) and phones do write them.
func (s *scanner) skip() {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n,")
}

// word takes the next token, or "" when something else comes next.
func (s *scanner) word() string {
	n := 0
	for n < len(s.rest) && isToken(s.rest[n]) {
		n++
	}
	w := s.rest[:n]
	s.rest = s.rest[n:]
	return w
}

// equals takes an equals sign with the blanks around it and tells whether
// there was one; without one nothing is taken.
func (s *scanner) equals() bool {
	after, ok := strings.CutPrefix(strings.TrimLeft(s.rest, " \t\r\n"), "=")
	if ok {
		s.rest = strings.TrimLeft(after, " \t\r\n")
	}
	return ok
}

// value takes a quoted string or everything up to the next comma or blank.
// Quotes are removed; raw keeps backslashes as they stand. A missing closing
// quote and a control character make it not ok.
func (s *scanner) value(raw bool) (v string, ok bool) {
	if !strings.HasPrefix(s.rest, `"`) {
		n := strings.IndexAny(s.rest, ", \t\r\n")
		if n < 0 {
			n = len(s.rest)
		}
		v, s.rest = s.rest[:n], s.rest[n:]
		return v, !strings.ContainsRune(v, '"') && !hasControl(v)
	}
	escaped := false
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			v, s.rest = s.rest[1:i], s.rest[i+1:]
			if escaped && !raw {
				v = unescape(v)
			}
			return v, !hasControl(v)
		}
	}
	return "", false
}

// unescape resolves quoted pairs (RFC 3261 section 25.1, quoted-pair).
func unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hasControl tells C0 controls and DEL; a tab inside quotes is legal.
func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// isToken is RFC 3261 section 25.1, token. `*` of RFC 7616's `username*` is
// part of it.
func isToken(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("-.!%*_+`'~", c) >= 0
}

// allToken tells a text of nothing but token characters.
func allToken(s string) bool {
	for i := range len(s) {
		if !isToken(s[i]) {
			return false
		}
	}
	return true
}

// cutScheme takes the word Digest in any case off the front of a value.
func cutScheme(s string) (rest string, ok bool) {
	const scheme = "digest"
	s = strings.TrimLeft(s, " \t\r\n")
	if len(s) <= len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return "", false
	}
	if c := s[len(scheme)]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
		return "", false
	}
	return s[len(scheme):], true
}
