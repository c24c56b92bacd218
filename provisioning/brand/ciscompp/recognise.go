package ciscompp

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// The HTTP User-Agent is "Cisco-CP-8851-3PCC/11.2.1 (5486bc9a1122)"; the version
// may hold brackets of its own, the address is the last one. The SIP one ends
// after the version.
var agent = regexp.MustCompile(`^(?i:Cisco-)?CP-(\w+)-3PCC(?:-K9)?/(.+?)(?:\s+\(([0-9A-Fa-f]{12})\))?$`)

// Names in lower case. The factory's rule is CP-xxxx-3PCC.xml, the same for all
// phones of a model; <mac>.xml is what a rule with $MA gives.
var (
	deviceName = regexp.MustCompile(`^([0-9a-f]{12})\.(xml|cfg)$`)
	commonName = regexp.MustCompile(`^cp-(\w{4})-3pcc\.xml$`)
	uploadName = regexp.MustCompile(`^([0-9a-f]{12})-[a-z.-]{1,24}$`)
)

// Recognise knows a multiplatform phone by its User-Agent or by the
// factory's file name. <mac>.xml alone could be anybody's.
func Recognise(r brand.Request) (brand.Phone, bool) {
	p, found := fromAgent(r.UserAgent)
	if sip, ok := fromAgent(r.SIPUserAgent); ok && !found {
		p, found = sip, true
	}
	base := r.Base()
	if m, ok := r.MAC(); ok {
		p.MAC = m
	}
	if !found {
		m := commonName.FindStringSubmatch(base)
		if m == nil {
			return brand.Phone{}, false
		}
		p.Model = strings.ToUpper(m[1])
	}
	p.Brand = brand.CiscoMPP
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

// File says what a name means. The first name that a phone asks for by itself
// carries no address, so Perch cannot answer it: the rule that comes by DHCP or
// from the web page has to name $MA.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	if commonName.MatchString(f.Name) {
		f.Kind = brand.Common
		return f
	}
	var ok bool
	if f.MAC, ok = brand.MACOf(f.Name); !ok {
		return f
	}
	switch {
	case deviceName.MatchString(f.Name):
		f.Kind = brand.Device
	case uploadName.MatchString(f.Name):
		f.Kind = brand.Upload
	}
	return f
}
