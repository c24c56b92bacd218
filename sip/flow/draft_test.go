package flow

import (
	"errors"
	"strings"
	"testing"

	"perch/sip/location"
)

func draft(change func(*Draft)) Draft {
	d := Draft{
		Method: "NOTIFY", URI: "sip:1001@192.0.2.7:5062;transport=tcp", Routes: []string{"<sip:p.test;lr>"},
		From: "<sip:perch@acme.test>;tag=a", To: "<sip:1001@acme.test>", CallID: "c", CSeq: 3,
		Contact: "<sip:perch@192.0.2.1>", Headers: []Field{{"Event", "check-sync;reboot=false"}},
	}
	if change != nil {
		change(&d)
	}
	return d
}

func TestDraft(t *testing.T) {
	req, err := draft(func(d *Draft) { d.ContentType, d.Body = "text/plain", []byte("hi") }).Build()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`NOTIFY sip:1001@192.0.2.7:5062;transport=tcp SIP/2.0
Route: <sip:p.test;lr>
Max-Forwards: 70
From: <sip:perch@acme.test>;tag=a
To: <sip:1001@acme.test>
Call-ID: c
CSeq: 3 NOTIFY
Contact: <sip:perch@192.0.2.1>
Event: check-sync;reboot=false
Content-Type: text/plain
Content-Length: 2

hi`, "\n", "\r\n")
	if got := req.String(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestRequestURIVerbatim: what a phone registered comes back to it byte by byte.
func TestRequestURIVerbatim(t *testing.T) {
	for _, uri := range []string{
		"sip:1001@192.0.2.7", "SIP:%61@HOST:5060", "sip:a@[2001:DB8::1]:5060;x=1;Transport=UDP", "sips:a:pw@h;lr?Subject=x&Y=z", "sip:h", "sip:a@h;p;q=a/b",
	} {
		req, err := draft(func(d *Draft) { d.URI = uri }).Build()
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			continue
		}
		if line, _, _ := strings.Cut(req.String(), "\r\n"); line != "NOTIFY "+uri+" SIP/2.0" {
			t.Errorf("%s became %s", uri, line)
		}
	}
}

func TestDraftRefuses(t *testing.T) {
	for name, change := range map[string]func(*Draft){
		"line break in the URI":   func(d *Draft) { d.URI = "sip:a@b\r\nX: y" },
		"blank in the URI":        func(d *Draft) { d.URI = "sip:a b@c" },
		"brackets in the URI":     func(d *Draft) { d.URI = "sip:a@b>" },
		"no SIP URI":              func(d *Draft) { d.URI = "tel:112" },
		"no URI":                  func(d *Draft) { d.URI = "" },
		"line break in From":      func(d *Draft) { d.From = "<sip:a>\r\nX: y" },
		"line break in To":        func(d *Draft) { d.To = "<sip:a>\nX: y" },
		"zero in Call-ID":         func(d *Draft) { d.CallID = "a\x00" },
		"line break in a route":   func(d *Draft) { d.Routes[0] += "\r\n" },
		"line break in a header":  func(d *Draft) { d.Headers[0].Value = "a\r\nb" },
		"header name with colon":  func(d *Draft) { d.Headers[0].Name = "A: b\r\nC" },
		"line break in Contact":   func(d *Draft) { d.Contact = "<sip:a>\r" },
		"method with blank":       func(d *Draft) { d.Method = "NOTIFY sip:x" },
		"no To":                   func(d *Draft) { d.To = "" },
		"line break in body type": func(d *Draft) { d.ContentType = "a/b\r\nX: y" },
	} {
		if _, err := draft(change).Build(); !errors.Is(err, ErrUnsafe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDraft(f *testing.F) {
	f.Add("sip:a@b", "<sip:c>", "Event", "x")
	f.Fuzz(func(t *testing.T, uri, from, name, value string) {
		req, err := draft(func(d *Draft) { d.URI, d.From, d.Headers = uri, from, []Field{{name, value}} }).Build()
		if err != nil {
			return
		}
		text := req.String()
		if strings.Count(text, "\n") != strings.Count(text, "\r\n") || strings.Count(text, "\r\n") != 11 {
			t.Fatalf("%q", text)
		}
	})
}

func TestAdvertised(t *testing.T) {
	s := NewSender("n")
	f := location.Flow{Node: "n", Transport: "tcp", Local: "192.0.2.1:5060"}
	if s.HostPort(f) != "" || s.Contact(f, "perch") != "" {
		t.Error("a flow that is gone has an address")
	}
	s.Add(Endpoint{Transport: "tcp", Local: f.Local})
	if got := s.Contact(f, "perch"); got != "sip:perch@192.0.2.1:5060;transport=tcp" {
		t.Error(got)
	}
	s.Add(Endpoint{Transport: "tcp", Local: f.Local, Advertise: "sip.acme.test:5070"})
	if got := s.Contact(f, "perch"); got != "sip:perch@sip.acme.test:5070;transport=tcp" {
		t.Error(got)
	}
}
