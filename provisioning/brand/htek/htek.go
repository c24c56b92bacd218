// Package htek is all there is to know of Htek's desk phones (UC800, UC900): how
// they are recognised and what their models have. The configuration is in
// package hanlong, since the same firmware is sold under another name too. The
// facts are from Htek's guides; what no phone has confirmed is listed in
// docs/phones/htek.md.
package htek

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
	"perch/provisioning/brand/hanlong"
)

// Brand describes Htek. Its template is compiled at the first rendering.
func Brand() brand.Brand {
	return brand.Brand{
		Name: brand.Htek, Recognise: Recognise, File: hanlong.File, Render: hanlong.Render(brand.Htek, layoutOf), Templates: hanlong.Templates(),
		Screen: hanlong.Screens().Draw, Recipe: hanlong.Recipe(),
		Book:     hanlong.Book(),
		DHCP:     brand.DHCP{Class: "Htek", Options: []brand.Option{{Code: 66}, {Code: 43, Note: "uncertain"}}, Address: "{base}", Notes: []string{"the class is uncertain"}},
		Firmware: []string{"fw*.rom", "*.rom"},
	}
}

// agent: "Htek UC903 2.0.4.2 00:1f:c1:1c:22:a9" by HTTP; by SIP "Htek UC924E
// V3.0.4.5", with the address when SipSendMac is on.
var agent = regexp.MustCompile(`^(?i:Htek)\s+(UC\w+)\s+[Vv]?(\d+(?:\.\d+)+)(?:\s+(\S+))?$`)

// ouis are prefixes of Htek's addresses, to tell whose cfg<mac>.xml it is when
// nothing else does.
var ouis = []string{"001fc1"}

// Recognise knows an Htek by its User-Agent, or, when no User-Agent speaks
// against it, by cfg<mac>.xml with its maker's prefix.
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
	p.Brand = brand.Htek
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

// lineKeys are the keys beside the screen by model number, all pages counted.
var lineKeys = map[string]int{
	"926": 36, "924": 28, "923": 20, "912": 12, "903": 20, "862": 14, "860": 14, "842": 4, "840": 4, "806": 4, "804": 4, "803": 0, "802": 0,
}

// guessedKeys is how many keys a phone of unknown model is given; it ignores
// those it does not have, and none of them is waited for.
const guessedKeys = 36

// layoutOf finds a model by the name that the phone or the directory gives:
// "UC926", "UC924E". The letter behind the number changes no key.
func layoutOf(model string) brand.Layout {
	model = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(model)), "UC")
	number := model[:min(3, len(model))]
	keys, ok := lineKeys[number]
	if !ok {
		return brand.Layout{Keys: guessedKeys}
	}
	l := brand.Layout{Known: true, Keys: keys}
	if number == "924" || number == "926" {
		l.Modules, l.PerModule = hanlong.Modules, hanlong.PerModule
	}
	return l
}
