// Package foreign knows the makers whose phones Perch recognises, registers and
// tells to reload, but whose configuration it does not write: one row for each.
// It promises no more than the request says: a model or firmware that the phone
// does not name stays empty. The forms are from the makers' guides and from
// requests that other servers' users have published; rows whose User-Agent nobody
// has published go by the maker's own word in it, and say so.
package foreign

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// maker is one row.
type maker struct {
	name brand.Name
	// agents are forms of the User-Agent, by HTTP or SIP. Groups are named model,
	// fw and mac; each may be absent.
	agents []*regexp.Regexp
	// files are names that only this maker's phones ask for, in lower case.
	files []*regexp.Regexp
	// shared are names that other makers use too: they count when no User-Agent
	// speaks against it and the MAC begins with one of ouis.
	shared []*regexp.Regexp
	ouis   []string
	recipe brand.Recipe
}

// Brands lists them, in the order in which they are to be asked.
func Brands() brand.List {
	var l brand.List
	for _, m := range makers() {
		l = append(l, brand.Brand{Name: m.name, Recognise: m.recognise, File: file, Recipe: m.recipe})
	}
	return l
}

// file knows no name: every file of these phones is one that is never there.
func file(name string) brand.File { return brand.File{Name: brand.Base(name)} }

func (m maker) recognise(r brand.Request) (brand.Phone, bool) {
	p, found := m.fromAgent(r.UserAgent)
	if sip, ok := m.fromAgent(r.SIPUserAgent); ok {
		switch {
		case !found:
			p, found = sip, true
		case p.MAC.IsZero():
			p.MAC = sip.MAC
		}
	}
	if !found && !m.fromFile(r) {
		return brand.Phone{}, false
	}
	if mac, ok := r.MAC(); ok {
		p.MAC = mac
	}
	p.Brand = m.name
	return p, true
}

// fromFile goes by the file's name, which counts only when no User-Agent names
// anybody else: some of these phones send none at all.
func (m maker) fromFile(r brand.Request) bool {
	base := r.Base()
	if matches(m.files, base) {
		return true
	}
	mac, ok := r.MAC()
	silent := r.UserAgent == "" && r.SIPUserAgent == ""
	return silent && ok && matches(m.shared, base) && brand.HasOUI(mac, m.ouis...)
}

func matches(forms []*regexp.Regexp, text string) bool {
	for _, f := range forms {
		if f.MatchString(text) {
			return true
		}
	}
	return false
}

func (m maker) fromAgent(ua string) (brand.Phone, bool) {
	ua = strings.TrimSpace(ua)
	for _, form := range m.agents {
		found := form.FindStringSubmatch(ua)
		if found == nil {
			continue
		}
		var p brand.Phone
		for i, group := range form.SubexpNames() {
			switch group {
			case "model":
				p.Model = strings.ToUpper(strings.TrimSpace(found[i]))
			case "fw":
				p.Firmware = found[i]
			case "mac":
				p.MAC, _ = brand.MACWord(found[i])
			}
		}
		return p, true
	}
	return brand.Phone{}, false
}
