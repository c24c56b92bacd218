package credential

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"perch/hotdesk/directory"
)

// errSealed covers every way a sealed value can be wrong: telling them apart
// helps nobody but an attacker.
var errSealed = errors.New("credential: the value was not sealed by this server key for this place")

// Seal encrypts a secret that must be readable again: "sealed:" and base64 of
// a random nonce and AES-256-GCM's output. context is bound to it, so that a
// sealed value copied to another record does not open there. Sealing twice
// gives two different texts.
func (k *Key) Seal(context string, s directory.Secret) (string, error) {
	if len(s) > directory.MaxText {
		return "", fmt.Errorf("credential: a secret has at most %d bytes", directory.MaxText)
	}
	nonce := random(k.seal.NonceSize())
	box := k.seal.Seal(nonce, nonce, []byte(s), []byte(context))
	return directory.SealedForm + base64.RawStdEncoding.EncodeToString(box), nil
}

// Open gives the secret that Seal was given with the same context.
func (k *Key) Open(context, sealed string) (directory.Secret, error) {
	text, is := strings.CutPrefix(sealed, directory.SealedForm)
	if _, whole := directory.AtRest(sealed); !is || !whole {
		return "", errSealed
	}
	box, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(box) < k.seal.NonceSize() {
		return "", errSealed
	}
	nonce, box := box[:k.seal.NonceSize()], box[k.seal.NonceSize():]
	plain, err := k.seal.Open(nil, nonce, box, []byte(context))
	if err != nil {
		return "", errSealed
	}
	return directory.Secret(plain), nil
}
