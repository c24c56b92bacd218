package media

import (
	"bytes"
	"strings"

	"github.com/pion/sdp/v3"
)

const (
	maxBody     = 32 << 10 // bytes of a session description
	maxLines    = 1000
	maxSections = 32 // m= lines
)

// parse reads a session description. Phones order lines as they like, forget
// some, and end them with a lone LF, which the parser refuses: then only what
// matters here is put into the order of RFC 8866 section 5 and read again.
func parse(body []byte) (*sdp.SessionDescription, error) {
	if len(body) > maxBody || bytes.IndexByte(body, 0) >= 0 {
		return nil, ErrMalformed
	}
	var s sdp.SessionDescription
	if err := s.Unmarshal(body); err != nil {
		s = sdp.SessionDescription{}
		if err := s.UnmarshalString(tidy(string(body))); err != nil {
			return nil, ErrMalformed
		}
	}
	if n := len(s.MediaDescriptions); n == 0 || n > maxSections {
		return nil, ErrMalformed
	}
	return &s, nil
}

// section is the session part, or one m= line with what belongs to it.
type section struct{ media, connection, attributes []string }

// tidy rewrites a description: connection, attribute and media lines only,
// with the mandatory lines in front.
func tidy(body string) string {
	sections := []section{{}}
	lines := strings.FieldsFunc(body, func(r rune) bool { return r == '\r' || r == '\n' })
	for _, line := range lines[:min(len(lines), maxLines)] {
		kind, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		at := &sections[len(sections)-1]
		switch strings.TrimSpace(kind) {
		case "m":
			words := strings.Fields(value)
			if len(words) < 4 {
				words = append(words, "0") // a section without formats is refused, not forgotten
			}
			sections = append(sections, section{media: []string{"m=" + strings.Join(words, " ")}})
		case "c":
			at.connection = []string{"c=" + strings.Join(strings.Fields(value), " ")}
		case "a":
			if value != "" {
				at.attributes = append(at.attributes, "a="+value)
			}
		}
	}
	out := []string{"v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-"}
	for i, sec := range sections {
		out = append(append(out, sec.media...), sec.connection...)
		if i == 0 {
			out = append(out, "t=0 0")
		}
		out = append(out, sec.attributes...)
	}
	return strings.Join(out, "\r\n") + "\r\n"
}
