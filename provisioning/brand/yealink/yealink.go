// Package yealink is all there is to know of Yealink's desk phones (T2 to T5,
// CP; the line of a W-series base): how they are recognised, the files they ask
// for, the NOTIFY that reloads them, and their configuration. The facts are from
// Yealink's auto provisioning and administrator guides for V81 to V87; what has
// not been seen on a phone is listed in docs/phones/yealink.md.
package yealink

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

// contentType is what .cfg files are served as; the phones hardly look at it.
const contentType = "text/plain; charset=utf-8"

// Brand describes Yealink. Its templates are compiled at the first rendering.
func Brand() brand.Brand {
	r := renderer{
		device: compile("templates/device.cfg.tmpl"),
		boot:   compile("templates/device.boot.tmpl"),
		zones:  brand.NewZones(),
	}
	return brand.Brand{
		Name: brand.Yealink, Recognise: Recognise, File: File, Render: r.render, Templates: files, Screen: screens().Draw, Message: message, ScreenItems: 20,
		// A reload without a reboot takes 2 to 6 s, a reboot 40 to 90 s.
		Recipe: recipe(),
		Book:   brand.Book{ContentType: brand.XMLBook, Write: brand.DirectoryXML("YealinkIPPhoneDirectory", nil)},
		DHCP: brand.DHCP{
			Class: "yealink", Options: []brand.Option{{Code: 66}, {Code: 43}}, Address: "{base}",
			Notes: []string{"further options can be named in static.auto_provision.dhcp_option.list_user_options"},
		},
		Firmware: []string{"*.rom"},
	}
}

type renderer struct {
	device, boot func() (*brand.Template, error)
	zones        *brand.Zones
}

func compile(name string) func() (*brand.Template, error) {
	return sync.OnceValues(func() (*brand.Template, error) { return brand.ParseTemplate(files, name, brand.INI) })
}

// view is what the templates see.
type view struct {
	brand.Desk
	Slots     []slot
	Spare     []int // other accounts, to be cleared
	Transport int
	DigitMap  string
	Help      string // emergency numbers, with commas
	Zone      zone
	Lang      string
	Trust     string // whether requests are taken from the account's server only
}

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	if f.Kind == brand.Boot {
		return write(r.boot, d, brand.Rendered{})
	}
	if f.Kind != brand.Device {
		return brand.Rendered{}, fmt.Errorf("yealink: %s is no file of a phone", f.Name)
	}
	m := modelOf(d.Model)
	slots, out := brand.Place(d, m.layout, keyKnown)
	v := view{
		Desk: d, Slots: slotLines(slots), Transport: transport(d.Server.Transport),
		DigitMap: digitMap(d), Help: strings.Join(d.Emergency(), ","), Zone: zoneFor(r.zones, d.TimeZone), Lang: language(d.Language),
		Trust: d.Setting("yealink_trust_ctrl", "1", "0"),
	}
	for n := 2; n <= m.accounts; n++ {
		v.Spare = append(v.Spare, n)
	}
	out.Account = true
	return write(r.device, v, out)
}

func write(compiled func() (*brand.Template, error), v any, out brand.Rendered) (brand.Rendered, error) {
	tpl, err := compiled()
	if err != nil {
		return brand.Rendered{}, err
	}
	out.ContentType = contentType
	out.Body, err = tpl.Execute(v)
	return out, err
}

// transport is the value of sip_server.1.transport_type.
func transport(t brand.Transport) int {
	switch t {
	case brand.TCP:
		return 1
	case brand.TLS:
		return 2
	default:
		return 0
	}
}

// language is the phone's name of a language; empty for one it may not have.
func language(iso string) string {
	return map[string]string{
		"de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian",
		"nl": "Dutch", "pl": "Polish", "pt": "Portuguese",
	}[iso]
}

// keyTypes are the values of linekey.K.type.
var keyTypes = map[string]int{
	brand.KeyPark: 10, brand.KeyDTMF: 11, brand.KeyVoicemail: 12, brand.KeySpeedDial: 13,
	brand.KeyLine: 15, brand.KeyBLF: 16, brand.KeyURL: 17, brand.KeyPickup: 23, brand.KeyScreen: 27,
}

func keyKnown(k directory.Key) bool { return keyTypes[k.Type] != 0 }

// slot is one key as lines of the file.
type slot struct {
	Name  string // "linekey.2", "expansion_module.1.key.7"
	Full  bool   // all settings are written, not the type alone
	Type  int
	Line  int
	Value string
	Label string
}

// slotLines names every key of the model and its modules. Unused keys of the
// phone are emptied; on modules, which can have 240 keys, they are switched off.
func slotLines(slots []brand.Slot) []slot {
	out := make([]slot, 0, len(slots))
	for _, s := range slots {
		l := slot{Name: fmt.Sprintf("linekey.%d", s.Index), Full: true}
		if s.Module > 0 {
			l.Name = fmt.Sprintf("expansion_module.%d.key.%d", s.Module, s.Index)
			l.Full = s.Used
		}
		if s.Used {
			l.Type, l.Line, l.Value = keyTypes[s.Key.Type], 1, s.Text()
			if l.Label = brand.Clip(s.Key.Label); l.Label == "" {
				l.Label = l.Value
			}
		}
		out = append(out, l)
	}
	return out
}
