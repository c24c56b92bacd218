package grandstream

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// The HTTP User-Agent is "Grandstream Model HW GRP2614 SW 1.0.5.15 DevId
// c074ad0b63ee", with the hardware's version before SW on some and more than one
// blank; the GXP2000's has its images in brackets. The SIP one is "Grandstream
// GXP2170 1.0.9.135".
var (
	httpAgent = regexp.MustCompile(`(?i)^Grandstream\s+Model\s+HW\s+(\w+)(?:\s+V\S+)?\s+SW\s+([\d.]+)(?:\s+DevId\s+(\S+))?`)
	oldAgent  = regexp.MustCompile(`(?i)^Grandstream\s+(\w+)\s+\(\S*?:([\d.]+)\S*\)(?:\s+DevId\s+(\S+))?`)
	sipAgent  = regexp.MustCompile(`(?i)^Grandstream\s+(\w+)\s+([\d.]+)()`)
	anyAgent  = regexp.MustCompile(`(?i)^Grandstream\b()()()`)
)

// Names in lower case. "cfg" + MAC without an ending is the binary format, which
// Perch does not write: the phone goes on to the XML.
var (
	deviceName = regexp.MustCompile(`^cfg([0-9a-f]{12})\.xml$`)
	commonName = regexp.MustCompile(`^cfg((?:gxp|grp|gxv|ghp|gac|gsc|wp|ht|dp)\d\w*)?\.xml$`)
)

// ouis are prefixes of Grandstream's addresses. Htek's phones ask for
// cfg<mac>.xml too.
var ouis = []string{"000b82", "c074ad", "ec74d7"}

// Recognise knows a Grandstream by its User-Agent, by a file name with a model,
// or, when no User-Agent speaks against it, by cfg<mac>.xml with its maker's
// prefix.
func Recognise(r brand.Request) (brand.Phone, bool) {
	p, found := fromAgent(r.UserAgent, httpAgent, oldAgent, anyAgent)
	if sip, ok := fromAgent(r.SIPUserAgent, sipAgent, anyAgent); ok && !found {
		p, found = sip, true
	}
	base := r.Base()
	if m, ok := r.MAC(); ok {
		p.MAC = m
	}
	if !found {
		silent := r.UserAgent == "" && r.SIPUserAgent == ""
		common := commonName.FindStringSubmatch(base)
		switch {
		case common != nil && common[1] != "":
			p.Model = strings.ToUpper(common[1])
		case silent && deviceName.MatchString(base) && brand.HasOUI(p.MAC, ouis...):
		default:
			return brand.Phone{}, false
		}
	}
	p.Brand = brand.Grandstream
	return p, true
}

func fromAgent(ua string, shapes ...*regexp.Regexp) (brand.Phone, bool) {
	for _, shape := range shapes {
		if m := shape.FindStringSubmatch(strings.TrimSpace(ua)); m != nil {
			p := brand.Phone{Model: strings.ToUpper(m[1]), Firmware: m[2]}
			p.MAC, _ = brand.MACWord(m[3])
			return p, true
		}
	}
	return brand.Phone{}, false
}

// File says what a name means. The phone takes the first of cfg<mac>,
// cfg<mac>.xml, cfg<model>.xml and cfg.xml that is there: Perch has the second.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	switch {
	case deviceName.MatchString(f.Name):
		if m, ok := brand.MACOf(f.Name); ok {
			f.Kind, f.MAC = brand.Device, m
		}
	case commonName.MatchString(f.Name), f.Name == "phonebook.xml":
		f.Kind = brand.Common
	}
	return f
}
