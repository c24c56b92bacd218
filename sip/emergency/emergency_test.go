package emergency

import (
	"bytes"
	"encoding/xml"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

func TestNumbers(t *testing.T) {
	of := []string{"112", "110"}
	for number, want := range map[string]bool{
		"112": true, "110": true, "911": false, "sos": true, "SOS.police": true, "urn:service:sos": true, "urn:service:sos.ambulance": true,
		"URN:service:SOS": true, "sos.": false, "sosx": false, "1001": false, "": false, "urn:service:counseling": false, "sos.a b": false, strings.Repeat("sos.", 40): false,
	} {
		if got := IsNumber(number, of); got != want {
			t.Errorf("%q: %t", number, got)
		}
	}
	for number, want := range map[string]string{"110": "110", "sos.police": "112"} {
		if got, ok := Dialled(number, of); got != want || !ok {
			t.Errorf("%q is dialled as %q", number, got)
		}
	}
	if _, ok := Dialled("sos", nil); ok {
		t.Error("a tenant without numbers")
	}
	for number, want := range map[string]string{
		"+493012345": "493012345", "00493012345": "493012345", "493012345": "493012345", "(030) 123-45": "03012345", "+00123": "00123",
		"1001": "1001", "ada": "", "": "", "12": "", strings.Repeat("1", 40): "",
	} {
		if got := CallbackKey(number); got != want {
			t.Errorf("%q is %q", number, got)
		}
	}
}

var berlin = directory.Address{Country: "DE", State: "BE", City: "Berlin", PostalCode: "10115", Street: "Example 1", Building: "A", Floor: "3", Room: "14"}

func TestPlaceOf(t *testing.T) {
	site := directory.Site{Address: berlin, EmergencyCallerID: "+4930"}
	for name, tc := range map[string]struct {
		device directory.Address
		want   string
	}{
		"the site's":      {directory.Address{}, "room 14, floor 3, building A, Example 1, 10115 Berlin, BE, DE"},
		"another room":    {directory.Address{Room: "15"}, "room 15, floor 3, building A, Example 1, 10115 Berlin, BE, DE"},
		"another floor":   {directory.Address{Floor: "4"}, "floor 4, building A, Example 1, 10115 Berlin, BE, DE"},
		"another house":   {directory.Address{Building: "B", Room: "1"}, "room 1, building B, Example 1, 10115 Berlin, BE, DE"},
		"another street":  {directory.Address{Street: "Other 2"}, "Other 2, Berlin, BE, DE"},
		"another city":    {directory.Address{City: "Bonn", Street: "Other 2"}, "Other 2, Bonn, DE"},
		"another country": {directory.Address{Country: "FR", City: "Paris"}, "Paris, FR"},
	} {
		p := PlaceOf(directory.Device{Address: tc.device}, directory.Desk{}, site)
		if p.Line() != tc.want || !p.Usable() || p.CallerID != "+4930" {
			t.Errorf("%s: %s", name, p.Line())
		}
	}
	p := PlaceOf(directory.Device{Desk: "Berlin\n3.14", EmergencyCallerID: "+49"}, directory.Desk{}, site)
	if p.Desk != "Berlin 3.14" || p.CallerID != "+49" {
		t.Errorf("%+v", p)
	}
	at := directory.Desk{ID: directory.DeskID{Code: "b3"}, Label: "Window", Address: directory.Address{Room: "16"}, EmergencyCallerID: "+48"}
	if p := PlaceOf(directory.Device{}, at, site); p.Desk != "Window" || p.CallerID != "+48" || p.Address.Room != "16" || p.Address.City != "Berlin" {
		t.Errorf("%+v", p)
	}
	for a, want := range map[directory.Address]string{
		{}: "no address", {City: "Bonn"}: "no country", {Country: "DE"}: "neither city nor street", {Country: "DE", Street: "x"}: "",
	} {
		if got := (Place{Address: a}).Missing(); got != want {
			t.Errorf("%+v: %q", a, got)
		}
	}
}

// wellFormed reads a document to its end and gives its civic elements.
func wellFormed(t *testing.T, doc []byte) map[string]string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	got, at := map[string]string{}, ""
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			at = ""
			if tok.Name.Space == "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr" {
				at = tok.Name.Local
			}
		case xml.CharData:
			if at != "" {
				got[at] += string(tok)
			}
		case xml.EndElement:
			at = ""
		}
	}
}

func TestPIDF(t *testing.T) {
	p := PlaceOf(directory.Device{Desk: `3.14 <by the "window"> & door`}, directory.Desk{}, directory.Site{Address: berlin})
	got := wellFormed(t, p.PIDF("001565aabb01@acme.test", time.Unix(1_700_000_000, 0)))
	for name, want := range map[string]string{
		"country": "DE", "A1": "BE", "A3": "Berlin", "RD": "Example 1", "PC": "10115", "BLD": "A", "FLR": "3", "ROOM": "14",
		"LOC": `3.14 <by the "window"> & door`,
	} {
		if got[name] != want {
			t.Errorf("%s is %q", name, got[name])
		}
	}
}

// TestJoin: the SDP arrives as it was, and the document can be found by the
// Content-ID that the header names.
func TestJoin(t *testing.T) {
	p := Part{ID: "abc@acme.test", Document: []byte("<presence/>")}
	sdp := "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
	kind, body := p.Join("application/sdp", []byte(sdp), strings.Repeat("x", 100))
	media, params, err := mime.ParseMediaType(kind)
	if err != nil || media != "multipart/mixed" || len(params["boundary"]) > 70 {
		t.Fatal(kind, err)
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for _, want := range []struct{ kind, id, text string }{{"application/sdp", "", sdp}, {MediaType, "<abc@acme.test>", "<presence/>"}} {
		part, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil || string(text) != want.text || part.Header.Get("Content-Type") != want.kind || part.Header.Get(textproto.CanonicalMIMEHeaderKey("Content-ID")) != want.id {
			t.Errorf("%q %v %v", text, part.Header, err)
		}
	}
	if _, err := r.NextPart(); err != io.EOF {
		t.Error(err)
	}
	if kind, body := p.Join("", nil, "x"); kind != MediaType || string(body) != "<presence/>" {
		t.Error(kind, string(body))
	}
	if h := p.Headers(); h[0].Value != "<cid:abc@acme.test>" || h[1].Value != "yes" {
		t.Error(h)
	}
}

// FuzzPIDF: whatever stands in the directory, the document is well formed.
func FuzzPIDF(f *testing.F) {
	f.Add("Berlin", "Example 1", "<&>\"'", "user@host")
	f.Add("\x00\x1b", "\ufffe\uffff", "\xff\xfe", "\r\n")
	f.Fuzz(func(t *testing.T, city, street, desk, entity string) {
		p := Place{Address: directory.Address{Country: "DE", City: city, Street: street}, Desk: desk}
		wellFormed(t, p.PIDF(entity, time.Unix(0, 0)))
	})
}

// FuzzJoin: a body cannot end its part before its time.
func FuzzJoin(f *testing.F) {
	f.Add("application/sdp", []byte("v=0"))
	f.Add("multipart/mixed;boundary=a\r\nX: y", []byte("--a--"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if len(body) == 0 || bytes.Contains(body, []byte("perch-")) {
			return
		}
		out, joined := Part{ID: "a@b", Document: []byte("<presence/>")}.Join(kind, body, "unforeseen")
		_, params, err := mime.ParseMediaType(out)
		if err != nil {
			t.Fatal(err)
		}
		r := multipart.NewReader(bytes.NewReader(joined), params["boundary"])
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(part); err != nil || !bytes.Equal(text, body) {
			t.Fatalf("%q %v", text, err)
		}
	})
}

func BenchmarkPIDF(b *testing.B) {
	p := Place{Address: berlin, Desk: "Berlin 3.14"}
	b.ReportAllocs()
	for b.Loop() {
		p.PIDF("001565aabb01@acme.test", time.Unix(0, 0))
	}
}
