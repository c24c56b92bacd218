package yealink

import (
	"time"

	"perch/provisioning/brand"
)

// pushed are the settings that a change of seat changes, and that the phone takes
// while it runs.
var pushed = []string{"account.", "linekey.", "expansion_module.", "voice_mail.", "action_url.setup_completed"}

// push is the object Configuration: each Item is a line of the file.
func push(has, shall []byte) (brand.Attempt, bool) {
	changed, ok := brand.Changed(brand.Lines(has, "="), brand.Lines(shall, "="))
	if !ok || len(changed) == 0 || !brand.OnlyOf(changed, pushed...) {
		return brand.Attempt{}, false
	}
	root := brand.Has("YealinkIPPhoneConfiguration").With("Beep", "no", "setType", "config")
	for _, s := range changed {
		root.Kids = append(root.Kids, brand.Holds("Item", s.Key+" = "+s.Value))
	}
	return brand.Attempt{Event: "Yealink-xml", ContentType: "application/xml", Body: root.Document(), Wait: brand.PushWait}, true
}

func recipe() brand.Recipe {
	r := brand.CheckSync(15*time.Second, 2*time.Minute)
	r.Push = push
	return r
}
