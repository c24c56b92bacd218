package digest

import "unicode/utf8"

// appendParam appends `, name="value"`, or without the comma directly after
// the scheme. value is escaped as a quoted-string; whatever could end a header
// line somewhere (controls of any kind, line and paragraph separators, broken
// UTF-8) is left out.
func appendParam(dst []byte, name, value string) []byte {
	dst = appendName(dst, name)
	dst = append(dst, '"')
	for i := 0; i < len(value); {
		r, n := utf8.DecodeRuneInString(value[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
		case r < ' ', r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029':
		case r == '"', r == '\\':
			dst = append(dst, '\\', byte(r))
		default:
			dst = append(dst, value[i:i+n]...)
		}
		i += n
	}
	return append(dst, '"')
}

// appendBare appends `, name=value` for values that are tokens by grammar:
// many phones do not understand quotes around them. What is no token character
// is left out.
func appendBare(dst []byte, name, value string) []byte {
	dst = appendName(dst, name)
	for i := range len(value) {
		if isToken(value[i]) {
			dst = append(dst, value[i])
		}
	}
	return dst
}

func appendName(dst []byte, name string) []byte {
	if n := len(dst); n > 0 && dst[n-1] != ' ' {
		dst = append(dst, ", "...)
	}
	dst = append(dst, name...)
	return append(dst, '=')
}
