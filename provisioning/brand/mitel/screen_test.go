package mitel

import (
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "6920", Documented: map[string][]string{
		"AastraIPPhoneTextMenu":               {"Beep", "destroyOnExit"},
		"AastraIPPhoneTextMenu/Title":         nil,
		"AastraIPPhoneTextMenu/MenuItem":      nil,
		"MenuItem/Prompt":                     nil,
		"MenuItem/URI":                        nil,
		"AastraIPPhoneInputScreen":            {"type", "displayMode", "Beep", "destroyOnExit"},
		"AastraIPPhoneInputScreen/Title":      nil,
		"AastraIPPhoneInputScreen/URL":        nil,
		"AastraIPPhoneInputScreen/InputField": {"type", "password"},
		"InputField/Prompt":                   nil,
		"InputField/Parameter":                nil,
		"InputField/Default":                  nil,
		"AastraIPPhoneTextScreen":             {"Beep", "destroyOnExit"},
		"AastraIPPhoneTextScreen/Title":       nil,
		"AastraIPPhoneTextScreen/Text":        nil,
		"AastraIPPhoneTextScreen/SoftKey":     {"index"},
		"SoftKey/Label":                       nil,
		"SoftKey/URI":                         nil,
	}}.Run(t)
}
