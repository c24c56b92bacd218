package phoneapp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"perch/hotdesk/directory"
)

// seals makes what the pages' own URLs carry from one page to the next, so that
// nothing is kept here: stamps, ids and sealed confirmations.
type seals struct {
	key  []byte
	aead cipher.AEAD
}

func newSeals(key []byte) (*seals, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("phoneapp: key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("phoneapp: key: %w", err)
	}
	return &seals{key: key, aead: aead}, nil
}

// good is for how long a page may be acted on. Phones keep pages in a history;
// Back must not log somebody in or out long after.
const good = 3 * time.Minute

// stamp marks a page with its time and a random word.
func stamp(now time.Time) string {
	return strconv.FormatInt(now.Unix(), 36) + "-" + rand.Text()[:10]
}

// fresh tells whether a page with this stamp may still be acted on.
func fresh(stamp string, now time.Time) bool {
	at, word, ok := strings.Cut(stamp, "-")
	sec, err := strconv.ParseInt(at, 36, 64)
	if !ok || err != nil || len(word) != 10 {
		return false
	}
	age := now.Sub(time.Unix(sec, 0))
	return age >= -time.Minute && age < good
}

// id is the request and trace id of what a stamped page does: the same page and
// number give the same, so that a repeated request gets the first answer. Its
// first characters are the support code.
func (s *seals) id(d directory.DeviceID, words ...string) string {
	mac := hmac.New(sha256.New, s.key)
	fmt.Fprintf(mac, "%s\x00%s", d, strings.Join(words, "\x00"))
	return hex.EncodeToString(mac.Sum(nil))[:20]
}

// takeover is a login that waits for the person's yes.
type takeover struct {
	Number, Occupant string
	PIN              string
	Until            int64 // Unix seconds
}

// seal hides a takeover in a word for a path, short because phones cut long
// URLs. Only this device can use it.
func (s *seals) seal(d directory.DeviceID, t takeover) string {
	plain := strings.Join([]string{strconv.FormatInt(t.Until, 36), t.Number, t.Occupant, t.PIN}, "\x00")
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce) //nolint:errcheck // never fails, by its contract
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(plain), []byte(d.String())))
}

// open reads a takeover; false for one that was not sealed here for this
// device, or is too old.
func (s *seals) open(d directory.DeviceID, word string, now time.Time) (takeover, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(word)
	n := s.aead.NonceSize()
	if err != nil || len(raw) < n {
		return takeover{}, false
	}
	plain, err := s.aead.Open(nil, raw[:n], raw[n:], []byte(d.String()))
	if err != nil {
		return takeover{}, false
	}
	parts := strings.SplitN(string(plain), "\x00", 4)
	if len(parts) != 4 {
		return takeover{}, false
	}
	until, err := strconv.ParseInt(parts[0], 36, 64)
	return takeover{Number: parts[1], Occupant: parts[2], PIN: parts[3], Until: until}, err == nil && now.Unix() < until
}
