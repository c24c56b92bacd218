package yealink

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// httpAgent takes all shapes of the HTTP User-Agent that are known:
// "Yealink SIP-T46U 108.86.0.90 80:5e:0c:11:22:33", one or two blanks before the
// firmware, the MAC with or without colons, "SIP VP-", W and VP phones without
// "SIP" or without the brand's word, "Yealink-<model> <fw> <hardware>". The last
// word counts only if it is a MAC.
var httpAgent = regexp.MustCompile(`^(?i:yealink[ -])?(?i:SIP[ -])?(?i:VP-)?([A-Za-z]{1,3}\d+\w*)\s+(\d+(?:\.\d+){3})(?:\s+(\S+))?$`)

// plainModel tells the models whose User-Agent may come without the word
// Yealink.
var plainModel = regexp.MustCompile(`^(?i:W\d|VP\d)`)

// deviceName are the names of one phone's files, commonName those of all.
var (
	deviceName = regexp.MustCompile(`^([0-9a-f]{12})(\.cfg|\.boot|-[a-z]+\.(?:cfg|xml|log|tgz))$`)
	commonName = regexp.MustCompile(`^y[0-9]{12}\.(cfg|boot)$`)
)

// ouis are prefixes of Yealink's addresses, to tell whose <mac>.cfg it is when
// nothing else does.
var ouis = []string{
	"001565", "805ec0", "805e0c", "249ad8", "44dbd2", "644f56", "e434d7", "ec1da9",
	"3497d7", "b061a9", "c4fc22", "f01653",
}

// Recognise knows a Yealink by its User-Agent, by a file name only it uses, or,
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
		own := commonName.MatchString(base) || strings.HasSuffix(base, ".boot") && deviceName.MatchString(base)
		guess := silent && deviceName.MatchString(base) && brand.HasOUI(p.MAC, ouis...)
		if !own && !guess {
			return brand.Phone{}, false
		}
	}
	p.Brand = brand.Yealink
	return p, true
}

// fromAgent reads an HTTP or SIP User-Agent; the SIP one has the same shape,
// with a MAC when sip.mac_in_ua is set.
func fromAgent(ua string) (brand.Phone, bool) {
	m := httpAgent.FindStringSubmatch(strings.TrimSpace(ua))
	if m == nil {
		return brand.Phone{}, false
	}
	if !strings.HasPrefix(strings.ToLower(ua), "yealink") && !plainModel.MatchString(m[1]) {
		return brand.Phone{}, false
	}
	p := brand.Phone{Model: strings.ToUpper(m[1]), Firmware: m[2]}
	p.MAC, _ = brand.MACWord(m[3])
	return p, true
}

// File says what a name means. Perch answers <mac>.boot, which names the one
// file to fetch: a phone that knows boot files makes two requests, an older one
// finds <mac>.cfg by itself.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	if commonName.MatchString(f.Name) {
		f.Kind = brand.Common
		return f
	}
	m := deviceName.FindStringSubmatch(f.Name)
	if m == nil {
		return f
	}
	var ok bool
	if f.MAC, ok = brand.MACOf(f.Name); !ok {
		return f
	}
	switch m[2] {
	case ".cfg":
		f.Kind = brand.Device
	case ".boot":
		f.Kind = brand.Boot
	default:
		f.Kind = brand.Upload
	}
	return f
}
