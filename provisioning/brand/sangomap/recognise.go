package sangomap

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// The User-Agents: "Sangoma P325 4_9_2", "Digium D40 1_4_0_0_57389", with the
// address in capitals behind them when send_mac_with_useragent is on. The
// firmware is written with dots here.
var (
	sangomaAgent = regexp.MustCompile(`^(?i:Sangoma)\s+(?i:(P\d{3}\w?))\s+(\d+(?:[_.]\d+)*)(?:\s+(\S+))?$`)
	digiumAgent  = regexp.MustCompile(`^(?i:Digium)\s+(?i:(D\d{2}))\s+(\d+(?:[_.]\d+)*)(?:\s+(\S+))?$`)
)

// Names in lower case.
var (
	configName = regexp.MustCompile(`^([0-9a-f]{12})\.cfg$`)
	deviceName = regexp.MustCompile(`^([0-9a-f]{12})(?:\.cfg|-contacts\.(?:xml|cfg))$`)
)

// ouis are prefixes of these phones' addresses, to tell whose <mac>.cfg it is
// when nothing else does. Both brands have them.
var ouis = []string{"000fd3"}

// recogniseSangoma knows a P phone by its User-Agent, or, when no User-Agent
// speaks against it, by <mac>.cfg with its maker's prefix; a Digium phone that
// says nothing is taken for one, which makes no difference to its files.
func recogniseSangoma(r brand.Request) (brand.Phone, bool) {
	p, found := recognise(r, sangomaAgent)
	if !found {
		silent := r.UserAgent == "" && r.SIPUserAgent == ""
		if m, ok := r.MAC(); !ok || !silent || !configName.MatchString(r.Base()) || !brand.HasOUI(m, ouis...) {
			return brand.Phone{}, false
		}
	}
	return finish(r, p, brand.SangomaP), true
}

// recogniseDigium knows a D phone by its User-Agent.
func recogniseDigium(r brand.Request) (brand.Phone, bool) {
	p, found := recognise(r, digiumAgent)
	if !found {
		return brand.Phone{}, false
	}
	return finish(r, p, brand.Digium), true
}

func finish(r brand.Request, p brand.Phone, name brand.Name) brand.Phone {
	if m, ok := r.MAC(); ok {
		p.MAC = m
	}
	p.Brand = name
	return p
}

// recognise reads both User-Agents in one form.
func recognise(r brand.Request, form *regexp.Regexp) (brand.Phone, bool) {
	p, found := fromAgent(r.UserAgent, form)
	if sip, ok := fromAgent(r.SIPUserAgent, form); ok {
		switch {
		case !found:
			p, found = sip, true
		case p.MAC.IsZero():
			p.MAC = sip.MAC
		}
	}
	return p, found
}

func fromAgent(ua string, form *regexp.Regexp) (brand.Phone, bool) {
	m := form.FindStringSubmatch(strings.TrimSpace(ua))
	if m == nil {
		return brand.Phone{}, false
	}
	p := brand.Phone{Model: strings.ToUpper(m[1]), Firmware: strings.ReplaceAll(m[2], "_", ".")}
	p.MAC, _ = brand.MACWord(m[3])
	return p, true
}

// File says what a name means. The file of contacts is one phone's too, and
// carries no account.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	if !deviceName.MatchString(f.Name) {
		return f
	}
	var ok bool
	if f.MAC, ok = brand.MACOf(f.Name); ok {
		f.Kind = brand.Device
		f.Name = strings.Replace(f.Name, "-contacts.cfg", contactsName, 1)
	}
	return f
}
