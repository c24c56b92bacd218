package digest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzParseCredentials(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.header)
	}
	f.Add(`digest username="\"",realm=r,nonce=,uri="a\"b",response="",nc=1,qop=x`)
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCredentials(s)
		if err != nil {
			return
		}
		c.Verify("password", "REGISTER", MD5, SHA256)
		text := c.String()
		if hasControl(text) {
			t.Fatalf("control character in %q", text)
		}
		if len(text) > maxHeader || strings.ContainsAny(c.URI, `"\`) {
			return
		}
		// A text of ours reads back, and what was cleaned once stays as it is.
		clean, err := ParseCredentials(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		again, err := ParseCredentials(clean.String())
		if err != nil || again != clean {
			t.Fatalf("%q became %q, %v", text, again.String(), err)
		}
	})
}

func FuzzParseChallenges(f *testing.F) {
	f.Add(`Digest realm="r", nonce="n", qop="auth, auth-int", stale=true`)
	f.Add(`Basic realm="x", Digest nonce=n,qop=auth,auth-int,algorithm=MD5-sess`)
	f.Add(`Digest realm="\"\\", nonce="`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range ParseChallenges([]string{s, s}) {
			text := c.String()
			if hasControl(text) {
				t.Fatalf("control character in %q", text)
			}
			if got := ParseChallenges([]string{text}); len(text) <= maxHeader && len(got) == 1 && got[0].String() != text {
				t.Fatalf("%q became %s", text, cmp.Diff(c, got[0]))
			} else if len(text) <= maxHeader && len(got) != 1 {
				t.Fatalf("%q read as %d challenges", text, len(got))
			}
		}
	})
}
