package brandtest

// Cisco is what Cisco's guides document of the pages that its small business and
// its multiplatform phones share: elements below elements, with their attributes.
func Cisco() map[string][]string {
	return map[string][]string{
		"CiscoIPPhoneMenu":             nil,
		"CiscoIPPhoneMenu/Title":       nil,
		"CiscoIPPhoneMenu/Prompt":      nil,
		"CiscoIPPhoneMenu/MenuItem":    nil,
		"MenuItem/Name":                nil,
		"MenuItem/URL":                 nil,
		"CiscoIPPhoneInput":            nil,
		"CiscoIPPhoneInput/Title":      nil,
		"CiscoIPPhoneInput/Prompt":     nil,
		"CiscoIPPhoneInput/URL":        nil,
		"CiscoIPPhoneInput/InputItem":  nil,
		"InputItem/DisplayName":        nil,
		"InputItem/QueryStringParam":   nil,
		"InputItem/DefaultValue":       nil,
		"InputItem/InputFlags":         nil,
		"CiscoIPPhoneText":             nil,
		"CiscoIPPhoneText/Title":       nil,
		"CiscoIPPhoneText/Prompt":      nil,
		"CiscoIPPhoneText/Text":        nil,
		"CiscoIPPhoneText/SoftKeyItem": nil,
		"SoftKeyItem/Name":             nil,
		"SoftKeyItem/URL":              nil,
		"SoftKeyItem/Position":         nil,
	}
}

// Hanlong is what Htek documents of its pages; Sangoma sells the same firmware.
func Hanlong() map[string][]string {
	return map[string][]string{
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
	}
}
