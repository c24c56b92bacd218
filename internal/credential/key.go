// Package credential makes and checks every secret of an installation from one
// server key: SIP passwords of sessions and devices, path tokens, keyed hashes
// of PINs and passwords, sealed values, and sub-keys for nonces. It knows no
// storage and no protocol, and it logs nothing. Its promise: what it returns
// for keeping is useless without the key, and a check costs the same whether
// or not there was anything to check against.
package credential

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"runtime"
)

// KeySize is the length of the server key in bytes.
const KeySize = 32

// Key is the server key with what is derived from it. It is safe for
// concurrent use. Printing it shows the fingerprint only.
type Key struct {
	root        [KeySize]byte
	extracted   []byte // pseudo-random key of RFC 5869 section 2.2
	hash        []byte // keyed hashes at rest
	origin      []byte // fingerprints of file values
	token       []byte // path tokens
	seal        cipher.AEAD
	fingerprint string
	argon       chan struct{} // one token per argon2id hash that may run at once
}

// FromBytes makes a Key from 32 bytes; tests use it with fixed ones.
func FromBytes(root []byte) (*Key, error) {
	if len(root) != KeySize {
		return nil, fmt.Errorf("credential: the server key has %d bytes, not %d", len(root), KeySize)
	}
	k := &Key{argon: make(chan struct{}, runtime.GOMAXPROCS(0))}
	copy(k.root[:], root)
	var err error
	if k.extracted, err = hkdf.Extract(sha256.New, root, nil); err != nil {
		return nil, fmt.Errorf("credential: %w", err)
	}
	k.hash = k.SubKey("hash at rest")
	k.origin = k.SubKey("origin of a file value")
	k.token = k.SubKey("device token")
	block, err := aes.NewCipher(k.SubKey("seal"))
	if err != nil {
		return nil, fmt.Errorf("credential: %w", err)
	}
	if k.seal, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("credential: %w", err)
	}
	k.fingerprint = hex.EncodeToString(k.SubKey("fingerprint")[:16])
	return k, nil
}

// SubKey derives 32 bytes for one purpose. Keys of different purposes tell
// nothing of each other or of the server key. It is RFC 5869 section 2.3 for
// an output of one hash, where the whole expansion is this one step.
func (k *Key) SubKey(purpose string) []byte {
	return mac256(k.extracted, []byte("perch "+purpose+"\x01"))
}

// Fingerprint names the key without telling anything of it: 32 hex digits that
// are equal on every node that has the same key.
func (k *Key) Fingerprint() string { return k.fingerprint }

// String shows the fingerprint in place of the key.
func (k *Key) String() string { return "server key " + k.fingerprint }

// GoString keeps %#v from showing the key.
func (k *Key) GoString() string { return k.String() }

// LogValue keeps loggers from showing the key.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
