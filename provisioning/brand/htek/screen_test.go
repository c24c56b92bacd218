package htek

import (
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "UC924", Documented: map[string][]string{
		"TextMenu":               {"Beep"},
		"TextMenu/Title":         nil,
		"TextMenu/MenuItem":      nil,
		"MenuItem/Prompt":        nil,
		"MenuItem/URI":           nil,
		"InputScreen":            {"type", "Beep"},
		"InputScreen/Title":      nil,
		"InputScreen/URL":        nil,
		"InputScreen/InputField": {"type", "password"},
		"InputField/Prompt":      nil,
		"InputField/Parameter":   nil,
		"InputField/Default":     nil,
		"TextScreen":             {"Beep"},
		"TextScreen/Title":       nil,
		"TextScreen/Text":        nil,
		"TextScreen/SoftKey":     {"index"},
		"SoftKey/Label":          nil,
		"SoftKey/URI":            nil,
	}}.Run(t)
}
