package digest

import "errors"

// ErrUnsupported says that none of the challenges can be answered: another
// algorithm, a "-sess" form, or nothing but qop "auth-int".
var ErrUnsupported = errors.New("digest: no challenge with a supported algorithm and qop")

// Choose picks the challenge to answer: the first whose algorithm comes
// earliest in prefer, which is SHA-256 then MD5 when empty. (RFC 8760 section
// 2.4 leaves the order to the server; a server that lists MD5 first is asked
// for the better one all the same.) The error is ErrUnsupported.
func Choose(challenges []Challenge, prefer ...Algorithm) (Challenge, error) {
	if len(prefer) == 0 {
		prefer = []Algorithm{SHA256, MD5}
	}
	for _, a := range prefer {
		for _, c := range challenges {
			if c.Algorithm == a && c.answerable() {
				return c, nil
			}
		}
	}
	return Challenge{}, ErrUnsupported
}

// Answer makes the credentials for one request: its method, the URI that will
// stand in the header, the count of this nonce's use from 1, and a random
// cnonce (crypto/rand's Text gives one). The challenge's qop decides the form;
// without one, nc and cnonce are not used. A challenge that Choose would not
// return gives ErrUnsupported.
func Answer(ch Challenge, username, password, method, uri string, nc uint32, cnonce string) (Credentials, error) {
	if !ch.answerable() {
		return Credentials{}, ErrUnsupported
	}
	c := Credentials{
		Username: username, Realm: ch.Realm, Nonce: ch.Nonce, URI: uri,
		Algorithm: ch.Algorithm, Opaque: ch.Opaque,
	}
	if ch.offersAuth() {
		c.QOP, c.NC, c.CNonce = "auth", nc, cnonce
		c.count = c.countText()
	}
	var arr [maxHex]byte
	c.Response = string(c.appendResponse(arr[:0], password, method))
	return c, nil
}
