// Package fanvil is all there is to know of Fanvil's desk phones (X, V, i, H, W):
// how they are recognised, the files they ask for, the NOTIFY that reloads them,
// and their configuration in either of the two XML forms that the firmware has
// had. The facts are from Fanvil's guides and other servers' templates; what no
// phone has confirmed is listed in docs/phones/fanvil.md.
package fanvil

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

// Brand describes Fanvil. Its templates are compiled at the first rendering.
func Brand() brand.Brand {
	r := renderer{
		system:  compile("templates/system.cfg.tmpl"),
		modules: compile("templates/modules.cfg.tmpl"),
		zones:   brand.NewZones(),
	}
	return brand.Brand{
		Name: brand.Fanvil, Recognise: Recognise, File: File, Render: r.render, Templates: files, Screen: screens().Draw, Recipe: recipe(),
		Book: brand.Book{ContentType: brand.XMLBook, Write: brand.DirectoryXML("FanvilIPPhoneDirectory", nil)},
		DHCP: brand.DHCP{
			Options: []brand.Option{{Code: 66}, {Code: 43}}, Address: "{base}$mac.cfg",
			Notes: []string{"$mac is the phone's own macro: leave it as it stands"},
		},
		Firmware: []string{"*.z"},
	}
}

// recipe: with NotifyReboot off a plain check-sync fetches the configuration. How
// long that takes is not known: the waits are those of similar phones.
func recipe() brand.Recipe {
	return brand.Recipe{Attempts: []brand.Attempt{
		{Event: "check-sync", Wait: 20 * time.Second},
		{Event: "check-sync", Wait: 20 * time.Second},
		{Event: "check-sync;reboot=true", Reboot: true, Wait: 2 * time.Minute},
	}}
}

type renderer struct {
	system, modules func() (*brand.Template, error)
	zones           *brand.Zones
}

func compile(name string) func() (*brand.Template, error) {
	return sync.OnceValues(func() (*brand.Template, error) { return brand.ParseTemplate(files, name, brand.XML) })
}

// view is what the templates see.
type view struct {
	brand.Desk
	Side, Pages []page // keys beside the screen, and the others
	Spare       []int  // other lines, to be cleared
	Transport   string
	Home        home
	Zone        zone
	Help        string // emergency numbers
	Lang        string
}

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	if f.Kind != brand.Device {
		return brand.Rendered{}, fmt.Errorf("fanvil: %s is no file of a phone", f.Name)
	}
	m := modelOf(d.Model)
	slots, out := brand.Place(d, m.layout(), keyKnown)
	v := view{
		Desk: d, Transport: transport(d), Home: homeOf(d.Provisioning.URL),
		Zone: zoneFor(r.zones, d.TimeZone), Help: strings.Join(d.Emergency(), ","), Lang: language(d.Language),
	}
	v.Side, v.Pages = m.pages(d, slots)
	for n := 2; n <= m.lines; n++ {
		v.Spare = append(v.Spare, n)
	}
	compiled := r.system
	if m.modules {
		compiled = r.modules
	}
	tpl, err := compiled()
	if err != nil {
		return brand.Rendered{}, err
	}
	out.ContentType, out.Account = contentType, true
	out.Body, err = tpl.Execute(v)
	return out, err
}

// transport is the value of a line's Transport.
func transport(d brand.Desk) string {
	switch d.Server.Transport {
	case brand.TCP:
		return "1"
	case brand.TLS:
		return d.Setting("fanvil_tls", "3", "2")
	default:
		return "0"
	}
}

// home is where the phone comes again; the protocol is a number beside the URL.
type home struct {
	URL      string
	Protocol int
}

func homeOf(url string) home {
	h := home{URL: strings.TrimSuffix(url, "/"), Protocol: 4}
	if len(url) >= 8 && strings.EqualFold(url[:8], "https://") {
		h.Protocol = 5
	}
	return h
}

// language is DefaultLanguage; empty for one the phone may not have.
func language(iso string) string {
	switch iso {
	case "de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "tr":
		return iso
	}
	return ""
}
