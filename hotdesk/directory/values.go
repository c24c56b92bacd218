package directory

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// text reads what people read: names, labels. Line breaks are kept; whoever
// renders the text makes blanks of them.
func (p *parser) text(f field) string {
	s, ok := p.scalar(f)
	if ok && strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && !isBreak(r) }) {
		p.fault(f, "contains a control character: remove it")
		return ""
	}
	return s
}

func isBreak(r rune) bool { return r == '\n' || r == '\r' || r == '\t' || r == '\u0085' }

// word reads what programs read: no line break or control character.
func (p *parser) word(f field) string {
	s, ok := p.scalar(f)
	if ok && strings.ContainsFunc(s, isControl) {
		p.fault(f, "contains a line break or control character: remove it")
		return ""
	}
	return s
}

func isControl(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// The grammars of short values.
var (
	nameForm      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)
	brandForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	emergencyForm = regexp.MustCompile(`^[+*#0-9][*#0-9]{1,15}$`)
	callerForm    = regexp.MustCompile(`^\+?[0-9]{1,31}$`)
	codeForm      = regexp.MustCompile(`^\*[0-9]{1,8}$`)
	timeForm      = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	logoutForm    = regexp.MustCompile(`^(([01][0-9]|2[0-3]):[0-5][0-9]|never)$`)
	emailForm     = regexp.MustCompile(`^[^@\s<>"]+@[^@\s<>"]+$`)
	realmForm     = regexp.MustCompile(`^[ !#-\[\]-~]{1,128}$`) // no quote, no backslash: it is sent as a quoted-string
	countryForm   = regexp.MustCompile(`^[A-Z]{2}$`)
	sipURIForm    = regexp.MustCompile(`^sips?:([A-Za-z0-9._~!$&'()*+,;=%-]+@)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(;[A-Za-z0-9._~!$+:\[\]/%-]+(=[A-Za-z0-9._~!$+:\[\]/%-]+)?)*$`)
)

// match reads a value of a grammar; want ends the sentence "must be ...".
func (p *parser) match(f field, form *regexp.Regexp, want string) string {
	s := p.word(f)
	if s != "" && !form.MatchString(s) {
		p.fault(f, "must be %s", want)
		return ""
	}
	return s
}

func (p *parser) name(f field) string {
	return p.match(f, nameForm, "1 to 64 of A-Z, a-z, 0-9, . _ - (and not begin with . or -)")
}

// oneOf reads a value of a closed set. What is not understood is a fault and
// never a permission.
func (p *parser) oneOf(f field, set ...string) string {
	s := p.word(f)
	if s != "" && !slices.Contains(set, s) {
		p.fault(f, "%q is not understood: use one of %s", s, strings.Join(set, ", "))
		return ""
	}
	return s
}

// set reads a list of distinct values of a closed set; nil when there is none.
func (p *parser) set(f field, fold bool, values ...string) []string {
	out := []string{}
	count := p.list(f, maxList, func(f field) {
		s := p.word(f)
		if fold {
			s = strings.ToLower(s)
		}
		switch {
		case !slices.Contains(values, s):
			p.fault(f, "%q is not understood: use one of %s", s, strings.Join(values, ", "))
		case slices.Contains(out, s):
			p.fault(f, "%q is listed twice: keep one of the two", s)
		default:
			out = append(out, s)
		}
	})
	switch count {
	case noList:
		return nil
	case 0:
		p.fault(f, "is empty: leave it out for the default, or list some of %s", strings.Join(values, ", "))
	}
	return out
}

func (p *parser) integer(f field, low, high int) *int {
	s, ok := p.scalar(f)
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		p.fault(f, "must be a number from %d to %d", low, high)
		return nil
	}
	return &n
}

func (p *parser) boolean(f field) *bool {
	s, ok := p.scalar(f)
	if !ok {
		return nil
	}
	b := s == "true"
	if !b && s != "false" {
		p.fault(f, "must be true or false")
		return nil
	}
	return &b
}

// maxDuration bounds every duration of a policy: a year.
const maxDuration = 366 * 24 * time.Hour

func (p *parser) duration(f field) *Duration {
	s, ok := p.scalar(f)
	if !ok {
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxDuration {
		p.fault(f, "must be a duration such as 90m or 8h, at most a year (8784h)")
		return nil
	}
	out := Duration(d)
	return &out
}

// zone reads an IANA time zone name.
func (p *parser) zone(f field) string {
	s := p.word(f)
	if s == "" || p.zones[s] {
		return s
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		p.fault(f, "%q is not a time zone: use an IANA name such as Europe/Berlin", s)
		return ""
	}
	p.zones[s] = true
	return s
}

// domain reads a host name or IPv4 address, in lower case.
func (p *parser) domain(f field) string {
	s := strings.ToLower(p.word(f))
	if s != "" && !isHost(s) {
		p.fault(f, "must be a host name such as acme.example, without scheme and port")
		return ""
	}
	return s
}

// isHost is the grammar of RFC 1123 section 2.1: labels of letters, digits and
// inner dashes.
func isHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// prefix reads an IP address or a prefix.
func (p *parser) prefix(f field) string {
	s := p.word(f)
	if _, err := netip.ParseAddr(s); err == nil {
		return s
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return s
	}
	p.fault(f, "must be an IP address or a prefix such as 192.0.2.0/24")
	return ""
}
