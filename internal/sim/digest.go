package sim

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"

	"perch/hotdesk/directory"
)

// challenge is a WWW-Authenticate value of scheme Digest (RFC 7616 section 3.3).
type challenge struct {
	realm, nonce, opaque, algorithm string
	qop                             bool // qop=auth is offered
	stale                           bool
}

// pickChallenge takes the first challenge a phone can answer: RFC 7616 section
// 3.7 puts the server's preferred one first.
func pickChallenge(values []string) (challenge, bool) {
	for _, v := range values {
		if c, ok := parseChallenge(v); ok {
			return c, true
		}
	}
	return challenge{}, false
}

func parseChallenge(v string) (challenge, bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(v), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return challenge{}, false
	}
	m := authParams(rest)
	c := challenge{realm: m["realm"], nonce: m["nonce"], opaque: m["opaque"], algorithm: strings.ToUpper(m["algorithm"])}
	c.stale = strings.EqualFold(m["stale"], "true")
	for q := range strings.SplitSeq(m["qop"], ",") {
		c.qop = c.qop || strings.TrimSpace(q) == "auth"
	}
	known := c.algorithm == "" || c.algorithm == "MD5" || c.algorithm == "SHA-256"
	return c, known && c.nonce != ""
}

// authParams splits name=value pairs; quoted values may hold commas and
// escaped characters. Names are folded to lower case.
func authParams(s string) map[string]string {
	m := map[string]string{}
	for len(s) > 0 && len(m) < 30 {
		s = strings.TrimLeft(s, " \t,")
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		name, rest = strings.ToLower(strings.TrimSpace(name)), strings.TrimLeft(rest, " \t")
		var value string
		if strings.HasPrefix(rest, `"`) {
			value, rest = unquote(rest[1:])
		} else if i := strings.IndexByte(rest, ','); i >= 0 {
			value, rest = strings.TrimSpace(rest[:i]), rest[i:]
		} else {
			value, rest = strings.TrimSpace(rest), ""
		}
		m[name], s = value, rest
	}
	return m
}

// unquote reads up to the closing quote and gives what follows it.
func unquote(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// answer is what one request's Authorization is computed of.
type answer struct {
	challenge
	user     string
	password directory.Secret
	method   string
	uri      string
	nc       uint32
	cnonce   string
}

// response computes the request digest of RFC 7616 section 3.4.1, or of RFC
// 2069 when no qop was offered.
func (a answer) response() string {
	h := func(s string) string {
		if a.algorithm == "SHA-256" {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:])
		}
		sum := md5.Sum([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	ha1 := h(a.user + ":" + a.realm + ":" + a.password.Reveal())
	ha2 := h(a.method + ":" + a.uri)
	if !a.qop {
		return h(ha1 + ":" + a.nonce + ":" + ha2)
	}
	return h(fmt.Sprintf("%s:%s:%08x:%s:auth:%s", ha1, a.nonce, a.nc, a.cnonce, ha2))
}

// header gives the Authorization value.
func (a answer) header() string {
	s := fmt.Sprintf(`Digest username=%s, realm=%s, nonce=%s, uri=%s, response="%s"`,
		quote(a.user), quote(a.realm), quote(a.nonce), quote(a.uri), a.response())
	if a.algorithm != "" {
		s += ", algorithm=" + a.algorithm
	}
	if a.opaque != "" {
		s += ", opaque=" + quote(a.opaque)
	}
	if a.qop {
		s += fmt.Sprintf(`, qop=auth, nc=%08x, cnonce="%s"`, a.nc, a.cnonce)
	}
	return s
}

// answers tells whether the Authorization value header, sent with method, is
// the right answer to c by user with password, for request URI uri.
func (c challenge) answers(header, user string, password directory.Secret, method, uri string) bool {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return false
	}
	m := authParams(rest)
	var nc uint32
	if _, err := fmt.Sscanf(m["nc"], "%08x", &nc); err != nil || m["qop"] != "auth" || len(m["nc"]) != 8 {
		return false
	}
	if m["username"] != user || m["realm"] != c.realm || m["nonce"] != c.nonce || m["uri"] != uri || m["cnonce"] == "" {
		return false
	}
	want := answer{challenge: c, user: user, password: password, method: method, uri: uri, nc: nc, cnonce: m["cnonce"]}.response()
	return subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(m["response"]))) == 1
}

// quote makes a quoted-string (RFC 3261 section 25.1) without controls.
func quote(s string) string {
	s = clean(s)
	s = strings.ReplaceAll(s, `\`, `\\`)
	return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
}

// token gives n random bytes in hex, for tags, branches, nonces and Call-IDs.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
