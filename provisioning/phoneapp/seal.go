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
	Place            string // of the login button; empty: there was one only
	Until            int64  // Unix seconds
}

// seal hides a takeover in a word for a path.
func (s *seals) seal(d directory.DeviceID, t takeover) string {
	return s.hide(d, "take", t.Until, t.Number, t.Occupant, t.Place, t.PIN)
}

// open reads a takeover; false for one that was not sealed here for this
// device, or is too old.
func (s *seals) open(d directory.DeviceID, word string, now time.Time) (takeover, bool) {
	w, until, ok := s.reveal(d, "take", word, now, 4)
	if !ok {
		return takeover{}, false
	}
	return takeover{Number: w[0], Occupant: w[1], Place: w[2], PIN: w[3], Until: until}, true
}

// hide seals words for one purpose in a word for a path, short because phones cut
// long URLs. Only this device can use it, until then (Unix seconds). Only the last
// word may hold a NUL.
func (s *seals) hide(d directory.DeviceID, purpose string, until int64, words ...string) string {
	plain := strings.Join(append([]string{strconv.FormatInt(until, 36)}, words...), "\x00")
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce) //nolint:errcheck // never fails, by its contract
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(plain), []byte(purpose+" "+d.String())))
}

// reveal reads n words that hide sealed; false for what was not sealed here for
// this purpose and device, or is too old.
func (s *seals) reveal(d directory.DeviceID, purpose, word string, now time.Time, n int) (words []string, until int64, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(word)
	size := s.aead.NonceSize()
	if err != nil || len(raw) < size {
		return nil, 0, false
	}
	plain, err := s.aead.Open(nil, raw[:size], raw[size:], []byte(purpose+" "+d.String()))
	if err != nil {
		return nil, 0, false
	}
	parts := strings.SplitN(string(plain), "\x00", n+1)
	if len(parts) != n+1 {
		return nil, 0, false
	}
	until, err = strconv.ParseInt(parts[0], 36, 64)
	return parts[1:], until, err == nil && now.Unix() < until
}
