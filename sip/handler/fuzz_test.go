package handler

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// FuzzParse: our use of the stack's parser. Whatever comes, nothing panics, and
// of what Validate lets through every accessor that handlers use may be used.
func FuzzParse(f *testing.F) {
	for _, lines := range [][]string{
		{"REGISTER sip:acme.test SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport", "From: <sip:1@acme.test>;tag=1", "To: <sip:1@acme.test>", "Call-ID: 1", "CSeq: 1 REGISTER", "m: \"a\\\",b\" <sip:1@192.0.2.1;x=\"a;b=c\">;expires=60, <sip:2@[2001:db8::1]:5060>", "l: 0"},
		{"INVITE sip:a;b=c@[::1]?x=y SIP/2.0", "v: SIP/2.0/TCP a;received=b, SIP / 2.0 / UDP c", "f: \"\\\\\" <sip:a>;tag=b", "t:\r\n sip:a", "i: b", "CSeq: 4294967296 INVITE", "Max-Forwards: 0", "Content-Length: 2", "", "ab"},
		{"SIP/2.0 200 OK", "Via: SIP/2.0/UDP a", "CSeq: 1 x"},
	} {
		f.Add([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	}
	parser := sip.NewParser(sip.WithHeadersParsers(HeaderParsers()))
	f.Fuzz(func(t *testing.T, b []byte) {
		stream := parser.NewSIPStream()
		_ = stream.ParseSIPStream(b, func(sip.Message) {})
		msg, err := parser.ParseSIP(b)
		if err != nil {
			return
		}
		req, ok := msg.(*sip.Request)
		if !ok {
			return
		}
		ValueOf(req, nil)
		if Validate(req) != nil {
			return
		}
		r := NewRequest(req, nil, Arrival{}, "Perch", start)
		res := r.Response(200, "")
		for _, h := range res.Headers() {
			if broken(h.Value()) {
				t.Fatalf("a response with %q", h.Value())
			}
		}
		if r.CallID() == "" && len(*req.CallID()) > 0 || r.Method() == "" || r.name() != "" && strings.ContainsAny(r.name(), "\r\n") {
			t.Fatalf("%q, %q", r.CallID(), r.name())
		}
	})
}
