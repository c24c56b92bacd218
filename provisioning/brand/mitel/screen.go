package mitel

import "perch/provisioning/brand"

// screens is the XML of Aastra's and Mitel's developer guides. A condensed
// input screen shows both fields on one page.
func screens() brand.TextScreens {
	return brand.TextScreens{
		Prefix: "AastraIPPhone",
		Menu:   []string{"Beep", "no", "destroyOnExit", "yes"},
		Form:   []string{"type", "number", "displayMode", "condensed", "Beep", "no", "destroyOnExit", "yes"},
		Page:   []string{"Beep", "no", "destroyOnExit", "yes"},
	}
}
