// Package snom is all there is to know of Snom's desk phones (D1xx to D8xx and
// the older 3xx, 7xx, 8xx): how they are recognised, the files they ask for, the
// NOTIFY that reloads them, and their configuration in Snom's settings XML. The
// facts are from Snom's service hub; what has not been seen on a phone is listed
// in docs/phones/snom.md.
package snom

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

//go:embed templates/*.tmpl
var files embed.FS

// contentType of the settings, under .htm names too.
const contentType = "text/xml; charset=utf-8"

// Brand describes Snom. Its template is compiled at the first rendering.
func Brand() brand.Brand {
	r := renderer{
		settings: sync.OnceValues(func() (*brand.Template, error) {
			return brand.ParseTemplate(files, "templates/settings.xml.tmpl", brand.XML)
		}),
		zones: brand.NewZones(),
	}
	return brand.Brand{
		Name: brand.Snom, Recognise: Recognise, File: File, Render: r.render, Templates: files, Screen: screen, Message: message, ScreenItems: 20,
		// Settings are taken over in 3 to 8 s, a reboot takes 40 to 70 s.
		Recipe: recipe(),
		Book:   brand.Book{ContentType: brand.XMLBook, Write: brand.DirectoryXML("SnomIPPhoneDirectory", nil)},
		DHCP: brand.DHCP{
			Class: "snom", Options: []brand.Option{{Code: 66}, {Code: 43, Sub: 66}}, Address: "{base}{mac}.xml",
			Notes: []string{"suboption 66 of option 43 wins over option 66", "{mac} is the phone's own macro: leave it as it stands"},
		},
		Firmware: []string{"snom*.bin", "*.swu"},
	}
}

type renderer struct {
	settings func() (*brand.Template, error)
	zones    *brand.Zones
}

// view is what the template sees.
type view struct {
	brand.Desk
	Keys     []fkey
	Spare    []int // other identities, to be cleared
	DialPlan string
	Help     string // emergency numbers, with blanks
	Outbound string
	Zone     zone
	Lang     string
	Filter   string // whether requests are taken from the registrar only
}

// identities is the number of identities of the largest models. Settings of
// identities that a model does not have are ignored by it.
const identities = 12

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	if f.Kind != brand.Device {
		return brand.Rendered{}, fmt.Errorf("snom: %s is no file of a phone", f.Name)
	}
	slots, out := brand.Place(d, layoutOf(d.Model), keyKnown)
	v := view{
		Desk: d, Keys: fkeys(d, layoutOf(d.Model), slots), DialPlan: dialPlan(d),
		Help: strings.Join(d.Emergency(), " "), Outbound: outbound(d.Server),
		Zone: zoneFor(r.zones, d.TimeZone), Lang: language(d.Language),
		Filter: d.Setting("snom_filter_registrar", "on", "off"),
	}
	for n := 2; n <= identities; n++ {
		v.Spare = append(v.Spare, n)
	}
	tpl, err := r.settings()
	if err != nil {
		return brand.Rendered{}, err
	}
	out.ContentType, out.Account = contentType, true
	out.Body, err = tpl.Execute(v)
	return out, err
}

// outbound is the value of user_outbound: where everything of this identity is
// sent, whatever the domain resolves to.
func outbound(s brand.Server) string {
	t := s.Transport
	if t != brand.TCP && t != brand.TLS {
		t = brand.UDP
	}
	return s.HostPort() + ";transport=" + string(t)
}

// language is the phone's name of a language; empty for one it may not have.
func language(iso string) string {
	return map[string]string{
		"da": "Dansk", "de": "Deutsch", "en": "English", "es": "Español", "fr": "Français",
		"it": "Italiano", "nl": "Nederlands", "no": "Norsk", "pt": "Português", "sv": "Svenska", "tr": "Türkçe",
	}[iso]
}

// fkey is one function key.
type fkey struct {
	Index int // from 0, modules continuing the phone's numbers
	Label string
	Value string
}

// keyVerbs are the types of function key that take the key's value.
var keyVerbs = map[string]string{
	brand.KeySpeedDial: "speed", brand.KeyVoicemail: "speed", brand.KeyPickup: "speed",
	brand.KeyPark: "orbit", brand.KeyDTMF: "dtmf", brand.KeyURL: "url", brand.KeyScreen: "url",
}

func keyKnown(k directory.Key) bool {
	return k.Type == brand.KeyBLF || k.Type == brand.KeyLine ||
		keyVerbs[k.Type] != "" && (k.Value != "" || k.Type != brand.KeyVoicemail)
}

// pickupPrefix ends every BLF value: firmware takes the key only with one. What
// it dials is refused like any unknown number.
const pickupPrefix = "|**"

// fkeys numbers the keys: the line, the phone's others, then the modules'.
func fkeys(d brand.Desk, l brand.Layout, slots []brand.Slot) []fkey {
	out := make([]fkey, 0, len(slots)+1)
	out = append(out, fkey{Index: 0, Label: d.Screen(), Value: "line"})
	for _, s := range slots {
		k := fkey{Index: s.Index - 1, Value: "none"}
		if s.Module > 0 {
			k.Index = l.Keys + (s.Module-1)*l.PerModule + s.Index - 1
		}
		if s.Used {
			k.Label, k.Value = brand.Clip(s.Key.Label), value(d, s)
			if k.Label == "" {
				k.Label = s.Text()
			}
		}
		out = append(out, k)
	}
	return out
}

func value(d brand.Desk, s brand.Slot) string {
	switch s.Key.Type {
	case brand.KeyBLF:
		return "blf sip:" + s.Target + "@" + d.Domain + pickupPrefix
	case brand.KeyLine:
		return "line"
	}
	return keyVerbs[s.Key.Type] + " " + s.Text()
}
