package location

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"perch/hotdesk/directory"
)

// PublicGRUU is the public GRUU of an instance at an AOR (RFC 5627 section
// 3.1.1): the AOR with the instance's URN as its gr parameter, so that it stays
// the same over restarts and registrations. Empty where the instance names no
// URN.
func PublicGRUU(aor directory.AOR, instance string) string {
	urn, ok := urnOf(instance)
	if !ok || aor.User == "" || aor.Domain == "" {
		return ""
	}
	return "sip:" + escapeUser(aor.User) + "@" + aor.Domain + ";gr=" + urn
}

// urnOf takes the URN out of a +sip.instance, in the form in which it stands in
// a URI parameter.
func urnOf(instance string) (string, bool) {
	urn := strings.TrimSuffix(strings.TrimPrefix(instance, "<"), ">")
	if len(urn) < 5 || !strings.EqualFold(urn[:4], "urn:") {
		return "", false
	}
	var b strings.Builder
	for _, c := range []byte(urn) {
		// paramchar of RFC 3261 section 25.1
		if isAlphanumeric(c) || strings.IndexByte("-_.!~*'()[]/:&+$", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// escapeUser writes a user part (RFC 3261 section 25.1).
func escapeUser(user string) string {
	var b strings.Builder
	for _, c := range []byte(user) {
		if isAlphanumeric(c) || strings.IndexByte("-_.!~*'()&=+$,;?/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// ParseGRUU tells whether a Request-URI is a public GRUU, and of what: the AOR
// whose contacts to read, and the instance among them.
func ParseGRUU(uri string) (aor directory.AOR, instance string, ok bool) {
	u, err := ParseURI(uri)
	if err != nil {
		return aor, "", false
	}
	urn, has := lookup(u.params, "gr")
	if !has || urn == "" || u.User == "" {
		return aor, "", false
	}
	if aor, err = NewAOR(u.User, u.Host); err != nil {
		return aor, "", false
	}
	return aor, "<" + decoded(urn) + ">", true
}

// decoded resolves every escape.
func decoded(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if v, ok := escape(s[i:]); ok {
			c, i = v, i+2
		}
		out = append(out, c)
	}
	return string(out)
}

// OfInstance gives the contacts that a request to a GRUU of the instance goes
// to, the newest flow first, the next one where it fails (RFC 5626 section 7,
// RFC 5627 section 6.1). None: the instance is not there now, which is 480.
func (s Set) OfInstance(instance string, now time.Time) []Contact {
	var out []Contact
	for _, c := range s.Contacts {
		if strings.EqualFold(c.Instance, instance) && c.Reachable(now) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Contact) int { return cmp.Compare(b.Updated, a.Updated) })
	return out
}

// Ranked gives the contacts that can be reached, those of the highest q first
// (RFC 3261 section 16.6), of equals the newest.
func (s Set) Ranked(now time.Time) []Contact {
	var out []Contact
	for _, c := range s.Contacts {
		if c.Reachable(now) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(b.Q, a.Q), cmp.Compare(b.Updated, a.Updated))
	})
	return out
}

// leadsBack tells a contact that is the AOR it is registered at, or a GRUU of
// it: a request to it would come here again.
func leadsBack(u URI, aor directory.AOR) bool {
	own, err := NewAOR(u.User, u.Host)
	return err == nil && u.Port == 0 && own == aor
}
