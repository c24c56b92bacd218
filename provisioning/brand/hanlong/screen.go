package hanlong

import "perch/provisioning/brand"

// Screens is the XML browser of Htek's developer guide: the objects have no
// maker's prefix. That Sangoma S reads the same is not verified.
func Screens() brand.TextScreens {
	return brand.TextScreens{
		Menu: []string{"Beep", "no"},
		Form: []string{"type", "number", "Beep", "no"},
		Page: []string{"Beep", "no"}, TextType: "string",
	}
}
