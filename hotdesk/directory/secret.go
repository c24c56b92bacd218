package directory

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Keeper makes what is kept of the secrets of a directory file, under the
// server key. A context (SecretContext) says whose secret it is and which.
type Keeper interface {
	// Hash gives the form of a secret that only needs checking.
	Hash(context string, s Secret) string
	// Seal gives the form of a secret that must be readable again.
	Seal(context string, s Secret) (string, error)
	// Open reads a sealed secret; it fails where another key or place sealed it.
	Open(context, sealed string) (Secret, error)
	// Origin gives the fingerprint of a value as a file had it.
	Origin(context string, s Secret) string
}

// The forms of a secret at rest, each named by how its text begins.
const (
	HashedForm = "hmac:"     // keyed hash, 64 hex digits: PINs, initial passwords
	SlowForm   = "argon2id:" // salt.hash in base64: portal passwords after their first use
	SealedForm = "sealed:"   // AES-GCM in base64: secrets that must be readable again
)

// MaxText bounds every text of a directory, in bytes.
const MaxText = 255

// SecretContext names one secret of the tenant ("default_pin",
// "supervisor/<name>").
func (c TenantCode) SecretContext(field string) string {
	return "tenant/" + string(c) + "/" + field
}

// SecretContext names one secret of the extension ("pin" for both PINs,
// "password", "sip_password", "upstream.password").
func (id ExtensionID) SecretContext(field string) string {
	return "extension/" + string(id.Tenant) + "/" + id.Number + "/" + field
}

// SecretContext names one secret of the device ("secret", "sip_secret").
func (id DeviceID) SecretContext(field string) string {
	return "device/" + string(id.Tenant) + "/" + id.MAC.String() + "/" + field
}

// AtRest tells whether a text is one of the forms of a secret at rest, and
// whether it is whole.
func AtRest(text string) (is, whole bool) {
	oneLine := !strings.ContainsAny(text, "\r\n") // which Go's base64 skips
	if digits, ok := strings.CutPrefix(text, HashedForm); ok {
		b, err := hex.DecodeString(digits)
		return true, err == nil && len(b) == 32 && digits == strings.ToLower(digits)
	}
	if box, ok := strings.CutPrefix(text, SealedForm); ok {
		b, err := base64.RawStdEncoding.Strict().DecodeString(box)
		return true, oneLine && err == nil && len(b) >= 12+16 // nonce and tag of AES-GCM
	}
	if rest, ok := strings.CutPrefix(text, SlowForm); ok {
		a, b, dot := strings.Cut(rest, ".")
		salt, errSalt := base64.RawStdEncoding.Strict().DecodeString(a)
		sum, errSum := base64.RawStdEncoding.Strict().DecodeString(b)
		return true, oneLine && dot && errSalt == nil && errSum == nil && len(salt) == 16 && len(sum) == 32
	}
	return false, false
}
