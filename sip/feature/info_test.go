package feature_test

import (
	"testing"

	"perch/sip/feature"
)

func TestParseKeys(t *testing.T) {
	const relay, plain = "application/dtmf-relay", "application/dtmf"
	for _, tc := range []struct {
		kind, body, want string
		ok               bool
	}{
		{relay, "Signal=5\r\nDuration=160\r\n", "5", true},
		{relay, "Signal= 5\nDuration= 160", "5", true},
		{relay, "signal=#", "#", true},
		{relay, "SIGNAL=*\r\n", "*", true},
		{relay, "Duration=100\r\nSignal=d\r\n", "D", true},
		{relay, "Signal=10", "*", true},
		{relay, "Signal=11", "#", true},
		{relay, "Signal=15", "D", true},
		{relay, "Signal=16", "", true},
		{relay, "Signal=!", "", true},
		{relay, "Signal=1234", "", false},
		{relay, "Signal=-1", "", false},
		{relay, "Signal=", "", false},
		{relay, "5", "", false},
		{relay, "", "", false},
		{plain, "5", "5", true},
		{plain, " 5\r\n", "5", true},
		{plain, "Signal=7\nDuration=100", "7", true},
		{plain, "10#*aD", "10#*AD", true},
		{plain, "x", "", false},
		{plain, "1\x002", "", false},
		{plain, "", "", false},
		{plain, "12345678901234567", "", false},
	} {
		keys, ok := feature.ParseKeys(tc.kind, []byte(tc.body))
		got := ""
		for _, k := range keys {
			got += string(k.Byte())
		}
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s %q: %q, %v; want %q, %v", tc.kind, tc.body, got, ok, tc.want, tc.ok)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add(true, []byte("Signal=5\r\nDuration=160\r\n"))
	f.Add(false, []byte("5"))
	f.Add(false, []byte("Signal=\xff"))
	f.Fuzz(func(t *testing.T, relay bool, body []byte) {
		kind := "application/dtmf"
		if relay {
			kind = "application/dtmf-relay"
		}
		keys, ok := feature.ParseKeys(kind, body)
		if len(keys) > 16 || !ok && keys != nil && len(keys) > 1 {
			t.Errorf("%d keys, %v", len(keys), ok)
		}
		for _, k := range keys {
			if b := k.Byte(); ok && (b < '#' || b > '9') && (b < 'A' || b > 'D') {
				t.Errorf("key %d", b)
			}
		}
	})
}
