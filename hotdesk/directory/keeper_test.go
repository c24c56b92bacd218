package directory

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// testKeeper keeps secrets with the forms and rules of the real one and none
// of its safety; sealing twice differs, as with random nonces.
type testKeeper struct{ sealed *int }

func newKeeper() testKeeper { return testKeeper{new(int)} }

func (k testKeeper) Hash(context string, s Secret) string {
	sum := sha256.Sum256([]byte("hash|" + context + "|" + s.Reveal()))
	return HashedForm + hex.EncodeToString(sum[:])
}

func (k testKeeper) Seal(context string, s Secret) (string, error) {
	*k.sealed++
	return SealedForm + base64.RawStdEncoding.EncodeToString(fmt.Appendf(nil, "%012d%016x%s", *k.sealed, len(context), context+"|"+s.Reveal())), nil
}

func (k testKeeper) Open(context, sealed string) (Secret, error) {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(sealed, SealedForm))
	if err != nil || len(b) < 28 || !strings.HasPrefix(string(b[28:]), context+"|") {
		return "", errors.New("sealed elsewhere")
	}
	return Secret(b[28+len(context)+1:]), nil
}

func (k testKeeper) Origin(context string, s Secret) string {
	sum := sha256.Sum256([]byte("origin|" + context + "|" + s.Reveal()))
	return hex.EncodeToString(sum[:16])
}
