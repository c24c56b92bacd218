package brand

import "strings"

// maxNotice bounds a short text for a phone's screen, in characters; the NOTIFY
// that carries it has to fit one datagram (RFC 3261 section 18.1.1).
const maxNotice = 200

// Notice makes of a text what a phone's screen may be given: one short line.
func Notice(text string) string {
	return ClipTo(strings.TrimSpace(clean(text)), maxNotice)
}

// Message writes a short text as a page of the dialect: the phone shows it for
// seconds, or until somebody leaves it, where the dialect knows the attribute
// Timeout.
func (s TextScreens) Message(title, text string) []byte {
	s.Page = append(append([]string(nil), s.Notice...), "Timeout", "45")
	return s.text(Page{Title: Clip(title), Text: []string{Notice(text)}}).Document()
}
