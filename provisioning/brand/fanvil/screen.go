package fanvil

import "perch/provisioning/brand"

// screens is the XML browser of Fanvil's phones. Only the objects that the
// maker names are used; soft keys are not among them, and that a field with
// password="yes" is hidden is taken from the dialects it resembles.
func screens() brand.TextScreens {
	return brand.TextScreens{Prefix: "FanvilIPPhone", Text: "Text", NoKeys: true, Prompted: true}
}
