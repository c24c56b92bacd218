// Package sangomas is all there is to know of Sangoma's S series (S205 to S705):
// how they are recognised. They run the firmware of package hanlong, which
// writes their configuration. The facts are from the templates of other servers;
// what no phone has confirmed is listed in docs/phones/sangoma-s.md.
package sangomas

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
	"perch/provisioning/brand/hanlong"
)

// Brand describes the S series. Its template is compiled at the first rendering.
func Brand() brand.Brand {
	return brand.Brand{
		Name: brand.SangomaS, Recognise: Recognise, File: hanlong.File, Render: hanlong.Render(brand.SangomaS, layoutOf), Templates: hanlong.Templates(), Screen: hanlong.Screens().Draw,
		Recipe:   hanlong.Recipe(),
		Book:     hanlong.Book(),
		DHCP:     brand.DHCP{Options: []brand.Option{{Code: 66}, {Code: 43, Note: "uncertain"}}, Address: "{base}"},
		Firmware: []string{"*.rom"},
	}
}

// agent: "Sangoma S500 V2.0.4.48", with the address behind it when SipSendMac is
// on, and by HTTP.
var agent = regexp.MustCompile(`^(?i:Sangoma)\s+(?i:(S\d{3}))\s+[Vv]?(\d+(?:\.\d+)+)(?:\s+(\S+))?$`)

// ouis are prefixes of the S series' addresses, to tell whose cfg<mac>.xml it is
// when nothing else does.
var ouis = []string{"005058"}

// Recognise knows an S by its User-Agent, or, when no User-Agent speaks against
// it, by cfg<mac>.xml with its maker's prefix.
func Recognise(r brand.Request) (brand.Phone, bool) {
	p, found := fromAgent(r.UserAgent)
	if sip, ok := fromAgent(r.SIPUserAgent); ok {
		switch {
		case !found:
			p, found = sip, true
		case p.MAC.IsZero():
			p.MAC = sip.MAC
		}
	}
	if !found && !hanlong.Guess(r, ouis...) {
		return brand.Phone{}, false
	}
	if m, ok := r.MAC(); ok {
		p.MAC = m
	}
	p.Brand = brand.SangomaS
	return p, true
}

func fromAgent(ua string) (brand.Phone, bool) {
	m := agent.FindStringSubmatch(strings.TrimSpace(ua))
	if m == nil {
		return brand.Phone{}, false
	}
	p := brand.Phone{Model: strings.ToUpper(m[1]), Firmware: m[2]}
	p.MAC, _ = brand.MACWord(m[3])
	return p, true
}

// allKeys is the number of line keys that the firmware counts. How many of them
// a model shows is in no source at hand: all are written, the phone ignores those
// it does not have, and no login waits for a lamp on one.
const allKeys = 45

// withModules are the models that take an expansion module.
func withModules(model string) bool {
	switch strings.ToUpper(strings.TrimSpace(model)) {
	case "S500", "S505", "S700", "S705":
		return true
	}
	return false
}

func layoutOf(model string) brand.Layout {
	l := brand.Layout{Keys: allKeys}
	if withModules(model) {
		l.Modules, l.PerModule = hanlong.Modules, hanlong.PerModule
	}
	return l
}
