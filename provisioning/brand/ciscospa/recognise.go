package ciscospa

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// The HTTP User-Agents: "Cisco/SPA501G-7.4.4 (8843E157DDCC)(CBT141100HR)", where
// the first of two brackets is the MAC and a single one a serial number, even
// when that is twelve hex digits; "Linksys/SPA-962-6.1.5(a) (4MM00F903042)", with
// a serial number only. SIP ones end after the version.
var (
	ciscoAgent   = regexp.MustCompile(`^(?i:Cisco)/((?:SPA|ATA)\w+)-(\S+?)(?:\s+(?:\(([0-9A-Fa-f]{12})\))?\s*\((\w+)\))?$`)
	linksysAgent = regexp.MustCompile(`^(?i:Linksys|Sipura)/((?:SPA|PAP|RTP|WRP|WIP)-?\w+)-(\S+)(?:\s+\((\w+)\))?$`)
)

// Names in lower case. spa$PSN.cfg is what a phone asks for that knows only the
// server; the others are what a rule with $MA gives.
var (
	deviceName = regexp.MustCompile(`^([0-9a-f]{12})\.(xml|cfg)$`)
	ataName    = regexp.MustCompile(`^ata([0-9a-f]{12})\.cnf\.xml$`)
	commonName = regexp.MustCompile(`^(?:spa-?(\d{3,4}[a-z0-9]{0,3})\.cfg|init\.cfg)$`)
	uploadName = regexp.MustCompile(`^([0-9a-f]{12})-[a-z.-]{1,24}$`)
)

// ouis are prefixes of addresses of Cisco's small business phones, Linksys and
// Sipura, to tell whose <mac>.xml it is when nothing else does.
var ouis = []string{
	"503de5", "10bd18", "00e16d", "00da55", "002699", "d0c789", "c47295", "bc671c", "701f53", "687f74", "586d8f", "547c69",
	"20aa4b", "00259c", "002369", "00226b", "002129", "001ee5", "001d7e", "001c10", "001a70", "0018f8", "001839", "0016b6",
	"0014bf", "001310", "001217", "000e08", "00045a", "000625",
}

// Recognise knows an SPA by its User-Agent, by a file name only it uses, or,
// when no User-Agent speaks against it, by <mac>.xml with its maker's prefix.
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
		silent := r.UserAgent == "" && r.SIPUserAgent == ""
		guess := silent && deviceName.MatchString(base) && brand.HasOUI(p.MAC, ouis...)
		m := commonName.FindStringSubmatch(base)
		if m != nil && m[1] != "" {
			p.Model = "SPA" + strings.ToUpper(m[1])
		}
		if ataName.MatchString(base) {
			p.Model = "ATA190"
		}
		if p.Model == "" && !guess {
			return brand.Phone{}, false
		}
	}
	p.Brand = brand.CiscoSPA
	return p, true
}

func fromAgent(ua string) (brand.Phone, bool) {
	ua = strings.TrimSpace(ua)
	if m := ciscoAgent.FindStringSubmatch(ua); m != nil {
		p := brand.Phone{Model: normal(m[1]), Firmware: m[2]}
		p.MAC, _ = brand.MACWord(m[3])
		return p, true
	}
	if m := linksysAgent.FindStringSubmatch(ua); m != nil {
		return brand.Phone{Model: normal(m[1]), Firmware: m[2]}, true
	}
	return brand.Phone{}, false
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
	case deviceName.MatchString(f.Name), ataName.MatchString(f.Name):
		f.Kind = brand.Device
	case uploadName.MatchString(f.Name):
		f.Kind = brand.Upload
	}
	return f
}
