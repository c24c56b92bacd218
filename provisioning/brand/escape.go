package brand

import (
	"strings"
	"unicode/utf8"
)

// Format is a syntax of configuration files, with the escaping that keeps a
// value in its place.
type Format int

// The formats.
const (
	// INI is "key = value" lines. There is no quoting: a value is kept on its
	// line, loses its outer blanks, and an empty one becomes %NULL%, which is how
	// Yealink's format clears a setting.
	INI Format = iota
	// XML is element text and attribute values in double quotes (XML 1.0).
	XML
	// Colon is Mitel's "key: value" lines. A # begins a comment unless the value
	// stands in double quotes, and nothing can stand for a quote inside them: a
	// value that is not plain is quoted, its own double quotes become single.
	Colon
)

// Escape brings a value into the form in which the format takes it. Whatever
// could end a line in any reader - CR, LF, NEL, U+2028, U+2029 - and every other
// control, and the marks that reorder text around them, become blanks; what is
// not UTF-8 becomes U+FFFD.
func (f Format) Escape(s string) string {
	s = clean(s)
	if f == XML {
		return xmlEscape(s)
	}
	s = strings.TrimSpace(s)
	if f == Colon {
		return colonEscape(s)
	}
	switch {
	case s == "":
		return null
	case strings.EqualFold(s, null):
		return "NULL" // a label of that text must not clear the setting
	}
	return s
}

// null clears a setting in Yealink's format.
const null = "%NULL%"

// OneLine brings a text onto one line, as Escape does, for forms that have no
// Format here.
func OneLine(s string) string { return clean(s) }

func clean(s string) string {
	if plain(s) {
		return s
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c == utf8.RuneError:
			return utf8.RuneError // invalid bytes come as this, one each
		case breaks(c):
			return ' '
		}
		return c
	}, s)
}

// plain tells that nothing needs replacing: printable ASCII, the common case.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// breaks tells characters that may end a line, are controls, reorder text, or
// are not characters at all (XML 1.0 section 2.2).
func breaks(c rune) bool {
	switch {
	case c < ' ', c >= 0x7f && c <= 0x9f:
		return true
	case c == 0x2028, c == 0x2029:
		return true
	case c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
		return true
	case c == 0xfeff, c == 0xfffe, c == 0xffff:
		return true
	}
	return false
}

func xmlEscape(s string) string {
	if !strings.ContainsAny(s, `&<>"'`) {
		return s
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(s)
}

func colonEscape(s string) string {
	if strings.IndexFunc(s, quotable) < 0 {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, "'") + `"`
}

// quotable tells characters that Mitel's files hold in quotes only.
func quotable(c rune) bool {
	switch {
	case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		return false
	}
	return !strings.ContainsRune(" ._-+*/:@;,=?&|~$", c)
}
