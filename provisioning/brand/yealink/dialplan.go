package yealink

import (
	"strings"

	"perch/provisioning/brand"
)

// digitMap is the phone's dial plan: no rule replaces anything, so whatever is
// typed leaves as typed. A feature code is sent when the timer T ends or at the
// send key; "*11T" does not cut off "*11*1001", because the longer rule still
// matches. The last rule is any number.
// Yealink administrator guide, "Basic Regular Expression Syntax for Digit Map".
func digitMap(d brand.Desk) string {
	var rules []string
	for _, c := range d.Codes() {
		rules = append(rules, c+"T", c+"*[x*].T")
	}
	return strings.Join(append(rules, "[x*#+].T"), "|")
}
