package location

import (
	"errors"
	"testing"
)

func TestURIEqual(t *testing.T) {
	for _, tc := range []struct {
		name, a, b string
		want       bool
	}{
		// RFC 3261 section 19.1.4, the examples given there.
		{"escape and case", "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true},
		{"unknown parameter on one side", "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"two different unknown parameters", "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
		{"order of parameters", "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com", "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"order of headers", "sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"case of the user", "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"default port on one side", "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"default transport on one side", "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"another port and transport", "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"a header on one side", "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"name and address", "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"a known parameter that differs", "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
		// And what follows from the rules.
		{"sips", "sip:a@b", "sips:a@b", false},
		{"reserved stays escaped", "sip:a%3Bb@c", "sip:a;b@c", false},
		{"escapes without case", "sip:a%3bb@c", "sip:a%3Bb@c", true},
		{"IPv6 spelling", "sip:a@[2001:DB8:0:0::1]:5060", "sip:a@[2001:db8::1]:5060", true},
		{"maddr on one side", "sip:a@b;maddr=192.0.2.1", "sip:a@b", false},
		{"user on one side", "sip:1@b;user=phone", "sip:1@b", false},
		{"no user", "sip:b", "sip:@b", false},
		{"password", "sip:a:x@b", "sip:a@b", false},
		{"trailing dot", "sip:a@b.example.", "sip:a@B.example", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, err := ParseURI(tc.a)
			if err != nil {
				t.Fatal(err)
			}
			b, err := ParseURI(tc.b)
			if err != nil {
				t.Fatal(err)
			}
			if a.Equal(b) != tc.want || b.Equal(a) != tc.want {
				t.Errorf("%s and %s: equal is %v, want %v", tc.a, tc.b, a.Equal(b), tc.want)
			}
		})
	}
}

func TestParseURIRefuses(t *testing.T) {
	for _, s := range []string{
		"", "sip", "sip:", "sip:@", "tel:+49301", "http://a", "sip:a@b:0", "sip:a@b:99999999", "sip:a@b:-5", "sip:a@b:",
		"sip:a@[::1", "sip:a@[::1]x", "sip:a@[fe80::1%25eth0]", "sip:a b@c", "sip:a@b\r\nX: y", "sip:a@b<", "sip:\x00@b", "sip:ä@b",
	} {
		if u, err := ParseURI(s); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q gave %+v, %v", s, u, err)
		}
	}
}

func TestNewAOR(t *testing.T) {
	for _, tc := range []struct{ user, host, want string }{
		{"1001", "ACME.test", "sip:1001@acme.test"},
		{"%2A11", "acme.test.", "sip:*11@acme.test"},
		{"1001;phone-context=acme.test", "acme.test", "sip:1001@acme.test"},
		{"1001:secret", "[2001:DB8::0:1]", "sip:1001@[2001:db8::1]"},
		{"", "acme.test", "sip:@acme.test"},
	} {
		if got, err := NewAOR(tc.user, tc.host); err != nil || got.String() != tc.want {
			t.Errorf("NewAOR(%q, %q) = %s, %v; want %s", tc.user, tc.host, got, err, tc.want)
		}
	}
	for _, tc := range []struct{ user, host string }{{"%0d%0aX", "a"}, {"a%00", "a"}, {"a", "a b"}, {"a", ""}, {"a", "[::1"}} {
		if got, err := NewAOR(tc.user, tc.host); !errors.Is(err, ErrMalformed) {
			t.Errorf("NewAOR(%q, %q) = %s, %v", tc.user, tc.host, got, err)
		}
	}
}
