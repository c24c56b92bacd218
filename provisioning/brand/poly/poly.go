// Package poly is all there is to know of Poly's (Polycom's) phones with UC
// software or its successors (SoundPoint IP, VVX, CCX, Trio, Edge): how they are
// recognised, the files they ask for, the NOTIFY that reloads them, and their
// configuration as XML attributes. The facts are from Poly's administrator
// guides and other servers' templates; what no phone has confirmed is listed in
// docs/phones/poly.md.
package poly

import (
	"embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"perch/provisioning/brand"
)

//go:embed templates/*.tmpl
var files embed.FS

const contentType = "text/xml; charset=utf-8"

// Brand describes Poly. Its templates are compiled at the first rendering.
func Brand() brand.Brand {
	r := renderer{
		master: compile("templates/master.cfg.tmpl"),
		phone:  compile("templates/phone.cfg.tmpl"),
		zones:  brand.NewZones(),
	}
	return brand.Brand{
		Name: brand.Poly, Recognise: Recognise, File: File, Render: r.render, Templates: files, Screen: screen, Recipe: recipe(),
		Book: brand.Book{ContentType: brand.XMLBook, Name: directoryName.MatchString, Write: book},
		DHCP: brand.DHCP{
			Options: []brand.Option{{Code: 160}, {Code: 66}}, Address: "{base}",
			Notes: []string{"device.dhcp.bootSrvUseOpt tells the phone which of the two it looks at", "user and password may stand in the address: http://user:password@host/"},
		},
		Firmware:     []string{"sip.ld", "*.sip.ld", "sip.ver"},
		SteadyProofs: true, // device.prov.* restarts the phone
	}
}

// recipe: these phones know check-sync alone, and decide by themselves whether
// what changed needs a restart. Changed settings take 5 to 15 s, a restart 60 to
// 150 s; so the last attempt waits for one.
func recipe() brand.Recipe {
	return brand.Recipe{Attempts: []brand.Attempt{
		{Event: "check-sync", Wait: 25 * time.Second},
		{Event: "check-sync", Wait: 25 * time.Second},
		{Event: "check-sync", Reboot: true, Wait: 3 * time.Minute},
	}}
}

type renderer struct {
	master, phone func() (*brand.Template, error)
	zones         *brand.Zones
}

func compile(name string) func() (*brand.Template, error) {
	return sync.OnceValues(func() (*brand.Template, error) { return brand.ParseTemplate(files, name, brand.XML) })
}

// view is what the template of the phone's file sees.
type view struct {
	brand.Desk
	Keys      []lineKey
	Macros    []macro
	Watched   []watched
	Spare     []int // other registrations, to be cleared
	Transport string
	Home      home
	Digits    string
	Zone      zone
	Lang      string
}

// home is where the phone comes again: the type of the server goes apart from
// its name.
type home struct{ Name, Type string }

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	switch f.Kind {
	case brand.Boot:
		return write(r.master, d, brand.Rendered{})
	case brand.Device:
	default:
		return brand.Rendered{}, fmt.Errorf("poly: %s is no file of a phone", f.Name)
	}
	l := layoutOf(d.Model)
	slots, out := brand.Place(d, l, fitting())
	v := view{
		Desk: d, Transport: transport(d.Server.Transport), Home: homeOf(d.Provisioning.URL),
		Digits: digitMap, Zone: zoneFor(r.zones, d.TimeZone), Lang: language(d.Language),
	}
	v.number(l, slots)
	for n := 2; n <= registrations; n++ {
		v.Spare = append(v.Spare, n)
	}
	out.Account = true
	return write(r.phone, v, out)
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

// transport is the value of reg.1.server.1.transport.
func transport(t brand.Transport) string {
	switch t {
	case brand.TCP:
		return "TCPOnly"
	case brand.TLS:
		return "TLS"
	default:
		return "UDPOnly"
	}
}

func homeOf(url string) home {
	s := home{Type: "HTTP"}
	if len(url) >= 8 && strings.EqualFold(url[:8], "https://") {
		s.Type = "HTTPS"
	}
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	s.Name = strings.TrimSuffix(url, "/")
	return s
}

// digitMap: anything that a keypad can type, sent by the timer T or by #, which
// is left out (removeEndOfDial). A dot repeats what stands before it, zero times
// or more. No rule replaces anything.
const digitMap = "[0-9*][0-9*].T|[0-9*][0-9*].#"

// language is lcl.ml.lang; empty for one the phone may not have.
func language(iso string) string {
	return map[string]string{
		"de": "German_Germany", "en": "English_United_States", "es": "Spanish_Spain", "fr": "French_France",
		"it": "Italian_Italy", "nl": "Dutch_Netherlands",
	}[iso]
}
