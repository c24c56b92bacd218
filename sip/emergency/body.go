package emergency

import (
	"strings"
)

// Part is the PIDF-LO of one call, with the Content-ID that Geolocation names.
type Part struct {
	ID       string // local@host, without angle brackets
	Document []byte
}

// Header is a header field that an emergency call gets.
type Header struct{ Name, Value string }

// Headers are those of RFC 6442 sections 4.1 and 4.2: the place is in the body,
// and servers may route by it.
func (p Part) Headers() []Header {
	return []Header{{"Geolocation", "<cid:" + p.ID + ">"}, {"Geolocation-Routing", "yes"}}
}

// boundaryBytes bounds a boundary (RFC 2046 section 5.1.1: 70 characters).
const boundaryBytes = 60

// Join puts the document beside what the caller sent, as multipart/mixed (RFC
// 2046 section 5.1.3, RFC 5621 section 3). An empty body gives the document
// alone. boundary is random text of letters and digits, which the caller cannot
// have foreseen.
func (p Part) Join(contentType string, body []byte, boundary string) (string, []byte) {
	boundary = "perch-" + boundary[:min(len(boundary), boundaryBytes)]
	if len(body) == 0 {
		return MediaType, p.Document
	}
	var b strings.Builder
	part := func(kind, id string, content []byte) {
		b.WriteString("--" + boundary + "\r\nContent-Type: " + kind + "\r\n")
		if id != "" {
			b.WriteString("Content-ID: <" + id + ">\r\n")
		}
		b.WriteString("\r\n")
		b.Write(content)
		b.WriteString("\r\n")
	}
	part(clean(contentType), "", body)
	part(MediaType, p.ID, p.Document)
	b.WriteString("--" + boundary + "--\r\n")
	return "multipart/mixed;boundary=" + boundary, []byte(b.String())
}

// clean keeps a media type on its line.
func clean(s string) string {
	if s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s); s == "" {
		return "application/sdp"
	}
	return s
}
