package device

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/digest"
)

// kind is a way to prove who one is.
type kind string

const (
	none          kind = ""
	byCertificate kind = "certificate"
	byToken       kind = "token"
	byBasic       kind = "basic"
	byDigest      kind = "digest"
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

// readCredentials takes the certificate before the token of the path, and that
// before the header. A header that cannot be read, or is of another scheme, is
// none: the phone is asked for one.
func readCredentials(r Request) credentials {
	if !r.Certified.IsZero() {
		return credentials{kind: byCertificate}
	}
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

// screenGrace is how long a page of the phone's own screen may still be asked
// for by the token before: it is being looked at while the phone takes its new
// configuration.
const screenGrace = 10 * time.Minute

// opens tells whether the credentials are the device's, and of which generation
// they are. It does the same work for a device that does not exist, whose Record
// is empty. What does not tell its generation is of the oldest.
func (d *Door) opens(r Request, c credentials, rec Record) (turn int, ok bool) {
	switch c.kind {
	case byCertificate:
		turn, _ = d.opensByToken(r, rec) // a phone that has both shows what it has got
		return turn, r.Certified == r.MAC
	case byToken:
		return d.opensByToken(r, rec)
	}
	user, err := directory.ParseMAC(strings.TrimSpace(c.user))
	own := err == nil && user == r.MAC
	turn = rec.Proofs.Handed
	if !rec.Device.MadeSecret() {
		turn = 0
	}
	ok = d.proves(r, c, rec.Secret)
	for i := range mostFormer { // always as many
		former := Former{}
		if i < len(rec.Former) {
			former = rec.Former[i]
		}
		if right := d.proves(r, c, former.Secret); right && !ok {
			turn, ok = former.Turn, true
		}
	}
	return turn, ok && own
}

// mostFormer is how many passwords beside its own a device may have.
const mostFormer = 2

// proves checks one password; an empty one opens nothing and costs the same.
func (d *Door) proves(r Request, c credentials, s directory.Secret) bool {
	secret := s.Reveal()
	usable := secret != ""
	if !usable {
		secret = "no device has this secret"
	}
	if c.kind == byBasic {
		return equal(c.password, secret) && usable
	}
	return c.digest.Verify(secret, r.Method, digest.MD5, digest.SHA256) &&
		c.digest.Realm == Realm && sameTarget(c.digest.URI, r.URI) && usable
}

// opensByToken compares the token with each that is good: the newest handed out,
// the newest shown, and on a screen for a while the one before.
func (d *Door) opensByToken(r Request, rec Record) (turn int, ok bool) {
	id, p := rec.Device.ID, rec.Proofs
	turns := [3]int{p.Handed, p.Used, p.Used}
	if r.Screen && p.Used > 0 && d.now().UnixMilli()-p.At < screenGrace.Milliseconds() {
		turns[2] = p.Used - 1
	}
	for _, n := range turns {
		if right := d.tokens.CheckDeviceToken(r.Token, id.Tenant, id.MAC, rec.Device.TokenGen, n); right && !ok {
			turn, ok = n, true
		}
	}
	return turn, ok
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
