// Package mitel is all there is to know of Mitel's and Aastra's SIP phones (67xx,
// 68xx, 69xx and the older 51i to 57i): how they are recognised, the files they
// ask for, the NOTIFY that reloads them, and their configuration in lines of
// "key: value". The facts are from the administrator guides of releases 3.2 to
// 5.1 and other servers' templates; what no phone has confirmed is listed in
// docs/phones/mitel.md.
package mitel

import (
	"embed"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"perch/provisioning/brand"
)

//go:embed templates/*.tmpl
var files embed.FS

const contentType = "text/plain; charset=utf-8"

// Brand describes Mitel. Its template is compiled at the first rendering.
func Brand() brand.Brand {
	r := renderer{
		phone: sync.OnceValues(func() (*brand.Template, error) {
			return brand.ParseTemplate(files, "templates/phone.cfg.tmpl", brand.Colon)
		}),
		zones: brand.NewZones(),
	}
	return brand.Brand{
		Name: brand.Mitel, Recognise: Recognise, File: File, Render: r.render, Templates: files, Screen: screens().Draw, Message: message, ScreenItems: 14, Recipe: recipe(),
		Book:     brand.Book{ContentType: "text/csv; charset=utf-8", Write: book},
		DHCP:     brand.DHCP{Class: "AastraIPPhone", Options: []brand.Option{{Code: 43, Sub: 2}, {Code: 66}, {Code: 159, Note: "69xx, uncertain"}}, Address: "{base}"},
		Firmware: []string{"*.st"},
	}
}

// recipe: check-sync restarts the phone when its files differ, and nothing else
// makes it read them. A restart takes about a minute.
func recipe() brand.Recipe {
	return brand.Recipe{Push: push, Attempts: []brand.Attempt{
		{Event: "check-sync", Reboot: true, Wait: 2 * time.Minute},
		{Event: "check-sync;reboot=true", Reboot: true, Wait: 2 * time.Minute},
	}}
}

type renderer struct {
	phone func() (*brand.Template, error)
	zones *brand.Zones
}

// view is what the template sees.
type view struct {
	brand.Desk
	First, Second string // lines of the screen
	Shown         string // display name
	Keys          []key
	Spare         []int // other lines, to be cleared
	Transport     int
	Home          home
	DialPlan      string
	Help          string // emergency numbers
	Zone          zone
	Digits        string // the administrator's password, if the phone can take it
}

// lines of the largest models; settings of lines that a model does not have are
// ignored by it.
const lines = 9

func (r renderer) render(d brand.Desk, f brand.File) (brand.Rendered, error) {
	if f.Kind != brand.Device {
		return brand.Rendered{}, fmt.Errorf("mitel: %s is no file of a phone", f.Name)
	}
	m := modelOf(d.Model)
	slots, out := brand.Place(d, m.layout(), keyKnown)
	v := view{
		Desk: d, Keys: m.keys(slots), Transport: transport(d.Server.Transport), Home: homeOf(d.Provisioning.URL),
		Shown: brand.ClipTo(d.Name(), maxName), DialPlan: dialPlan, Help: strings.Join(d.Emergency(), "|"),
		Zone: zoneFor(r.zones, d.TimeZone), Digits: digits(d.AdminPassword.Reveal()),
	}
	v.First, v.Second = screen(d)
	for n := 2; n <= lines; n++ {
		v.Spare = append(v.Spare, n)
	}
	tpl, err := r.phone()
	if err != nil {
		return brand.Rendered{}, err
	}
	out.ContentType, out.Account = contentType, true
	out.Body, err = tpl.Execute(v)
	return out, err
}

// maxName is the length of names that the guides allow, in characters.
const maxName = 20

// screen is what the phone shows beside its line: two short texts, where other
// brands have one long.
func screen(d brand.Desk) (first, second string) {
	switch {
	case d.Account.Label != "":
		first = d.Account.Label
	case d.Bound:
		first, second = d.Name(), d.Account.User
	default:
		first = d.Label
		if d.FeatureCodes.Login != "" {
			second = "Log in: " + d.FeatureCodes.Login
		}
	}
	return brand.ClipTo(first, maxName), brand.ClipTo(second, maxName)
}

// transport is the value of "sip transport protocol".
func transport(t brand.Transport) int {
	switch t {
	case brand.TCP:
		return 2
	case brand.TLS:
		return 4
	default:
		return 1
	}
}

// home is where the phone comes again, in the parts that it wants.
type home struct {
	Protocol, Host, Port, Path string
}

func homeOf(text string) home {
	h := home{Protocol: "HTTP", Port: "80"}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return h
	}
	if u.Scheme == "https" {
		h.Protocol, h.Port = "HTTPS", "443"
	}
	h.Host, h.Path = u.Hostname(), strings.Trim(u.Path, "/")
	if p := u.Port(); p != "" {
		h.Port = p
	}
	return h
}

// digits gives a password that is nothing else: with a letter in it the phone
// falls back to its factory password.
func digits(s string) string {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// dialPlan takes digits and up to four groups of them behind stars, which is any
// feature code; x is a digit, + repeats what stands before it, zero times or
// more. The end is # (which is not sent) or the timer.
const dialPlan = "x+#|*x+#|*x+*x+#|*x+*x+*x+#|*x+*x+*x+*x+#"
