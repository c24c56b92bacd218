package directory

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// LoggedOut is what a caller gets while nobody is logged in as the extension
// and no phone of its own is registered. One of the three is set.
type LoggedOut struct {
	Status    int    `json:"status,omitempty"`    // the final response, one of Statuses
	Forward   string `json:"forward,omitempty"`   // the number that is called instead
	Voicemail bool   `json:"voicemail,omitempty"` // the extension's number is called at the upstream, whose voicemail answers
}

// Statuses are the responses that may stand for somebody who is not there (RFC
// 3261 sections 21.4 and 21.6). The first is that of an extension without
// logged_out.
func Statuses() []int { return []int{480, 404, 410, 486, 600, 603} }

// forwardForm is what can be dialled in place of an extension.
var forwardForm = regexp.MustCompile(`^\+?[A-Za-z0-9._-]{1,32}$`)

func (p *parser) loggedOut(f field, number string) *LoggedOut {
	var l LoggedOut
	said := 0
	if !p.object(f.place, f.node, func(g field) bool {
		said++
		switch g.key {
		case "status":
			l.Status = p.status(g)
		case "forward":
			if l.Forward = p.match(g, forwardForm, "a number of the tenant or of the upstream"); l.Forward != "" && l.Forward == number {
				p.fault(g, "%s forwards to itself: name another number", number)
			}
		case "voicemail":
			if b := p.boolean(g); b != nil {
				l.Voicemail = *b
				if !l.Voicemail {
					said--
				}
			}
		default:
			return false
		}
		return true
	}, "status", "forward", "voicemail") {
		return nil
	}
	if said > 1 {
		p.fault(f, "says more than one thing: keep one of status, forward and voicemail")
	}
	if l == (LoggedOut{}) {
		return nil
	}
	return &l
}

func (p *parser) status(f field) int {
	s, ok := p.scalar(f)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || !slices.Contains(Statuses(), n) {
		p.fault(f, "must be one of %s", strings.Join(numbers(Statuses()), ", "))
		return 0
	}
	return n
}

func numbers(all []int) []string {
	out := make([]string, len(all))
	for i, n := range all {
		out[i] = strconv.Itoa(n)
	}
	return out
}

func loggedOutFlow(l *LoggedOut) flow {
	var f flow
	if l == nil {
		return f
	}
	f.count("status", l.Status)
	f.text("forward", l.Forward)
	if l.Voicemail {
		f.raw("voicemail", "true")
	}
	return f
}

// line is what a diff shows; nil is nothing.
func (l *LoggedOut) line() string {
	switch {
	case l == nil:
		return ""
	case l.Voicemail:
		return "voicemail"
	case l.Forward != "":
		return "forward " + l.Forward
	}
	return strconv.Itoa(l.Status)
}
