package yealink

import (
	"strings"

	"perch/provisioning/brand"
)

// screens is the XML browser of the maker's developer guide. A page leaves the
// phone's memory when it is left, so that Back does not send a PIN again. The
// phone draws the soft keys of menus and forms itself (submit, backspace).
func screens() brand.TextScreens {
	return brand.TextScreens{
		Prefix: "YealinkIPPhone",
		Menu:   []string{"Beep", "no", "destroyOnExit", "yes"},
		Form:   []string{"type", "number", "Beep", "no", "destroyOnExit", "yes"},
		Page:   []string{"Beep", "no", "destroyOnExit", "yes"},
		Notice: []string{"Beep", "yes"}, TextType: "string", Image: pictures,
	}
}

// pictures are the models with a colour screen, which show a picture of a URL;
// the others take hexadecimal dots only.
func pictures(name string) bool {
	_, family, _ := splitModel(strings.TrimPrefix(strings.ToUpper(name), "SIP-"))
	return family == 29 || family == 46 || family == 48 || family == 49 || family >= 52
}

// message is the event Yealink-xml: its body is any object of the XML browser.
func message(text string) brand.Attempt {
	return brand.Attempt{Event: "Yealink-xml", ContentType: "application/xml", Body: screens().Message("Perch", text)}
}
