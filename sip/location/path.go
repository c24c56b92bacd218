package location

import "strings"

// Bounds of Path.
const (
	maxPath      = 8   // values kept
	maxPathValue = 512 // bytes of each
)

// ParsePath reads the Path header fields of a REGISTER (RFC 3327 section 4), in
// order: each value, a URI in angle brackets with parameters, is one Route
// towards the contact. ob tells whether the proxy nearest to the phone, or to
// us, does outbound (RFC 5626 section 5.1). The error is ErrMalformed.
func ParsePath(fields []string) (path []string, ob bool, err error) {
	var first, last bool
	for _, f := range fields {
		for rest := strings.TrimSpace(f); rest != ""; {
			value, u, after, ok := pathValue(rest)
			if !ok || len(path) == maxPath || len(value) > maxPathValue {
				return nil, false, ErrMalformed
			}
			last = u.Has("ob")
			if len(path) == 0 {
				first = last
			}
			path, rest = append(path, value), after
		}
	}
	return path, first || last, nil
}

// pathValue takes one value off a field.
func pathValue(s string) (value string, u URI, rest string, ok bool) {
	sc := scanner{rest: s}
	if strings.HasPrefix(sc.rest, `"`) {
		if _, ok = sc.quoted(); !ok {
			return "", u, "", false
		}
		sc.blanks()
	}
	var w Wanted
	if !strings.Contains(sc.rest, "<") || !sc.address(&w) {
		return "", u, "", false
	}
	u, err := ParseURI(w.URI)
	if err != nil {
		return "", u, "", false
	}
	for {
		sc.blanks()
		after, more := strings.CutPrefix(sc.rest, ";")
		if !more {
			break
		}
		if sc.rest = after; !sc.param(&w) {
			return "", u, "", false
		}
	}
	if sc.rest != "" && sc.rest[0] != ',' {
		return "", u, "", false
	}
	value = strings.TrimSpace(s[:len(s)-len(sc.rest)])
	return value, u, strings.TrimLeft(sc.rest, " \t\r\n,"), !hasControl(value)
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Has tells whether a URI has the parameter, which is in lower case.
func (u URI) Has(param string) bool {
	_, ok := lookup(u.params, param)
	return ok
}
