package snom

import (
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "D785", Documented: map[string][]string{
		"SnomIPPhoneImageFile":             {"track"},
		"SnomIPPhoneImageFile/LocationX":   nil,
		"SnomIPPhoneImageFile/LocationY":   nil,
		"SnomIPPhoneImageFile/URL":         nil,
		"SnomIPPhoneImageFile/SoftKeyItem": nil,
		"SnomIPPhoneImageFile/fetch":       {"mil"},
		"SnomIPPhoneMenu":                  {"track"},
		"SnomIPPhoneMenu/Title":            nil,
		"SnomIPPhoneMenu/MenuItem":         nil,
		"MenuItem/Name":                    nil,
		"MenuItem/URL":                     nil,
		"SnomIPPhoneInput":                 {"track"},
		"SnomIPPhoneInput/Title":           nil,
		"SnomIPPhoneInput/Prompt":          nil,
		"SnomIPPhoneInput/URL":             nil,
		"SnomIPPhoneInput/InputItem":       nil,
		"InputItem/DisplayName":            nil,
		"InputItem/QueryStringParam":       nil,
		"InputItem/DefaultValue":           nil,
		"InputItem/InputFlags":             nil,
		"SnomIPPhoneText":                  {"track"},
		"SnomIPPhoneText/Title":            nil,
		"SnomIPPhoneText/Text":             nil,
		"SnomIPPhoneText/fetch":            {"mil"},
		"SnomIPPhoneText/SoftKeyItem":      nil,
		"SoftKeyItem/Name":                 nil,
		"SoftKeyItem/Label":                nil,
		"SoftKeyItem/URL":                  nil,
	}}.Run(t)
}
