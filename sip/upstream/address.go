package upstream

import (
	"fmt"
	"strconv"
	"strings"

	"perch/sip/location"
)

// pbx is what a tenant's upstream URI says: the domain of its numbers.
type pbx struct {
	scheme string // "sip" or "sips"
	domain string // host, with the port where one is written
	params string // that of the transport, with its semicolon
}

func parsePBX(uri string) (pbx, error) {
	u, err := location.ParseURI(uri)
	if err != nil {
		return pbx{}, fmt.Errorf("upstream: uri: %w", err)
	}
	p := pbx{scheme: "sip", domain: u.Host}
	if u.Secure {
		p.scheme = "sips"
	}
	if u.Port != 0 {
		p.domain += ":" + strconv.Itoa(u.Port)
	}
	if t, ok := u.Param("transport"); ok && t != "" {
		p.params = ";transport=" + t
	}
	return p, nil
}

// registrar is the Request-URI of a REGISTER (RFC 3261 section 10.2).
func (p pbx) registrar() string { return p.scheme + ":" + p.domain }

// request is the Request-URI of a number.
func (p pbx) request(number string) string { return p.identity(number) + p.params }

// identity is the address of a user there: From, To, P-Asserted-Identity.
func (p pbx) identity(user string) string { return p.scheme + ":" + escapeUser(user) + "@" + p.domain }

// escapeUser writes the user part of a URI (RFC 3261 section 25.1, user).
func escapeUser(s string) string {
	const also = "-_.!~*'()&=+$,;?/"
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(also, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
