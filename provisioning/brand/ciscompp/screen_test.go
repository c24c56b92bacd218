package ciscompp

import (
	"maps"
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	documented := brandtest.Cisco()
	maps.Copy(documented, map[string][]string{
		"CiscoIPPhoneImageFile":             nil,
		"CiscoIPPhoneImageFile/Title":       nil,
		"CiscoIPPhoneImageFile/Prompt":      nil,
		"CiscoIPPhoneImageFile/LocationX":   nil,
		"CiscoIPPhoneImageFile/LocationY":   nil,
		"CiscoIPPhoneImageFile/URL":         nil,
		"CiscoIPPhoneImageFile/SoftKeyItem": nil,
	})
	brandtest.Screens{Brand: Brand, Model: "8851", Documented: documented}.Run(t)
}
