package location

import (
	"strconv"
	"strings"
)

// Wanted is one value of a REGISTER's Contact header fields.
type Wanted struct {
	URI      string // as written, without angle brackets
	Q        int    // q times 1000; 1000 when absent or malformed
	Expires  int64  // of the parameter; Absent or Bad
	Instance string // +sip.instance, without quotes
	RegID    int
	uri      URI
}

// Values of an interval that is not a number of seconds.
const (
	Absent int64 = -1 // not given
	Bad    int64 = -2 // given but malformed: the default applies (RFC 3261 section 10.2.1.1)
)

// maxWanted bounds the contacts of one request.
const maxWanted = 10

// ParseContacts reads all Contact header fields of a REGISTER, in order. star
// tells "*" (RFC 3261 section 10.2.2), which stands alone. Forgiven is what
// phones do: empty elements, a trailing comma, odd blanks, a quoted number.
// The error is ErrMalformed, or ErrTooMany for more than 10 contacts.
func ParseContacts(fields []string) (contacts []Wanted, star bool, err error) {
	for _, f := range fields {
		s := scanner{rest: f}
		for s.next() {
			if s.star() {
				star = true
				continue
			}
			if len(contacts) == maxWanted {
				return nil, false, ErrTooMany
			}
			w, ok := s.contact()
			if !ok {
				return nil, false, ErrMalformed
			}
			contacts = append(contacts, w)
		}
	}
	if star && len(contacts) > 0 {
		return nil, false, ErrMalformed
	}
	return contacts, star, nil
}

// ParseSeconds reads an Expires value: Absent for "", Bad for what is no
// number of 32 bits (RFC 3261 section 20.19).
func ParseSeconds(s string) int64 {
	s = strings.TrimSpace(s)
	if s == "" {
		return Absent
	}
	v, err := strconv.ParseUint(strings.Trim(s, `"`), 10, 32)
	if err != nil {
		return Bad
	}
	return int64(v)
}

// parseQ reads a qvalue (RFC 3261 section 25.1): 0 to 1 with three decimals.
func parseQ(s string) int {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return 1000
	}
	return int(v*1000 + 0.5)
}

// scanner walks the values of one Contact header field.
type scanner struct{ rest string }

func (s *scanner) blanks() { s.rest = strings.TrimLeft(s.rest, " \t\r\n") }

// next skips to the next value; false at the end.
func (s *scanner) next() bool {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n,")
	return s.rest != ""
}

func (s *scanner) star() bool {
	after, ok := strings.CutPrefix(s.rest, "*")
	if !ok {
		return false
	}
	after = strings.TrimLeft(after, " \t\r\n")
	if after != "" && after[0] != ',' {
		return false
	}
	s.rest = after
	return true
}

// contact reads one name-addr or addr-spec with its parameters. In an
// addr-spec every parameter is the header's (RFC 3261 section 20.10).
func (s *scanner) contact() (Wanted, bool) {
	w := Wanted{Q: 1000, Expires: Absent}
	if strings.HasPrefix(s.rest, `"`) {
		if _, ok := s.quoted(); !ok {
			return w, false
		}
		s.blanks()
	}
	if !s.address(&w) {
		return w, false
	}
	u, err := ParseURI(w.URI)
	if err != nil {
		return w, false
	}
	w.uri = u
	for n := 0; ; n++ {
		s.blanks()
		after, ok := strings.CutPrefix(s.rest, ";")
		if !ok {
			return w, s.rest == "" || s.rest[0] == ','
		}
		s.rest = after
		if n == maxParams || !s.param(&w) {
			return w, false
		}
	}
}

// address reads an unquoted display name and the URI.
func (s *scanner) address(w *Wanted) bool {
	open := strings.IndexAny(s.rest, "<,;\"")
	if open >= 0 && s.rest[open] == '<' {
		end := strings.IndexByte(s.rest[open:], '>')
		if end < 0 {
			return false
		}
		w.URI = strings.TrimSpace(s.rest[open+1 : open+end])
		s.rest = s.rest[open+end+1:]
		return true
	}
	end := strings.IndexAny(s.rest, ";, \t\r\n")
	if end < 0 {
		end = len(s.rest)
	}
	w.URI, s.rest = s.rest[:end], s.rest[end:]
	return true
}

// param reads one parameter after its semicolon.
func (s *scanner) param(w *Wanted) bool {
	s.blanks()
	end := strings.IndexAny(s.rest, "=;, \t\r\n\"")
	if end < 0 {
		end = len(s.rest)
	}
	name := s.rest[:end]
	s.rest = s.rest[end:]
	s.blanks()
	after, ok := strings.CutPrefix(s.rest, "=")
	if !ok {
		return true // a flag; or nothing, after a semicolon too many
	}
	s.rest = after
	s.blanks()
	value, ok := s.value()
	if !ok {
		return false
	}
	switch {
	case strings.EqualFold(name, "expires"):
		if w.Expires = ParseSeconds(value); w.Expires == Absent {
			w.Expires = Bad
		}
	case strings.EqualFold(name, "q"):
		w.Q = parseQ(value)
	case strings.EqualFold(name, "+sip.instance"):
		w.Instance = clip(value)
	case strings.EqualFold(name, "reg-id"):
		if n, err := strconv.ParseUint(value, 10, 31); err == nil {
			w.RegID = int(n)
		}
	}
	return true
}

// clip bounds a value that is stored and given back in quotes: one with
// anything in it that would need escaping there is dropped.
func clip(v string) string {
	if len(v) > 128 || strings.ContainsAny(v, "\"\\") || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return ""
	}
	return v
}

func (s *scanner) value() (string, bool) {
	if strings.HasPrefix(s.rest, `"`) {
		return s.quoted()
	}
	end := strings.IndexAny(s.rest, ";, \t\r\n\"")
	if end < 0 {
		end = len(s.rest)
	}
	v := s.rest[:end]
	s.rest = s.rest[end:]
	return v, true
}

// quoted reads a quoted string with its escapes (RFC 3261 section 25.1).
func (s *scanner) quoted() (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; c {
		case '\\':
			if i++; i == len(s.rest) {
				return "", false
			}
			b.WriteByte(s.rest[i])
		case '"':
			s.rest = s.rest[i+1:]
			return b.String(), true
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
