// Package hanlong is the configuration that Hanlong's firmware reads: numbered
// P-values below hl_provision, on phones sold as Htek and as Sangoma S. It knows
// the values, the file names and the reload, and no model: each brand brings its
// own. The facts are from Htek's provisioning guide and the templates of other
// servers.
package hanlong

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"perch/provisioning/brand"
)

//go:embed templates/*.tmpl
var files embed.FS

const contentType = "text/xml; charset=utf-8"

// Recipe: a resync fetches the configuration without a restart, which takes 3 to
// 10 s; a reboot takes up to 90 s.
func Recipe() brand.Recipe {
	return brand.Recipe{Attempts: []brand.Attempt{
		{Event: "resync", Wait: 20 * time.Second},
		{Event: "resync", Wait: 20 * time.Second},
		{Event: "check-sync;reboot=true", Reboot: true, Wait: 100 * time.Second},
	}}
}

// Templates is the folder of the file's template.
func Templates() fs.FS { return files }

// Render is how a brand with these models writes its file. The template is
// compiled at the first rendering.
func Render(name brand.Name, layout func(model string) brand.Layout) func(brand.Desk, brand.File) (brand.Rendered, error) {
	r := renderer{
		name: name, layout: layout, zones: brand.NewZones(),
		config: sync.OnceValues(func() (*brand.Template, error) {
			return brand.ParseTemplate(files, "templates/config.xml.tmpl", brand.XML)
		}),
	}
	return r.render
}

type renderer struct {
	name   brand.Name
	layout func(model string) brand.Layout
	zones  *brand.Zones
	config func() (*brand.Template, error)
}

// view is what the template sees.
type view struct {
	brand.Desk
	Keys      []key
	Off       []int // types of the unused keys of modules
	Transport int
	Outbound  string
	Minutes   int // register expiry
	Server    server
	Zone      zone
	DialPlan  string
	Help      string // emergency numbers, with commas
	SyncAuth  string // P20983
}

// dialPlan takes any number of digits and stars as typed. What a feature code
// needs is in it, so no code is named.
const dialPlan = "{[x*]+}"

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	if f.Kind != brand.Device {
		return brand.Rendered{}, fmt.Errorf("%s: %s is no file of a phone", r.name, f.Name)
	}
	slots, out := brand.Place(d, r.layout(d.Model), keyKnown)
	v := view{
		Desk: d, Transport: transport(d.Server.Transport), Outbound: d.Server.HostPort(),
		Minutes: max(1, d.Server.Expires/60), Server: serverOf(d.Provisioning.URL), Zone: zoneFor(r.zones, d.TimeZone),
		DialPlan: dialPlan, Help: strings.Join(d.Emergency(), ","), SyncAuth: d.Setting("htek_notify_auth", "0", "1"),
	}
	v.Keys, v.Off = keys(d, slots)
	tpl, err := r.config()
	if err != nil {
		return brand.Rendered{}, err
	}
	out.ContentType, out.Account = contentType, true
	out.Body, err = tpl.Execute(v)
	return out, err
}

// transport is the value of P130.
func transport(t brand.Transport) int {
	switch t {
	case brand.TCP:
		return 1
	case brand.TLS:
		return 2
	}
	return 0
}

// server is where the phone comes again: P212 and P237.
type server struct {
	Mode int
	Path string
}

// serverOf leaves the closing slash away, as the maker's examples do.
func serverOf(url string) server {
	s := server{Mode: 1, Path: strings.TrimRight(url, "/")}
	if strings.HasPrefix(strings.ToLower(url), "https:") {
		s.Mode = 3
	}
	return s
}
