// Package grandstream is all there is to know of Grandstream's phones (GXP, GRP,
// GXV, GHP, WP; the first port of an HT): how they are recognised, the files they
// ask for, the NOTIFY that reloads them, and their configuration in the maker's
// XML, by names where a model knows them, else by P-values. The facts are from
// Grandstream's provisioning and administration guides and the maker's own
// template files; what no phone has confirmed is listed in
// docs/phones/grandstream.md.
package grandstream

import (
	"embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

//go:embed templates/*.tmpl
var files embed.FS

const contentType = "text/xml; charset=utf-8"

// Brand describes Grandstream. Its templates are compiled at the first
// rendering.
func Brand() brand.Brand {
	r := renderer{
		named:   compile("templates/named.xml.tmpl"),
		pvalues: compile("templates/pvalues.xml.tmpl"),
		zones:   brand.NewZones(),
	}
	return brand.Brand{
		Name: brand.Grandstream, Recognise: Recognise, File: File, Render: r.render, Templates: files, Screen: screen, ScreenItems: maxKeys, Recipe: recipe(),
		Book: brand.Book{ContentType: brand.XMLBook, Name: func(base string) bool { return base == "phonebook.xml" }, Write: book},
		DHCP: brand.DHCP{
			Class: "Grandstream", Options: []brand.Option{{Code: 66}, {Code: 43, Note: "which suboption is uncertain"}, {Code: 160, Note: "only where the phone is told to"}}, Address: "{base}",
			Notes: []string{"a phone that refuses http:// in the option wants the address without it"},
		},
		Firmware: []string{"*fw.bin"},
	}
}

// recipe: both events fetch the configuration, firmware differs in which it
// takes. A reload takes 3 to 10 s, a reboot 30 to 60 s. The phone asks the
// sender to authenticate (P4428 as it leaves the factory).
func recipe() brand.Recipe {
	return brand.Recipe{
		Attempts: []brand.Attempt{
			{Event: "check-sync", Wait: 20 * time.Second},
			{Event: "resync", Wait: 20 * time.Second},
			{Event: "check-sync;reboot=true", Reboot: true, Wait: 90 * time.Second},
		},
		Challenged: true,
	}
}

type renderer struct {
	named, pvalues func() (*brand.Template, error)
	zones          *brand.Zones
}

func compile(name string) func() (*brand.Template, error) {
	return sync.OnceValues(func() (*brand.Template, error) { return brand.ParseTemplate(files, name, brand.XML) })
}

// view is what the templates see.
type view struct {
	brand.Desk
	Keys      []key
	Spare     []int // other accounts, to be cleared
	Outbound  string
	Transport transport
	Minutes   int // register expiry
	Config    config
	Book      bookAt
	Zone      string // POSIX rule; empty leaves the phone's own
	DialPlan  string
	Lang      string
	Challenge string // P4428
}

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	if f.Kind != brand.Device {
		return brand.Rendered{}, fmt.Errorf("grandstream: %s is no file of a phone", f.Name)
	}
	m := modelOf(d.Model)
	slots, out := brand.Place(d, m.layout, keyKnown)
	v := view{
		Desk: d, Keys: m.keys(d, slots), Spare: m.spare(), Outbound: d.Server.HostPort(),
		Transport: transportOf(d.Server.Transport), Minutes: max(1, d.Server.Expires/60),
		Config: configOf(d.Provisioning.URL), Book: bookOf(d), Zone: zoneFor(r.zones, d.TimeZone), DialPlan: dialPlan, Lang: language(d.Language),
		Challenge: d.Setting("grandstream_notify_auth_off", "0", "1"),
	}
	compiled := r.pvalues
	if m.named {
		compiled = r.named
	}
	tpl, err := compiled()
	if err != nil {
		return brand.Rendered{}, err
	}
	out.ContentType, out.Account = contentType, true
	out.Body, err = tpl.Execute(v)
	return out, err
}

// dialPlan lets everything pass that a keypad can type: x is a digit, + repeats.
// # is the send key (P72) and not part of the number.
const dialPlan = "{ [*x]+ }"

// transport is account.1.sip.transport, and P130.
type transport struct {
	Name   string
	Number int
}

func transportOf(t brand.Transport) transport {
	switch t {
	case brand.TCP:
		return transport{"TCP", 1}
	case brand.TLS:
		return transport{"TlsOrTcp", 2}
	default:
		return transport{"UDP", 0}
	}
}

// config is where the phone comes again: the path goes without a scheme, which
// is a setting of its own (P212: 1 HTTP, 2 HTTPS).
type config struct {
	Path     string
	Protocol string
	Number   int
}

func configOf(url string) config {
	c := config{Protocol: "HTTP", Number: 1}
	if len(url) >= 8 && strings.EqualFold(url[:8], "https://") {
		c.Protocol, c.Number = "HTTPS", 2
	}
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	c.Path = strings.TrimSuffix(url, "/")
	return c
}

// language is the phone's word for a language; empty for one it may not have.
func language(iso string) string {
	switch iso {
	case "de", "en", "es", "fr", "it", "nl", "pl", "pt":
		return iso
	}
	return ""
}

// modes are the key modes: the names of newer models, and the numbers of P323
// and its neighbours.
var modes = map[string]struct {
	name   string
	number int
}{
	brand.KeySpeedDial: {"SpeedDial", 0}, brand.KeyBLF: {"BLF", 1}, brand.KeyDTMF: {"DialDTMF", 5},
	brand.KeyVoicemail: {"VoiceMail", 6}, brand.KeyPark: {"CallPark", 9}, brand.KeyPickup: {"SpeedDial", 0},
}

func keyKnown(k directory.Key) bool { _, ok := modes[k.Type]; return ok }
