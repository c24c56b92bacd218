package all

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"perch/provisioning/brand"
)

// Where the configuration of each brand says how the phone reaches its own
// screen: what stands before the URL.
var screenPlaces = map[brand.Name]string{
	brand.Yealink: ".value = ", brand.Snom: ">url ", brand.Mitel: " value: ", brand.Htek: ">", brand.SangomaS: ">",
	brand.Grandstream: ">", brand.CiscoSPA: "<XML_Application_Service_URL>", brand.CiscoMPP: `<XML_Application_Service_URL ua="na">`,
	brand.Poly: `mb.main.home="`, brand.Fanvil: "<Value>",
}

// Idle or not, with the key to log in and out: the screen's menu is in the
// file, and a feature code only where the phone has no screen.
func TestTheConfigurationLeadsToTheScreen(t *testing.T) {
	for _, b := range Brands() {
		if !b.HasTemplates() {
			continue
		}
		for _, d := range desks() {
			if d.Bound {
				d.Keys = d.Keys[:1] // room for the key
			}
			out, err := b.Render(d, file(d))
			if err != nil {
				t.Fatal(err)
			}
			place, has := screenPlaces[b.Name]
			if got := strings.Contains(string(out.Body), place+d.ScreenURL); got != has {
				t.Errorf("%s, bound %v: the screen is in the file: %v\n%s", b.Name, d.Bound, got, out.Body)
			}
			if strings.Contains(out.ContentType, "xml") {
				for dec := xml.NewDecoder(bytes.NewReader(out.Body)); ; {
					if _, err := dec.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatalf("%s: %v", b.Name, err)
					}
				}
			}
			d.ScreenURL = ""
			if out, err = b.Render(d, file(d)); err != nil || strings.Contains(string(out.Body), "/app/") {
				t.Errorf("%s: a screen without a URL: %v", b.Name, err)
			}
		}
	}
}

// Every brand that has a place for it can draw.
func TestWhoDraws(t *testing.T) {
	for _, b := range Brands() {
		_, has := screenPlaces[b.Name]
		if (b.Screen != nil) != has {
			t.Errorf("%s draws: %v", b.Name, b.Screen != nil)
		}
	}
}
