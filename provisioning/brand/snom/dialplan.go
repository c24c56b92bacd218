package snom

import (
	"strings"

	"perch/provisioning/brand"
)

// dialPlan is the value of user_dp_str: rules "!pattern!result!flags", tried in
// order. Each form of a feature code, and then whatever else is typed, becomes
// the user part as it is; a # at the end sends it at once (flag d) and is left
// out, as Snom's own example does. \d stands for the registrar.
// Snom service hub, "Dial Plan - Regular Expressions".
func dialPlan(d brand.Desk) string {
	var rules []string
	for _, c := range d.Codes() {
		code := strings.ReplaceAll(c, "*", `\*`)
		rules = append(rules, `!^(`+code+`(\*[0-9*]+)?)#$!sip:\1@\d!d`, `!^(`+code+`(\*[0-9*]+)?)$!sip:\1@\d!`)
	}
	return strings.Join(append(rules, `!^([^#]+)#$!sip:\1@\d!d`), " ")
}
