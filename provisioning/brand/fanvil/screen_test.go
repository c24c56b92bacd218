package fanvil

import (
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "X4", Documented: map[string][]string{
		"FanvilIPPhoneTextMenu":               nil,
		"FanvilIPPhoneTextMenu/Title":         nil,
		"FanvilIPPhoneTextMenu/MenuItem":      nil,
		"MenuItem/Prompt":                     nil,
		"MenuItem/URI":                        nil,
		"FanvilIPPhoneInputScreen":            nil,
		"FanvilIPPhoneInputScreen/Title":      nil,
		"FanvilIPPhoneInputScreen/URL":        nil,
		"FanvilIPPhoneInputScreen/Prompt":     nil,
		"FanvilIPPhoneInputScreen/InputField": {"type", "password"},
		"InputField/Prompt":                   nil,
		"InputField/Parameter":                nil,
		"InputField/Default":                  nil,
		"FanvilIPPhoneText":                   nil,
		"FanvilIPPhoneText/Title":             nil,
		"FanvilIPPhoneText/Text":              nil,
	}}.Run(t)
}
