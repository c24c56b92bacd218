package dialog

import (
	"fmt"
	"strings"
)

// parseParty reads a From or To value and gives its URI and tag.
func parseParty(header, value string) (uri, tag string, err error) {
	uri, params, _, ok := cutAddress(value)
	if !ok || !isURI(uri) {
		return "", "", fmt.Errorf("%w: %s", ErrMalformed, header)
	}
	for p := range strings.SplitSeq(params, ";") {
		if name, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "tag") {
			tag = strings.TrimSpace(v)
			break
		}
	}
	return uri, tag, nil
}

// parseSIPAddress reads the first address of a header value, which must be a
// sip or sips URI.
func parseSIPAddress(header, value string) (string, error) {
	uri, _, _, ok := cutAddress(value)
	if !ok || !isURI(uri) || !isSIP(uri) {
		return "", fmt.Errorf("%w: %s", ErrMalformed, header)
	}
	return uri, nil
}

// parseRoutes reads all URIs of one Record-Route value, in their order. URI
// parameters are kept, header parameters are not part of the route set.
func parseRoutes(value string) ([]string, error) {
	var uris []string
	for rest := value; strings.TrimSpace(rest) != ""; {
		uri, _, next, ok := cutAddress(rest)
		if !ok || !isURI(uri) || !isSIP(uri) || len(uris) == maxRoutes {
			return nil, fmt.Errorf("%w: Record-Route", ErrMalformed)
		}
		uris = append(uris, uri)
		rest = next
	}
	return uris, nil
}

// cutAddress takes the first address off a comma separated list: a name-addr
// (`"Ada" <sip:ada@a>;x=y`) or an addr-spec, whose semicolons then belong to
// the header (RFC 3261 section 20). Commas and semicolons inside quotes and
// angle brackets separate nothing.
func cutAddress(value string) (uri, params, rest string, ok bool) {
	if len(value) > maxHeader {
		return "", "", "", false
	}
	value = strings.Trim(value, " \t")
	open := indexOutside(value, "<,")
	if open < 0 || value[open] == ',' {
		this, rest := cutAt(value, open)
		uri, params, _ = strings.Cut(this, ";")
		return strings.Trim(uri, " \t"), params, rest, true
	}
	inside := value[open+1:]
	end := strings.IndexByte(inside, '>')
	if end < 0 {
		return "", "", "", false
	}
	this, rest := cutAt(inside[end+1:], indexOutside(inside[end+1:], ","))
	this = strings.TrimLeft(this, " \t")
	if this != "" && this[0] != ';' {
		return "", "", "", false
	}
	return strings.Trim(inside[:end], " \t"), strings.TrimPrefix(this, ";"), rest, true
}

// cutAt splits s around the byte at i; a negative i takes all.
func cutAt(s string, i int) (before, after string) {
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// indexOutside finds the first of chars that is not inside a quoted string.
func indexOutside(s, chars string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(chars, c) >= 0:
			return i
		}
	}
	return -1
}

// isURI tells a text that may stand between angle brackets: a scheme, a colon,
// something after it, and no blank, control, quote or bracket anywhere.
func isURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || len(s) > maxURI {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"\\", c) >= 0 {
			return false
		}
	}
	return true
}

// isWord tells a Call-ID or tag: visible ASCII without separators that would
// end it (RFC 3261 section 25.1, word).
func isWord(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ';' || c == ',' {
			return false
		}
	}
	return true
}

func isSIP(uri string) bool { return hasScheme(uri, "sip:") || isSIPS(uri) }

func isSIPS(uri string) bool { return hasScheme(uri, "sips:") }

func hasScheme(uri, scheme string) bool {
	return len(uri) > len(scheme) && strings.EqualFold(uri[:len(scheme)], scheme)
}
