package snom

import (
	"regexp"
	"strconv"
	"strings"

	"perch/provisioning/brand"
)

// The HTTP User-Agent is "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33
// 2010.12-00004-g9ba52f5 000413922D24 SXM:0 UXM:0)"; the number of words between
// firmware and MAC differs, the MAC and the modules may be missing. The SIP one
// is "snomD785/10.1.33.33".
var (
	httpAgent = regexp.MustCompile(`(?i)\bsnom(\w+)-SIP ([\d.]+)`)
	anyAgent  = regexp.MustCompile(`(?i)^Mozilla/4\.0 \(compatible; snom\b`)
	sipAgent  = regexp.MustCompile(`(?i)^snom(\w+)/([\d.]+)`)
	agentMAC  = regexp.MustCompile(`\b[0-9A-Fa-f]{12}\b`)
	modules   = regexp.MustCompile(`\b[SU]XM:(\d{1,2})\b`)
)

// Names in lower case. Folders before them do not count.
var (
	plainName  = regexp.MustCompile(`^([0-9a-f]{12})\.(xml|htm)$`)
	deviceName = regexp.MustCompile(`^snom[ -]?(\w+)-([0-9a-f]{12})\.(xml|htm)$`)
	commonName = regexp.MustCompile(`^snom[ -]?(\w+)(-firmware)?\.(xml|htm|php)$`)
	uploadName = regexp.MustCompile(`^([0-9a-f]{12})-[a-z.-]{1,24}$`)
)

// ouis are prefixes of Snom's addresses, to tell whose <MAC>.xml it is when
// nothing else does.
var ouis = []string{"000413", "00087b"}

// Recognise knows a Snom by its User-Agent, by a file name only it uses, or,
// when no User-Agent speaks against it, by <MAC>.xml with its maker's prefix.
func Recognise(r brand.Request) (brand.Phone, bool) {
	p, found := fromAgents(r)
	base := r.Base()
	if m, ok := r.MAC(); ok {
		p.MAC = m
	}
	model := ""
	if m := deviceName.FindStringSubmatch(base); m != nil {
		model = m[1]
	} else if m := commonName.FindStringSubmatch(base); m != nil {
		model = m[1]
	}
	if !found {
		silent := r.UserAgent == "" && r.SIPUserAgent == ""
		guess := silent && plainName.MatchString(base) && brand.HasOUI(p.MAC, ouis...)
		if model == "" && !guess {
			return brand.Phone{}, false
		}
	}
	if p.Model == "" {
		p.Model = strings.ToUpper(model)
	}
	p.Brand = brand.Snom
	return p, true
}

func fromAgents(r brand.Request) (brand.Phone, bool) {
	var p brand.Phone
	ua := r.UserAgent
	if m := httpAgent.FindStringSubmatch(ua); m != nil {
		p.Model, p.Firmware = strings.ToUpper(m[1]), m[2]
		if all := agentMAC.FindAllString(ua, -1); len(all) > 0 {
			p.MAC, _ = brand.MACWord(all[len(all)-1])
		}
		p.Modules = countModules(ua)
		return p, true
	}
	if m := sipAgent.FindStringSubmatch(r.SIPUserAgent); m != nil {
		p.Model, p.Firmware = strings.ToUpper(m[1]), m[2]
		return p, true
	}
	// Before firmware 7 there was neither model nor MAC in it.
	return p, anyAgent.MatchString(ua)
}

// countModules adds up the attached modules of both kinds.
func countModules(ua string) brand.Modules {
	var n brand.Modules
	for _, m := range modules.FindAllStringSubmatch(ua, -1) {
		count, err := strconv.Atoi(m[1])
		if err != nil {
			continue
		}
		n.Known, n.Count = true, n.Count+count
	}
	return n
}

// File says what a name means. A phone that knows only the server asks for
// snom<model>.htm, which Perch does not have, then for snom<model>-<MAC>.htm;
// one that has been here once asks for <MAC>.xml alone.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	device := plainName.MatchString(f.Name) || deviceName.MatchString(f.Name)
	var ok bool
	if f.MAC, ok = (brand.Request{Path: name}).MAC(); !ok {
		if commonName.MatchString(f.Name) {
			f.Kind = brand.Common
		}
		return f
	}
	switch {
	case device, commonName.MatchString(f.Name): // the second with ?mac=
		f.Kind = brand.Device
	case uploadName.MatchString(f.Name):
		f.Kind = brand.Upload
	}
	return f
}
