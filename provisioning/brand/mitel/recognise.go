package mitel

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// The HTTP User-Agent is "Mitel6920 MAC:14-00-E9-1F-03-EA V:6.4.0.140-SIP", with
// Aastra on older ones; the SIP one "Mitel-6920-SIP/6.4.0.140".
var (
	httpAgent = regexp.MustCompile(`^(?i:Aastra|Mitel) ?(\w+) MAC:(\S+) V:([\d.]+)`)
	sipAgent  = regexp.MustCompile(`^(?i:Aastra|Mitel)[ -]?(\w+?)(?:-SIP)?/([\d.]+)`)
)

// Names in lower case; the phone asks with the MAC in capitals.
var (
	deviceName = regexp.MustCompile(`^([0-9a-f]{12})\.cfg$`)
	ownName    = regexp.MustCompile(`^(?:startup|aastra)\.(?:cfg|tuz)$|^security\.tuz$`)
	modelName  = regexp.MustCompile(`^(6[789][0-9]{2}[iwdt]{0,2}|5[1357]i(?:ct)?|9(?:143|480)i)\.(?:cfg|tuz|st)$`)
)

// ouis are prefixes of Mitel's addresses, to tell whose <MAC>.cfg it is when
// nothing else does.
var ouis = []string{"00085d", "08000f", "1400e9"}

// Recognise knows a Mitel by its User-Agent, by a file name only it uses, or,
// when no User-Agent speaks against it, by <MAC>.cfg with its maker's prefix.
func Recognise(r brand.Request) (brand.Phone, bool) {
	p, found := fromAgents(r)
	base := r.Base()
	if m, ok := r.MAC(); ok {
		p.MAC = m
	}
	if !found {
		silent := r.UserAgent == "" && r.SIPUserAgent == ""
		byModel := modelName.FindStringSubmatch(base)
		switch {
		case byModel != nil:
			p.Model = strings.ToUpper(byModel[1])
		case ownName.MatchString(base):
		case silent && deviceName.MatchString(base) && brand.HasOUI(p.MAC, ouis...):
		default:
			return brand.Phone{}, false
		}
	}
	p.Brand = brand.Mitel
	return p, true
}

func fromAgents(r brand.Request) (brand.Phone, bool) {
	if m := httpAgent.FindStringSubmatch(strings.TrimSpace(r.UserAgent)); m != nil {
		p := brand.Phone{Model: strings.ToUpper(m[1]), Firmware: m[3]}
		p.MAC, _ = brand.MACWord(m[2])
		return p, true
	}
	if m := sipAgent.FindStringSubmatch(strings.TrimSpace(r.SIPUserAgent)); m != nil {
		return brand.Phone{Model: strings.ToUpper(m[1]), Firmware: m[2]}, true
	}
	return brand.Phone{}, false
}

// File says what a name means. The phone asks for startup.cfg (aastra.cfg before
// release 4) and <model>.cfg, of which there are none, then for <MAC>.cfg; each
// also encrypted, as .tuz, which Perch does not write.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	switch {
	case ownName.MatchString(f.Name), modelName.MatchString(f.Name):
		f.Kind = brand.Common
	case deviceName.MatchString(f.Name):
		if m, ok := brand.MACOf(f.Name); ok {
			f.Kind, f.MAC = brand.Device, m
		}
	}
	return f
}
