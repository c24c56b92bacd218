package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"sync"
	"time"
)

// Nonces issues and recognises nonces without remembering any. A nonce names
// its issue time, the node and boot that issued it, and carries random bits and
// a keyed checksum, so that all nodes with one key know each other's. Safe for
// use by several goroutines.
type Nonces struct {
	instance [instanceLen]byte
	lifetime time.Duration
	now      func() time.Time
	start    time.Time
	signers  sync.Pool
}

// A nonce is 40 characters of base64url over these bytes.
const (
	timeLen     = 6 // Unix milliseconds, big endian; 8 characters of the text
	instanceLen = 6 // keyed name of node and boot
	randomLen   = 6
	macLen      = 12 // HMAC-SHA256, cut to 96 bits
	bodyLen     = timeLen + instanceLen + randomLen
	nonceLen    = bodyLen + macLen
	textLen     = nonceLen * 4 / 3
)

// Verdict is what Check thinks of a nonce.
type Verdict int

// Only Fresh lets a request in. The others are answered by a new challenge with
// stale=true: the client may hold the right password.
const (
	Unknown Verdict = iota // not made with our key
	Stale                  // ours, but too old or of another node or boot
	Fresh                  // issued by this node since its start, not too old
)

// NewNonces makes the nonces of one running node. key is secret, random and the
// same on every node; node names this one and boot this start of it; a nonce is
// fresh for lifetime; now is the clock.
func NewNonces(key []byte, node, boot string, lifetime time.Duration, now func() time.Time) *Nonces {
	// A key of its own, so that no other use of the key can be made to sign.
	sub := keyed(key, "perch digest nonce", "")
	n := &Nonces{lifetime: lifetime, now: now, start: now()}
	copy(n.instance[:], keyed(sub, node, boot))
	n.signers.New = func() any { return &signer{mac: hmac.New(sha256.New, sub)} }
	return n
}

// keyed is an HMAC over two texts that no other pair of texts gives.
func keyed(key []byte, a, b string) []byte {
	m := hmac.New(sha256.New, key)
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(a)))
	m.Write(size[:])
	m.Write([]byte(a))
	m.Write([]byte(b))
	return m.Sum(nil)
}

// signer keeps an HMAC and its buffers for the next nonce: a challenge is
// answered to strangers and must be cheap.
type signer struct {
	mac hash.Hash
	raw [nonceLen]byte
	sum [sha256.Size]byte
}

// sign computes the checksum of raw's body.
func (s *signer) sign() []byte {
	s.mac.Reset()
	s.mac.Write(s.raw[:bodyLen])
	return s.mac.Sum(s.sum[:0])[:macLen]
}

// Issue makes a nonce: letters, digits, "-" and "_" only.
func (n *Nonces) Issue() string {
	s := n.signers.Get().(*signer)
	defer n.signers.Put(s)
	putMillis(s.raw[:], n.millisNow())
	copy(s.raw[timeLen:], n.instance[:])
	rand.Read(s.raw[timeLen+instanceLen : bodyLen]) // never fails (crypto/rand)
	copy(s.raw[bodyLen:], s.sign())
	var text [textLen]byte
	base64.RawURLEncoding.Encode(text[:], s.raw[:])
	return string(text[:])
}

// Check judges a nonce by itself; whether it was used before, Window knows.
func (n *Nonces) Check(nonce string) Verdict {
	s := n.signers.Get().(*signer)
	defer n.signers.Put(s)
	if !decodeNonce(&s.raw, nonce) || !hmac.Equal(s.raw[bodyLen:], s.sign()) {
		return Unknown
	}
	if [instanceLen]byte(s.raw[timeLen:]) != n.instance {
		return Stale
	}
	age := n.millisNow() - millis(s.raw[:])
	if age < 0 || age > n.lifetime.Milliseconds() {
		return Stale
	}
	return Fresh
}

// millisNow is the time nonces carry. It runs on the monotonic clock from the
// wall clock at the start: setting the clock back must neither lengthen a life
// nor make new nonces older than what a Window has forgotten.
func (n *Nonces) millisNow() int64 {
	return n.start.UnixMilli() + n.now().Sub(n.start).Milliseconds()
}

// decodeNonce reads the text of a nonce into its bytes.
func decodeNonce(raw *[nonceLen]byte, nonce string) bool {
	if len(nonce) != textLen {
		return false
	}
	var text [textLen]byte
	copy(text[:], nonce)
	// 40 characters hold 30 bytes without bits to spare: one text, one nonce.
	// Decode skips line breaks, so a shorter result is not ours.
	got, err := base64.RawURLEncoding.Decode(raw[:], text[:])
	return err == nil && got == nonceLen
}

// putMillis writes the low 48 bits of ms, enough until the year 10889.
func putMillis(b []byte, ms int64) {
	var v [8]byte
	binary.BigEndian.PutUint64(v[:], uint64(ms))
	copy(b[:timeLen], v[8-timeLen:])
}

func millis(b []byte) int64 {
	var v [8]byte
	copy(v[8-timeLen:], b[:timeLen])
	return int64(binary.BigEndian.Uint64(v[:]))
}
