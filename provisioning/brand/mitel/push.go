package mitel

import (
	"strings"

	"perch/provisioning/brand"
)

// pushed are the settings that a change of seat changes.
var pushed = []string{"sip line", "softkey", "topsoftkey", "prgkey", "expmod", "action uri startup"}

// push is the object Configuration: each item is a line of the file. Such
// settings are gone after a restart, at which the phone fetches its file.
func push(has, shall []byte) (brand.Attempt, bool) {
	changed, ok := brand.Changed(brand.Lines(has, ":"), brand.Lines(shall, ":"))
	if !ok || len(changed) == 0 || !brand.OnlyOf(changed, pushed...) {
		return brand.Attempt{}, false
	}
	root := brand.Has("AastraIPPhoneConfiguration").With("Beep", "no", "setType", "remote")
	for _, s := range changed {
		root.Kids = append(root.Kids, brand.Has("ConfigurationItem",
			brand.Holds("Parameter", s.Key), brand.Holds("Value", strings.Trim(s.Value, `"`))))
	}
	return brand.Attempt{Event: "aastra-xml", ContentType: "application/xml", Body: root.Document(), Wait: brand.PushWait}, true
}
