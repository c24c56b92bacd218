package brandtest

import (
	"fmt"
	"strings"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// Idle is a desk nobody sits at.
func Idle(mac directory.MAC, model string) brand.Desk {
	return brand.Desk{
		MAC: mac, Model: model, Label: "Berlin 3.14", Domain: "acme.test",
		Account:      brand.Account{User: mac.String(), AuthUser: mac.String(), Password: "devicepassword234567"},
		Server:       brand.Server{Host: "192.0.2.5", Port: 5060, Transport: brand.UDP, Expires: 3600},
		FeatureCodes: directory.DefaultFeatureCodes(), EmergencyNumbers: []string{"112", "110"},
		Provisioning: brand.Provisioning{URL: "http://192.0.2.5:8080/acme/", User: mac.String(), Password: "dev-s3cret"},
		TimeZone:     "Europe/Berlin", NTPServer: "192.0.2.1", Language: "de",
	}
}

// Bound is the desk with Ada at it, who has a key of every type.
func Bound(mac directory.MAC, model string) brand.Desk {
	d := Idle(mac, model)
	d.Bound = true
	d.Account = brand.Account{
		User: "1001", AuthUser: mac.String(), Password: "sessionpassword23456", DisplayName: "Ada Lovelace",
	}
	d.Keys = []directory.Key{
		{Type: brand.KeyBLF, Value: "1002", Label: "Grace"},
		{Type: brand.KeySpeedDial, Value: "+4930123", Label: "<Gate> & \"more\""},
		{Type: brand.KeyBLF, Value: "sip:1003@acme.test"},
		{Type: brand.KeyPark, Value: "701", Label: "Park"},
		{Type: brand.KeyPickup, Value: "*8", Label: "Pick up"},
		{Type: brand.KeyVoicemail, Value: "*97", Label: "Mail"},
		{Type: brand.KeyDTMF, Value: "42#", Label: "Door"},
		{Type: brand.KeyURL, Value: "https://intra.acme.test/?a=1&b=2", Label: "Intra"},
	}
	return d
}

// Full is the desk with n BLF keys, 2000 and on.
func Full(mac directory.MAC, model string, n int) brand.Desk {
	d := Bound(mac, model)
	d.Keys = nil
	for i := range n {
		d.Keys = append(d.Keys, directory.Key{Type: brand.KeyBLF, Value: fmt.Sprint(2000 + i)})
	}
	return d
}

// Hostile is text that tries to leave its place in one format or another.
func Hostile() []string {
	return []string{
		"a\nb", "a\naccount.2.enable = 1", "a\r\n\r\nsip line2 password: x", "</P34><P271>0</P271>", `" reg.2.address="x`,
		"</user_pass><user_active idx=\"2\">on</user_active>", "a\u0085b: c", "a\u2028b = c", "a\u2029b: c", "a\x00b",
		"\v\f\x1b[2J", `'"<'&>]]>`, "<![CDATA[", "<!--", "-->", "&lt;&#0;&#x0;&bogus;", "<?xml?>", "%NULL%", "%s%d%n",
		"{{.Account.Password}}", "{{", "# comment", "a#b", `"`, `\"`, `a\`, "!x: y", "^x: y", "\u202eevil\u202c",
		"\U0001F4DE\U0001F468\u200d\U0001F469", "\xff\xfe\xc0\x80", "\ufffe\uffff", " : ", " = ", "", strings.Repeat("x", 1<<16),
	}
}

// Poison puts a text in every place of a desk that a person, the directory or a
// phone can write.
func Poison(d brand.Desk, s string) brand.Desk {
	d.Label, d.Domain = s, s
	d.Account = brand.Account{User: s, AuthUser: s, Password: directory.Secret(s), DisplayName: s, Label: s}
	d.Server.Host, d.Server.Transport = s, brand.Transport(s)
	d.Provisioning = brand.Provisioning{URL: s, User: s, Password: directory.Secret(s)}
	d.NTPServer, d.AdminPassword = "x"+s, directory.Secret("x"+s)
	d.FeatureCodes = directory.FeatureCodes{Login: s, Logout: "*" + s, WhoAmI: s, Reload: s}
	d.EmergencyNumbers = []string{"112", s}
	d.Keys = []directory.Key{
		{Type: s, Value: s, Label: s},
		{Type: brand.KeyBLF, Value: s, Label: s},
		{Type: brand.KeyBLF, Value: "1002", Label: s},
		{Type: brand.KeyURL, Value: "http://x/" + s, Label: s},
		{Type: brand.KeyVoicemail, Label: s},
		{Type: brand.KeySpeedDial, Value: s},
	}
	return d
}
