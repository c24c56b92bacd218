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
		Notice: []string{"Beep", "yes", "destroyOnExit", "yes"}, TextType: "string",
	}
}

// message is the event aastra-xml: its body is any object of the XML API.
func message(text string) brand.Attempt {
	return brand.Attempt{Event: "aastra-xml", ContentType: "application/xml", Body: screens().Message("Perch", text)}
}
