package location

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"perch/hotdesk/directory"
)

// ErrMalformed says that a URI or Contact header cannot be taken at its word.
// The answer is 400.
var ErrMalformed = errors.New("location: malformed URI or Contact")

// URI is a SIP or SIPS URI (RFC 3261 section 19.1.1) in the form in which two
// can be compared: escapes resolved, host and names in lower case.
type URI struct {
	Secure   bool   // sips
	User     string // with its password; escapes of reserved characters kept
	Host     string
	Port     int // 0: none written, which is not the same as the default
	params   []pair
	headers  []pair
	userinfo bool
}

type pair struct{ name, value string }

const (
	maxURI    = 512 // bytes
	maxParams = 32  // of a URI, and of a Contact value
)

// ParseURI reads a SIP or SIPS URI of at most 512 bytes.
func ParseURI(s string) (URI, error) {
	var u URI
	scheme, rest, ok := strings.Cut(s, ":")
	switch {
	case len(s) > maxURI || !ok || hasBadByte(s):
		return URI{}, ErrMalformed
	case strings.EqualFold(scheme, "sips"):
		u.Secure = true
	case !strings.EqualFold(scheme, "sip"):
		return URI{}, ErrMalformed
	}
	rest, headers, hasHeaders := cutHeaders(rest)
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		u.User, u.userinfo, rest = unescape(rest[:i]), true, rest[i+1:]
	}
	hostport, params, hasParams := strings.Cut(rest, ";")
	var err error
	if u.Host, u.Port, err = parseHostPort(hostport); err != nil {
		return URI{}, err
	}
	if hasParams {
		if u.params, ok = parsePairs(params, ";"); !ok {
			return URI{}, ErrMalformed
		}
	}
	if hasHeaders {
		if u.headers, ok = parsePairs(headers, "&"); !ok {
			return URI{}, ErrMalformed
		}
	}
	return u, nil
}

// cutHeaders finds the question mark that begins the headers: one before an @
// belongs to the user part, where it is legal.
func cutHeaders(s string) (before, headers string, ok bool) {
	at := strings.IndexByte(s, '@') + 1
	i := strings.IndexByte(s[at:], '?')
	if i < 0 {
		return s, "", false
	}
	return s[:at+i], s[at+i+1:], true
}

func hasBadByte(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"' {
			return true
		}
	}
	return false
}

func parseHostPort(s string) (host string, port int, err error) {
	host, portText := s, ""
	hasPort := false
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, ErrMalformed
		}
		host = s[:end+1]
		if portText = s[end+1:]; portText != "" {
			if portText, hasPort = strings.CutPrefix(portText, ":"); !hasPort {
				return "", 0, ErrMalformed
			}
		}
	} else {
		host, portText, hasPort = strings.Cut(s, ":")
	}
	if host, err = CanonicalHost(host); err != nil {
		return "", 0, err
	}
	if hasPort {
		p, err := strconv.ParseUint(portText, 10, 16)
		if err != nil || p == 0 {
			return "", 0, ErrMalformed
		}
		port = int(p)
	}
	return host, port, nil
}

// CanonicalHost brings the host of a URI to the one form it is compared in:
// lower case without a trailing dot, IPv6 in brackets in its shortest form.
func CanonicalHost(s string) (string, error) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		if !ok || err != nil || a.Zone() != "" {
			return "", ErrMalformed
		}
		return "[" + a.String() + "]", nil
	}
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if s == "" || len(s) > 255 {
		return "", ErrMalformed
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
		default:
			return "", ErrMalformed
		}
	}
	return s, nil
}

// parsePairs splits parameters or headers; names become lower case, of a name
// given twice the first counts.
func parsePairs(s, sep string) ([]pair, bool) {
	var out []pair
	for part := range strings.SplitSeq(s, sep) {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(unescape(name))
		if len(out) >= maxParams {
			return nil, false
		}
		if _, dup := lookup(out, name); name != "" && !dup {
			out = append(out, pair{name, unescape(value)})
		}
	}
	return out, true
}

func lookup(ps []pair, name string) (string, bool) {
	i := slices.IndexFunc(ps, func(p pair) bool { return p.name == name })
	if i < 0 {
		return "", false
	}
	return ps[i].value, true
}

// reserved characters are not the same as their escapes (RFC 3261 section
// 19.1.4, RFC 2396 section 2.2).
const reserved = ";/?:@&=+$,"

// unescape resolves escapes of all characters but the reserved ones, the
// percent sign and controls; the hex digits of those left are upper case.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		v, ok := escape(s[i:])
		switch {
		case !ok:
			b.WriteByte(s[i])
			continue
		case v <= ' ' || v >= 0x7f || v == '%' || strings.IndexByte(reserved, v) >= 0:
			b.WriteString(strings.ToUpper(s[i : i+3]))
		default:
			b.WriteByte(v)
		}
		i += 2
	}
	return b.String()
}

// escape reads one %HH.
func escape(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	v, err := strconv.ParseUint(s[1:3], 16, 8)
	return byte(v), err == nil
}

// Equal compares two URIs by RFC 3261 section 19.1.4: the user part with case,
// everything else without; a port or transport that only one of them names
// makes them differ, also where it is the default; so do user, ttl, method and
// maddr; other parameters count only where both have them; headers always.
func (u URI) Equal(o URI) bool {
	if u.Secure != o.Secure || u.userinfo != o.userinfo || u.User != o.User || u.Host != o.Host || u.Port != o.Port {
		return false
	}
	for _, name := range []string{"transport", "user", "ttl", "method", "maddr"} {
		_, a := lookup(u.params, name)
		_, b := lookup(o.params, name)
		if a != b {
			return false
		}
	}
	for _, p := range u.params {
		if v, ok := lookup(o.params, p.name); ok && !strings.EqualFold(v, p.value) {
			return false
		}
	}
	return sameHeaders(u.headers, o.headers)
}

func sameHeaders(a, b []pair) bool {
	if len(a) != len(b) {
		return false
	}
	for _, h := range a {
		if v, ok := lookup(b, h.name); !ok || v != h.value {
			return false
		}
	}
	return true
}

// NewAOR makes an address of record of the user and host of a To or From
// header: escapes resolved, parameters of the user part (RFC 3966) and a
// password cut off, the host in canonical form.
func NewAOR(user, host string) (directory.AOR, error) {
	host, err := CanonicalHost(host)
	if err != nil {
		return directory.AOR{}, err
	}
	user, _, _ = strings.Cut(user, ";")
	user, _, _ = strings.Cut(user, ":")
	out := make([]byte, 0, len(user))
	for i := 0; i < len(user); i++ {
		c := user[i]
		if v, ok := escape(user[i:]); ok {
			c, i = v, i+2
		}
		if c <= ' ' || c >= 0x7f {
			return directory.AOR{}, ErrMalformed
		}
		out = append(out, c)
	}
	if len(out) > 64 {
		return directory.AOR{}, ErrMalformed
	}
	return directory.AOR{User: string(out), Domain: host}, nil
}
