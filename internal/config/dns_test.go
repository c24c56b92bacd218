package config

import "testing"

func TestNameServer(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.53": "192.0.2.53:53", "192.0.2.53:5353": "192.0.2.53:5353", "2001:db8::53": "[2001:db8::53]:53", "[::1]:54": "[::1]:54",
		"ns.test": "", "": "", "192.0.2.1:0": "", "192.0.2.1:99999": "",
	} {
		var n NameServer
		err := n.UnmarshalText([]byte(text))
		if (err == nil) != (want != "") || want != "" && n.String() != want {
			t.Errorf("%q is %s, %v", text, n, err)
		}
	}
}
