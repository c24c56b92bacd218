package yealink

import "perch/provisioning/brand"

// screens is the XML browser of the maker's developer guide. A page leaves the
// phone's memory when it is left, so that Back does not send a PIN again. The
// phone draws the soft keys of menus and forms itself (submit, backspace).
func screens() brand.TextScreens {
	return brand.TextScreens{
		Prefix: "YealinkIPPhone",
		Menu:   []string{"Beep", "no", "destroyOnExit", "yes"},
		Form:   []string{"type", "number", "Beep", "no", "destroyOnExit", "yes"},
		Page:   []string{"Beep", "no", "destroyOnExit", "yes"},
		Notice: []string{"Beep", "yes"},
	}
}

// message is the event Yealink-xml: its body is any object of the XML browser.
func message(text string) brand.Attempt {
	return brand.Attempt{Event: "Yealink-xml", ContentType: "application/xml", Body: screens().Message("Perch", text)}
}
