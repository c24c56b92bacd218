package fanvil

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// agent is "Fanvil X4 2.10.2.6887 0c383e07e16c" over HTTP; a model may have a
// second word ("X6U Pro"). The SIP one has the MAC when EnableRegisterMAC is on.
var agent = regexp.MustCompile(`^Fanvil ([A-Za-z]\d\w*(?:[- ][A-Za-z]\w*)*) ([\d.]+)(?: ([0-9A-Fa-f:]{12,17}))?$`)

// Names in lower case. The shared ones: f0x4hw1.100.cfg, f0v00x300000.cfg (which
// has twelve characters as a MAC does, but a letter beyond f), fanvil_v65_hwv1_0.txt.
var (
	deviceName = regexp.MustCompile(`^([0-9a-f]{12})\.cfg$`)
	commonName = regexp.MustCompile(`^(?:f0[0-9a-z]{1,10}hw\d\.\d{1,3}\.cfg|f0[0-9a-z]{10}\.cfg|fanvil_[0-9a-z_]{1,24}\.txt)$`)
)

// ouis are prefixes of Fanvil's addresses, to tell whose <mac>.cfg it is when
// nothing else does.
var ouis = []string{"0c383e", "00a859"}

// Recognise knows a Fanvil by its User-Agent, by a file name only it uses, or,
// when no User-Agent speaks against it, by <mac>.cfg with its maker's prefix.
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
	base := r.Base()
	if m, ok := r.MAC(); ok {
		p.MAC = m
	}
	if !found {
		silent := r.UserAgent == "" && r.SIPUserAgent == ""
		guess := silent && deviceName.MatchString(base) && brand.HasOUI(p.MAC, ouis...)
		if !common(base) && !guess {
			return brand.Phone{}, false
		}
	}
	p.Brand = brand.Fanvil
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

// common tells the names that phones of one model share.
func common(base string) bool {
	return commonName.MatchString(base) && !deviceName.MatchString(base)
}

// File says what a name means. The phone asks for the shared file of its model,
// of which there is none, then for <mac>.cfg.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	switch {
	case common(f.Name):
		f.Kind = brand.Common
	case deviceName.MatchString(f.Name):
		if m, ok := brand.MACOf(f.Name); ok {
			f.Kind, f.MAC = brand.Device, m
		}
	}
	return f
}
