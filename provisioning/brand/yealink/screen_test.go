package yealink

import (
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "T46U", Documented: map[string][]string{
		"YealinkIPPhoneImageScreen":            {"Beep", "destroyOnExit", "mode"},
		"YealinkIPPhoneImageScreen/Image":      {"horizontalAlign", "verticalAlign"},
		"YealinkIPPhoneImageScreen/SoftKey":    {"index"},
		"YealinkIPPhoneTextMenu":               {"Beep", "destroyOnExit"},
		"YealinkIPPhoneTextMenu/Title":         nil,
		"YealinkIPPhoneTextMenu/MenuItem":      nil,
		"MenuItem/Prompt":                      nil,
		"MenuItem/URI":                         nil,
		"YealinkIPPhoneInputScreen":            {"type", "Beep", "destroyOnExit"},
		"YealinkIPPhoneInputScreen/Title":      nil,
		"YealinkIPPhoneInputScreen/URL":        nil,
		"YealinkIPPhoneInputScreen/InputField": {"type", "password"},
		"InputField/Prompt":                    nil,
		"InputField/Parameter":                 nil,
		"InputField/Default":                   nil,
		"YealinkIPPhoneTextScreen":             {"Beep", "destroyOnExit"},
		"YealinkIPPhoneTextScreen/Title":       nil,
		"YealinkIPPhoneTextScreen/Text":        nil,
		"YealinkIPPhoneTextScreen/SoftKey":     {"index"},
		"SoftKey/Label":                        nil,
		"SoftKey/URI":                          nil,
	}}.Run(t)
}
