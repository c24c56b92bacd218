package digest

import (
	"fmt"
	"strconv"
	"strings"
)

// Credentials is one Authorization or Proxy-Authorization value (RFC 7616
// section 3.4). Quotes and quoted pairs are resolved, except in URI, which is
// kept as written because it is hashed as written.
type Credentials struct {
	Username  string
	Realm     string
	Nonce     string
	URI       string
	Response  string // hex, as sent
	Algorithm Algorithm
	CNonce    string
	Opaque    string
	QOP       string // lower case; empty is the form of RFC 2069
	NC        uint32 // the count; 0 when none was sent

	count string // nc as it was sent: it is hashed as written
}

// ParseCredentials reads a header value of at most 4096 bytes. It forgives
// case, quotes and spacing, ignores unknown parameters, and returns
// ErrNotDigest for another scheme, ErrMalformed for anything it cannot take at
// its word: a known parameter given twice, a missing one, a broken quote, a
// control character. Empty values are read (some phones send an empty response
// in their first request); they never verify. The result shares s's memory.
func ParseCredentials(s string) (Credentials, error) {
	if len(s) > maxHeader {
		return Credentials{}, ErrMalformed
	}
	rest, ok := cutScheme(s)
	if !ok {
		return Credentials{}, ErrNotDigest
	}
	r := credentialsReader{}
	sc := scanner{rest: rest}
	for n := 0; ; n++ {
		if sc.skip(); sc.rest == "" {
			break
		}
		name := sc.word()
		if n >= maxParams || name == "" || !sc.equals() {
			return Credentials{}, ErrMalformed
		}
		v, ok := sc.value(strings.EqualFold(name, "uri"))
		if !ok || !r.set(name, v) {
			return Credentials{}, ErrMalformed
		}
	}
	return r.finish()
}

// credentialsReader remembers which parameters were there.
type credentialsReader struct {
	c    Credentials
	alg  string
	seen uint16
}

const (
	seenUsername = 1 << iota
	seenRealm
	seenNonce
	seenURI
	seenResponse
	seenAlgorithm
	seenCNonce
	seenOpaque
	seenQOP
	seenNC

	seenRequired = seenUsername | seenRealm | seenNonce | seenURI | seenResponse
)

// set stores a parameter; false when it was there before.
func (r *credentialsReader) set(name, v string) bool {
	field, bit := r.field(name)
	if field == nil {
		return true
	}
	if r.seen&bit != 0 {
		return false
	}
	r.seen |= bit
	*field = v
	return true
}

// field finds the place of a known parameter, nil for any other.
func (r *credentialsReader) field(name string) (*string, uint16) {
	switch {
	case strings.EqualFold(name, "username"):
		return &r.c.Username, seenUsername
	case strings.EqualFold(name, "realm"):
		return &r.c.Realm, seenRealm
	case strings.EqualFold(name, "nonce"):
		return &r.c.Nonce, seenNonce
	case strings.EqualFold(name, "uri"):
		return &r.c.URI, seenURI
	case strings.EqualFold(name, "response"):
		return &r.c.Response, seenResponse
	case strings.EqualFold(name, "algorithm"):
		return &r.alg, seenAlgorithm
	case strings.EqualFold(name, "cnonce"):
		return &r.c.CNonce, seenCNonce
	case strings.EqualFold(name, "opaque"):
		return &r.c.Opaque, seenOpaque
	case strings.EqualFold(name, "qop"):
		return &r.c.QOP, seenQOP
	case strings.EqualFold(name, "nc"):
		return &r.c.count, seenNC
	}
	return nil, 0
}

// finish checks the whole.
func (r *credentialsReader) finish() (Credentials, error) {
	if r.seen&seenRequired != seenRequired {
		return Credentials{}, ErrMalformed
	}
	r.c.Algorithm = algorithmToken(r.alg)
	r.c.QOP = strings.ToLower(strings.TrimSpace(r.c.QOP))
	if !allToken(string(r.c.Algorithm)) || !allToken(r.c.QOP) {
		return Credentials{}, ErrMalformed
	}
	if r.seen&seenNC != 0 && r.c.count != "" {
		// Eight digits by grammar; fewer are forgiven, more would not fit.
		n, err := strconv.ParseUint(r.c.count, 16, 32)
		if err != nil || len(r.c.count) > 8 {
			return Credentials{}, ErrMalformed
		}
		r.c.NC = uint32(n)
	}
	return r.c, nil
}

// String writes the header value.
func (c Credentials) String() string {
	b := append(make([]byte, 0, 320), "Digest "...)
	b = appendParam(b, "username", c.Username)
	b = appendParam(b, "realm", c.Realm)
	b = appendParam(b, "nonce", c.Nonce)
	b = appendParam(b, "uri", c.URI)
	b = appendParam(b, "response", c.Response)
	if c.Algorithm != "" {
		b = appendBare(b, "algorithm", string(c.Algorithm))
	}
	if c.CNonce != "" {
		b = appendParam(b, "cnonce", c.CNonce)
	}
	if c.Opaque != "" {
		b = appendParam(b, "opaque", c.Opaque)
	}
	if c.QOP != "" {
		b = appendBare(b, "qop", c.QOP)
		b = appendBare(b, "nc", c.countText())
	}
	return string(b)
}

// countText is nc as sent, else as the grammar wants it: eight hex digits.
func (c Credentials) countText() string {
	if c.count != "" {
		return c.count
	}
	return fmt.Sprintf("%08x", c.NC)
}
