// Package sangomap is all there is to know of Sangoma's P series and of the
// Digium D phones it grew from: two names, one firmware. How they are
// recognised, the files they ask for, the NOTIFY that restarts them, and their
// configuration: an XML file with the account, and one with the contacts that
// fill their keys. The facts are from Sangoma's phone documentation and the
// templates of other servers; what no phone has confirmed is listed in
// docs/phones/sangoma-p.md.
package sangomap

import (
	"crypto/md5"
	"embed"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"perch/provisioning/brand"
)

//go:embed templates/*.tmpl
var files embed.FS

const contentType = "text/xml; charset=utf-8"

// Brand describes the P series.
func Brand() brand.Brand { return describe(brand.SangomaP, recogniseSangoma) }

// Digium describes the D phones.
func Digium() brand.Brand { return describe(brand.Digium, recogniseDigium) }

// describe gives a brand; its templates are compiled at the first rendering.
func describe(name brand.Name, recognise func(brand.Request) (brand.Phone, bool)) brand.Brand {
	r := renderer{
		config: compile("templates/config.xml.tmpl"), contacts: compile("templates/contacts.xml.tmpl"), zones: brand.NewZones(),
	}
	return brand.Brand{
		Name: name, Recognise: recognise, File: File, Render: r.render, Templates: files, Recipe: recipe(),
		Book: brand.Book{ContentType: brand.XMLBook, Write: book},
		DHCP: brand.DHCP{
			Class: dhcpClass(name), Options: []brand.Option{{Code: 66}}, Address: "{base}",
			Notes: []string{"http, https and ftp only"},
		},
		Firmware: []string{"*.eff"},
	}
}

// recipe: a check-sync always restarts the phone, which takes 45 to 90 s. There
// is nothing lighter.
func recipe() brand.Recipe {
	restart := brand.Attempt{Event: "check-sync", Reboot: true, Wait: 2 * time.Minute}
	return brand.Recipe{Attempts: []brand.Attempt{restart, restart}}
}

func compile(name string) func() (*brand.Template, error) {
	return sync.OnceValues(func() (*brand.Template, error) { return brand.ParseTemplate(files, name, brand.XML) })
}

type renderer struct {
	config, contacts func() (*brand.Template, error)
	zones            *brand.Zones
}

// view is what the template of the configuration sees.
type view struct {
	brand.Desk
	Transport string
	DialPlan  string
	Zone      bool   // TimeZone is a name of the tz database, which the phone has
	Locale    string // empty leaves the phone's own
	Password  string // of the phone's menu
	ConfigURL string
	Contacts  string // where they are
	Digest    string // of them: the file changes when they do
}

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	if f.Kind != brand.Device {
		return brand.Rendered{}, fmt.Errorf("sangoma-p: %s is no file of a phone", f.Name)
	}
	slots, out := brand.Place(d, layoutOf(d.Model), keyKnown)
	out.ContentType = contentType
	list, err := execute(r.contacts, contacts(d, slots))
	if err != nil {
		return brand.Rendered{}, err
	}
	if strings.HasSuffix(f.Name, contactsName) {
		out.Body = list
		return out, nil
	}
	// The phone compares MD5 sums; it protects nothing.
	sum := md5.Sum(list)
	_, zone := r.zones.Lookup(d.TimeZone)
	folder := withCredentials(d.Provisioning)
	out.Account = true
	out.Body, err = execute(r.config, view{
		Desk: d, Transport: transport(d.Server.Transport), DialPlan: dialPlan(d), Zone: zone, Locale: locale(d.Language),
		Password: menuPassword(d.AdminPassword.Reveal()), ConfigURL: folder, Contacts: folder + d.MAC.String() + contactsName,
		Digest: hex.EncodeToString(sum[:]),
	})
	return out, err
}

func execute(compiled func() (*brand.Template, error), v any) ([]byte, error) {
	tpl, err := compiled()
	if err != nil {
		return nil, err
	}
	return tpl.Execute(v)
}

// withCredentials writes user and password into the address of the folder, the
// only place where these phones keep them. An address that is none stays as it is.
func withCredentials(p brand.Provisioning) string {
	u, err := url.Parse(p.URL)
	secret := p.Password.Reveal()
	if err != nil || u.Host == "" || p.User == "" || secret == "" {
		return p.URL
	}
	u.User = url.UserPassword(p.User, secret)
	return u.String()
}

// transport is the value of host_primary's transport.
func transport(t brand.Transport) string {
	switch t {
	case brand.TCP:
		return "tcp"
	case brand.TLS:
		return "tls"
	}
	return "udp"
}

// menuPassword is the password of the phone's menu, which takes digits only:
// with anything else the phone keeps the one it has.
func menuPassword(s string) string {
	if len(s) > 32 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// locale is the phone's name of a language; empty for one it may not have.
func locale(iso string) string {
	return map[string]string{
		"de": "de_DE", "en": "en_US", "es": "es_ES", "fr": "fr_FR", "it": "it_IT", "nl": "nl_NL", "pt": "pt_BR",
	}[iso]
}

// dialPlan names every form of a feature code, since a set of digits cannot
// hold a star, then any star code and any number. What begins like none of the
// rules would be dialled at once.
func dialPlan(d brand.Desk) string {
	var rules []string
	for _, c := range d.Codes() {
		rules = append(rules, c+"T3", c+"*x.T3", c+"*x.*x.T3")
	}
	return strings.Join(append(rules, "*x.T3", "x.T3"), "|")
}

// dhcpClass is how option 60 of such a phone begins. What Sangoma's own send is
// not known.
func dhcpClass(name brand.Name) string {
	if name == brand.Digium {
		return "digium_"
	}
	return ""
}
