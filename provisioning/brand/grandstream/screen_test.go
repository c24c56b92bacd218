package grandstream

import (
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "GRP2614", Golden: "named-", Documented: map[string][]string{
		"xmlapp":           {"title"},
		"xmlapp/view":      nil,
		"view/section":     nil,
		"section/text":     {"label"},
		"section/input":    {"label", "name", "type"},
		"xmlapp/Softkeys":  nil,
		"Softkeys/Softkey": {"action", "label", "commandArgs"},
	}}.Run(t)
}

// TestScreensDrawn: the elements that the maker documents, and nothing else.
func TestScreensDrawn(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "GXP2120", Golden: "drawn-", Documented: map[string][]string{
		"Screen":                   nil,
		"Screen/Page":              nil,
		"Page/ShowStatusLine":      nil,
		"Page/Contents":            nil,
		"Contents/DisplayString":   {"font", "width", "height", "halign"},
		"DisplayString/X":          nil,
		"DisplayString/Y":          nil,
		"DisplayString/DisplayStr": nil,
		"Contents/input":           {"name", "value", "type"},
		"input/styles":             {"pos_x", "pos_y", "width"},
		"Page/SoftKeys":            nil,
		"SoftKeys/SoftKey":         {"action", "label", "commandArgs"},
	}}.Run(t)
}
