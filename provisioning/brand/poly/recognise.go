package poly

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// The HTTP User-Agent is "FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430
// Type/Application", newer ones "FileTransport PolyCCX-CCX_600-UA/8.0.2.3267
// (SN:482567b5313f) Type/Application"; the SIP one is the middle, with "_" and the
// MAC behind the firmware when it is tagged. The updater and the application
// have different firmware numbers.
var agent = regexp.MustCompile(`^(?:FileTransport )?Poly(?:com)?[\w ]*-([\w ]+)-UA/([\d.]+)(?:_([0-9A-Fa-f]{12})\b)?(?:.*\(SN:([0-9A-Fa-f]{12})\))?`)

// Names in lower case. The master, <mac>.cfg, names the one file that carries the
// account.
var (
	masterName = regexp.MustCompile(`^([0-9a-f]{12})\.cfg$`)
	deviceName = regexp.MustCompile(`^([0-9a-f]{12})-perch\.cfg$`)
	uploadName = regexp.MustCompile(`^([0-9a-f]{12})-(?:[a-z-]{1,24}\.log|phone\.cfg|web\.cfg|directory\.xml|calls\.xml)$`)
	ownName    = regexp.MustCompile(`^(?:[0-9a-f]{12}-(?:phone|web|license|user|perch|mb)\.cfg|[0-9a-f]{12}-(?:boot|app)\.log|000000000000(?:-license)?\.cfg|(?:[0-9-]{1,20}\.)?sip\.ld)$`)
)

// ouis are prefixes of Poly's addresses, to tell whose <mac>.cfg it is when
// nothing else does.
var ouis = []string{"0004f2", "64167f", "482567"}

// Recognise knows a Poly by its User-Agent, by a file name only it uses, or,
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
		guess := silent && masterName.MatchString(base) && brand.HasOUI(p.MAC, ouis...)
		if !ownName.MatchString(base) && !guess {
			return brand.Phone{}, false
		}
	}
	p.Brand = brand.Poly
	return p, true
}

func fromAgent(ua string) (brand.Phone, bool) {
	m := agent.FindStringSubmatch(strings.TrimSpace(ua))
	if m == nil {
		return brand.Phone{}, false
	}
	p := brand.Phone{Model: strings.ToUpper(m[1]), Firmware: m[2]}
	for _, text := range m[3:] {
		if mac, ok := brand.MACWord(text); ok {
			p.MAC = mac
		}
	}
	return p, true
}

// File says what a name means. What the phone wrote itself is never given back:
// it would bring the last user's settings along.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	mac, ok := brand.MACOf(f.Name)
	switch {
	case !ok:
		if ownName.MatchString(f.Name) || f.Name == "000000000000-directory.xml" {
			f.Kind = brand.Common
		}
		return f
	case masterName.MatchString(f.Name):
		f.Kind = brand.Boot
	case deviceName.MatchString(f.Name):
		f.Kind = brand.Device
	case uploadName.MatchString(f.Name):
		f.Kind = brand.Upload
	default:
		return f
	}
	f.MAC = mac
	return f
}
