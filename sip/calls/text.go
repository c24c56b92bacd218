package calls

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clip cuts a text to at most n bytes of valid UTF-8 without control
// characters.
func clip(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func bounded(p Party) Party {
	p.Number, p.MAC = clip(p.Number, 64), clip(p.MAC, 12)
	p.Display, p.URI = clip(p.Display, maxName), clip(p.URI, maxText)
	return p
}

// tagOf is a tag as it is kept and compared: a long one by its digest.
func tagOf(tag string) string {
	if len(tag) <= 64 {
		return tag
	}
	sum := sha256.Sum256([]byte(tag))
	return hex.EncodeToString(sum[:16])
}

// dialled is what was dialled, without what could be a PIN: somebody may have
// dialled a feature code that this tenant does not have.
func dialled(p Party) Party {
	p = bounded(p)
	if secretive(p.Number) {
		p.Number = p.Number[:1] + "..."
	}
	if _, user, ok := strings.Cut(p.URI, ":"); ok && secretive(user) {
		p.URI = ""
	}
	return p
}

func secretive(user string) bool {
	return strings.HasPrefix(user, "*") || strings.HasPrefix(user, "#") || strings.HasPrefix(user, "%2")
}
