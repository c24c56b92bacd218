package digest

import "strings"

// Challenge is one WWW-Authenticate or Proxy-Authenticate value (RFC 7616
// section 3.3).
type Challenge struct {
	Realm     string
	Nonce     string
	Opaque    string
	Algorithm Algorithm
	QOP       string // "auth", "auth,auth-int", ...: lower case, without blanks; empty is the form of RFC 2069
	Stale     bool   // the nonce was too old, the password may be right
}

// maxChallenges bounds what is read of one response; the rest is ignored.
const maxChallenges = 8

// String writes the header value. Names and order are those that phones are
// known to accept: algorithm and stale bare, everything else quoted.
func (c Challenge) String() string {
	b := append(make([]byte, 0, 160), "Digest "...)
	b = appendParam(b, "realm", c.Realm)
	b = appendParam(b, "nonce", c.Nonce)
	if c.Opaque != "" {
		b = appendParam(b, "opaque", c.Opaque)
	}
	if c.Algorithm != "" {
		b = appendBare(b, "algorithm", string(c.Algorithm))
	}
	if c.QOP != "" {
		b = appendParam(b, "qop", c.QOP)
	}
	if c.Stale {
		b = appendBare(b, "stale", "true")
	}
	return string(b)
}

// offersAuth tells whether qop "auth" may be used.
func (c Challenge) offersAuth() bool {
	for q := range strings.SplitSeq(c.QOP, ",") {
		if q == "auth" {
			return true
		}
	}
	return false
}

// answerable tells whether Answer can answer c: a supported algorithm, and
// qop "auth" or none at all.
func (c Challenge) answerable() bool {
	return c.Algorithm.Supported() && (c.QOP == "" || c.offersAuth())
}

// ParseChallenges reads all digest challenges of all values of the header, in
// their order. It forgives what phones do: missing quotes, odd spacing, several
// challenges in one value, unknown parameters, a bare qop list. What it cannot
// read it leaves out; at most 8 challenges are returned.
func ParseChallenges(values []string) []Challenge {
	var out []Challenge
	for _, v := range values {
		if len(v) > maxHeader {
			continue
		}
		out = appendChallenges(out, v)
	}
	return out
}

// appendChallenges reads one header value. A token that no equals sign follows
// begins the next challenge (RFC 9110 section 11.6.1).
func appendChallenges(out []Challenge, value string) []Challenge {
	var cur *challengeReader
	s := scanner{rest: value}
	for range maxChallenges * maxParams {
		if s.skip(); s.rest == "" {
			break
		}
		name := s.word()
		switch {
		case name == "":
			return cur.appendTo(out) // neither scheme nor parameter: what follows is guesswork
		case !s.equals():
			if cur.moreQOP(name) {
				continue
			}
			out = cur.appendTo(out)
			cur = &challengeReader{digest: strings.EqualFold(name, "digest")}
		default:
			v, ok := s.value(false)
			if !ok {
				return out // the challenge that breaks off is not usable
			}
			cur.set(name, v)
		}
	}
	return cur.appendTo(out)
}

// challengeReader collects one challenge; nil stands for "before the first
// scheme" and ignores everything.
type challengeReader struct {
	c                            Challenge
	digest                       bool
	lastQOP                      bool
	seenNonce, seenRealm         bool
	seenAlg, seenQOP, seenOpaque bool
}

// set stores a parameter; of one that comes twice the first counts.
func (r *challengeReader) set(name, v string) {
	if r == nil {
		return
	}
	r.lastQOP = false
	switch {
	case strings.EqualFold(name, "realm") && !r.seenRealm:
		r.c.Realm, r.seenRealm = v, true
	case strings.EqualFold(name, "nonce") && !r.seenNonce:
		r.c.Nonce, r.seenNonce = v, true
	case strings.EqualFold(name, "opaque") && !r.seenOpaque:
		r.c.Opaque, r.seenOpaque = v, true
	case strings.EqualFold(name, "algorithm") && !r.seenAlg:
		r.c.Algorithm, r.seenAlg = algorithmToken(strings.TrimSpace(v)), true
	case strings.EqualFold(name, "qop") && !r.seenQOP:
		r.c.QOP, r.seenQOP, r.lastQOP = qopList(v), true, true
	case strings.EqualFold(name, "stale"):
		r.c.Stale = r.c.Stale || strings.EqualFold(strings.TrimSpace(v), "true")
	}
}

// moreQOP takes the tail of a list that should have been quoted:
// `qop=auth,auth-int`.
func (r *challengeReader) moreQOP(word string) bool {
	if r == nil || !r.lastQOP || !strings.EqualFold(word, "auth") && !strings.EqualFold(word, "auth-int") {
		return false
	}
	r.c.QOP = qopList(r.c.QOP + "," + word)
	return true
}

// appendTo adds the challenge if it is one for us and has a nonce.
func (r *challengeReader) appendTo(out []Challenge) []Challenge {
	if r == nil || !r.digest || !r.seenNonce || len(out) >= maxChallenges {
		return out
	}
	r.c.Algorithm = algorithmToken(string(r.c.Algorithm))
	return append(out, r.c)
}

// qopList brings a list of qop options to the form of Challenge.QOP.
func qopList(v string) string {
	var opts []string
	for q := range strings.SplitSeq(v, ",") {
		if q = strings.ToLower(strings.TrimSpace(q)); q != "" {
			opts = append(opts, q)
		}
	}
	return strings.Join(opts, ",")
}
