package all

import (
	"strings"
	"testing"

	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

// shows are the brands whose phones take a text by NOTIFY.
var shows = map[brand.Name]string{brand.Yealink: "Yealink-xml", brand.Snom: "xml", brand.Mitel: "aastra-xml"}

// Whatever the text, the page is one text and fits a datagram with the headers
// of a NOTIFY beside it.
func TestMessages(t *testing.T) {
	for _, b := range Brands() {
		event, has := shows[b.Name]
		if (b.Message != nil) != has {
			t.Errorf("%s shows messages: %v", b.Name, b.Message != nil)
		}
		if !has {
			continue
		}
		plain := brandtest.ReadPage(t, b.Message("hello").Body)
		for _, text := range append(brandtest.Hostile(), "You will be logged out in 5 minutes", strings.Repeat("<&>", 500), "a\r\nb", "שלום \u202e😀") {
			a := b.Message(text)
			if a.Event != event || a.ContentType == "" {
				t.Errorf("%s: %q %q", b.Name, a.Event, a.ContentType)
			}
			page := brandtest.ReadPage(t, a.Body)
			if page.Name != plain.Name || len(page.Kids) != len(plain.Kids) {
				t.Errorf("%s: %q changed the page", b.Name, text)
			}
			if got := page.Kid("Text"); got != brand.Notice(text) || strings.ContainsAny(got, "\r\n") {
				t.Errorf("%s: shows %q of %q", b.Name, got, text)
			}
			if len(a.Body) > 1600 {
				t.Errorf("%s: %d bytes", b.Name, len(a.Body))
			}
		}
	}
}
