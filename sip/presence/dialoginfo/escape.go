package dialoginfo

import "unicode/utf8"

// escape appends text so that it is that text, and nothing else, in element
// content and in a double-quoted attribute. Characters that XML 1.0 cannot hold
// (section 2.2), broken UTF-8, and whatever a phone could show as a new line
// become the replacement character or a blank.
func escape(dst []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...) // "]]>" must not stand in content
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\'':
			dst = append(dst, "&apos;"...)
		case r == '\t', r == '\n', r == '\r', r == '\u0085', r == '\u2028', r == '\u2029':
			dst = append(dst, ' ')
		case r < ' ', r >= 0x7f && r < 0xa0, r == '\ufffe', r == '\uffff':
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
