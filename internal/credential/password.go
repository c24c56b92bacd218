package credential

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"perch/hotdesk/directory"
)

// The cost of a portal password: 19 MiB, two passes, one lane.
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
)

// InitialPassword is the kept form of a portal password that came from a file:
// the keyed hash alone, which 100,000 of can be made at once. It is replaced
// at its first use (see NeedsUpgrade).
func (k *Key) InitialPassword(id directory.ExtensionID, s directory.Secret) string {
	return k.Hash(id.SecretContext("password"), s)
}

// HashPassword is the kept form of a portal password: argon2id (RFC 9106) over
// the keyed hash, so that neither the key nor the table alone helps a guesser.
// It waits for its turn; the error is the context's.
func (k *Key) HashPassword(ctx context.Context, id directory.ExtensionID, s directory.Secret) (string, error) {
	salt := random(argonSalt)
	sum, err := k.slow(ctx, id, s, salt)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return directory.SlowForm + b64.EncodeToString(salt) + "." + b64.EncodeToString(sum), nil
}

// CheckPassword tells whether s is the extension's portal password. Every
// answer costs one argon2id hash, also where there is nothing to check or only
// an initial password, so that time tells nothing. It waits for its turn; the
// error is the context's.
func (k *Key) CheckPassword(ctx context.Context, kept directory.Kept, id directory.ExtensionID, s directory.Secret) (bool, error) {
	salt, want, slow := parseSlow(kept.Value)
	sum, err := k.slow(ctx, id, s, salt)
	if err != nil {
		return false, err
	}
	initial := k.check(kept, id.SecretContext("password"), s)
	return (subtle.ConstantTimeCompare(sum, want) == 1 && slow) || initial, nil
}

// NeedsUpgrade tells that a portal password is kept in its initial form: after
// a check that succeeded, keep HashPassword's form in its place.
func NeedsUpgrade(kept directory.Kept) bool {
	return strings.HasPrefix(kept.Value, directory.HashedForm)
}

// slow is the argon2id hash. As many run at once as there are processors: each
// takes 19 MiB, and more at once would only make all of them slower.
func (k *Key) slow(ctx context.Context, id directory.ExtensionID, s directory.Secret, salt []byte) ([]byte, error) {
	select {
	case k.argon <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("credential: hash a password: %w", ctx.Err())
	}
	defer func() { <-k.argon }()
	pre := keyed(k.hash, id.SecretContext("password"), s)
	return argon2.IDKey(pre, salt, argonTime, argonMemory, argonLanes, argonKey), nil
}

// parseSlow takes a kept form apart. For anything else ok is false and the
// parts are zeros of the right length, which cost the same to check.
func parseSlow(value string) (salt, sum []byte, ok bool) {
	text, is := strings.CutPrefix(value, directory.SlowForm)
	a, b, dot := strings.Cut(text, ".")
	salt, errSalt := base64.RawStdEncoding.Strict().DecodeString(a)
	sum, errSum := base64.RawStdEncoding.Strict().DecodeString(b)
	if !is || !dot || errSalt != nil || errSum != nil || len(salt) != argonSalt || len(sum) != argonKey {
		return make([]byte, argonSalt), make([]byte, argonKey), false
	}
	return salt, sum, true
}
