package digest

import (
	"crypto/subtle"
	"encoding/hex"
	"slices"
)

// maxHex is the length of the longest response, SHA-256 in hex.
const maxHex = 64

// Verify tells whether c was made with password for a request with this method,
// by one of the allowed algorithms. qop is "auth" or absent (RFC 3261 section
// 22.4 keeps RFC 2069 clients alive); "auth-int" and an empty password never
// verify. It compares in constant time and says nothing about the nonce, the
// count, the realm or the URI: Nonces and Window judge the first two, the
// caller the others (RFC 7616 section 3.4.6).
func (c Credentials) Verify(password, method string, allowed ...Algorithm) bool {
	if password == "" || !c.Algorithm.Supported() || !slices.Contains(allowed, c.Algorithm) {
		return false
	}
	switch c.QOP {
	case "":
	case "auth":
		if c.count == "" || c.CNonce == "" {
			return false // RFC 7616 section 3.4: both are there whenever qop is
		}
	default:
		return false
	}
	var arr [maxHex]byte
	want := c.appendResponse(arr[:0], password, method)
	// Hex of either case: some phones write capitals.
	var got, sum [maxHex / 2]byte
	if len(c.Response) != len(want) {
		return false
	}
	var text [maxHex]byte
	n := copy(text[:], c.Response)
	if _, err := hex.Decode(got[:], text[:n]); err != nil {
		return false
	}
	if _, err := hex.Decode(sum[:], want); err != nil {
		return false
	}
	return subtle.ConstantTimeCompare(got[:], sum[:]) == 1
}

// appendResponse appends the hex text of the response that password gives
// (RFC 7616 sections 3.4.1 to 3.4.3; without qop RFC 2617 section 3.2.2.1).
func (c Credentials) appendResponse(dst []byte, password, method string) []byte {
	var bufArr [512]byte
	var a1Arr, a2Arr [maxHex]byte
	buf := join(bufArr[:0], c.Username, c.Realm, password)
	a1 := c.Algorithm.appendHex(a1Arr[:0], buf)
	buf = join(buf[:0], method, c.URI)
	a2 := c.Algorithm.appendHex(a2Arr[:0], buf)
	buf = append(append(append(buf[:0], a1...), ':'), c.Nonce...)
	if c.QOP != "" {
		buf = append(buf, ':')
		buf = join(buf, c.countText(), c.CNonce, c.QOP)
	}
	buf = append(append(buf, ':'), a2...)
	return c.Algorithm.appendHex(dst, buf)
}

// join appends the parts with colons between them.
func join(dst []byte, parts ...string) []byte {
	for i, p := range parts {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, p...)
	}
	return dst
}
