package device

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"perch/hotdesk/directory"
	"perch/sip/digest"
)

// kind is a way to prove who one is.
type kind string

const (
	none     kind = ""
	byToken  kind = "token"
	byBasic  kind = "basic"
	byDigest kind = "digest"
)

// credentials is what a request brings.
type credentials struct {
	kind     kind
	user     string
	password string
	digest   digest.Credentials
}

// maxAuthorization bounds the header value, in bytes.
const maxAuthorization = 4096

// readCredentials takes the token of the path before the header. A header that
// cannot be read, or is of another scheme, is none: the phone is asked for one.
func readCredentials(r Request) credentials {
	if r.Token != "" {
		return credentials{kind: byToken}
	}
	if len(r.Authorization) > maxAuthorization {
		return credentials{}
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(r.Authorization), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		return readBasic(rest)
	case "digest":
		c, err := digest.ParseCredentials(r.Authorization)
		if err != nil || c.Response == "" {
			return credentials{}
		}
		return credentials{kind: byDigest, user: c.Username, digest: c}
	}
	return credentials{}
}

// readBasic reads what follows the scheme (RFC 7617 section 2).
func readBasic(text string) credentials {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return credentials{}
	}
	user, password, ok := cutUser(string(raw))
	if !ok {
		return credentials{}
	}
	return credentials{kind: byBasic, user: user, password: password}
}

// cutUser parts the user from the password. RFC 7617 forbids colons in a user;
// people write a MAC with them all the same.
func cutUser(s string) (user, password string, ok bool) {
	const colons = len("00:15:65:aa:bb:01")
	if len(s) > colons && s[colons] == ':' {
		if _, err := directory.ParseMAC(s[:colons]); err == nil {
			return s[:colons], s[colons+1:], true
		}
	}
	return strings.Cut(s, ":")
}

// opens tells whether the credentials are the device's. It does the same work
// for a device that does not exist, whose Record is empty.
func (d *Door) opens(r Request, c credentials, rec Record) bool {
	if c.kind == byToken {
		id := rec.Device.ID
		return d.tokens.CheckDeviceToken(r.Token, id.Tenant, id.MAC, rec.Device.TokenGen)
	}
	user, err := directory.ParseMAC(strings.TrimSpace(c.user))
	own := err == nil && user == r.MAC
	secret := rec.Secret.Reveal()
	usable := secret != ""
	if !usable {
		secret = "no device has this secret"
	}
	var right bool
	if c.kind == byBasic {
		right = equal(c.password, secret)
	} else {
		right = c.digest.Verify(secret, r.Method, digest.MD5, digest.SHA256) &&
			c.digest.Realm == Realm && sameTarget(c.digest.URI, r.URI)
	}
	return right && usable && own
}

// equal compares texts of any length in a time that tells neither.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// sameTarget compares the URI that was hashed with the one that was asked for
// (RFC 7616 section 3.4.6); phones also hash the absolute form.
func sameTarget(hashed, asked string) bool {
	if hashed == asked {
		return true
	}
	_, rest, ok := strings.Cut(hashed, "://")
	if !ok {
		return false
	}
	i := strings.IndexByte(rest, '/')
	return i >= 0 && rest[i:] == asked
}
