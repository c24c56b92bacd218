package ciscompp

import (
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "8851", Documented: map[string][]string{
		"CiscoIPPhoneImageFile":             nil,
		"CiscoIPPhoneImageFile/Title":       nil,
		"CiscoIPPhoneImageFile/Prompt":      nil,
		"CiscoIPPhoneImageFile/LocationX":   nil,
		"CiscoIPPhoneImageFile/LocationY":   nil,
		"CiscoIPPhoneImageFile/URL":         nil,
		"CiscoIPPhoneImageFile/SoftKeyItem": nil,
		"CiscoIPPhoneMenu":                  nil,
		"CiscoIPPhoneMenu/Title":            nil,
		"CiscoIPPhoneMenu/Prompt":           nil,
		"CiscoIPPhoneMenu/MenuItem":         nil,
		"MenuItem/Name":                     nil,
		"MenuItem/URL":                      nil,
		"CiscoIPPhoneInput":                 nil,
		"CiscoIPPhoneInput/Title":           nil,
		"CiscoIPPhoneInput/Prompt":          nil,
		"CiscoIPPhoneInput/URL":             nil,
		"CiscoIPPhoneInput/InputItem":       nil,
		"InputItem/DisplayName":             nil,
		"InputItem/QueryStringParam":        nil,
		"InputItem/DefaultValue":            nil,
		"InputItem/InputFlags":              nil,
		"CiscoIPPhoneText":                  nil,
		"CiscoIPPhoneText/Title":            nil,
		"CiscoIPPhoneText/Prompt":           nil,
		"CiscoIPPhoneText/Text":             nil,
		"CiscoIPPhoneText/SoftKeyItem":      nil,
		"SoftKeyItem/Name":                  nil,
		"SoftKeyItem/URL":                   nil,
		"SoftKeyItem/Position":              nil,
	}}.Run(t)
}
