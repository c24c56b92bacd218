package directory

import "testing"

func TestSpoken(t *testing.T) {
	for _, tc := range []struct{ tenant, extension, want string }{
		{"", "", "en"},
		{"de", "", "de"},
		{"de", "en", "en"},
		{"", "de", "de"},
		{"de", "tlh", "de"}, // as an older or newer Perch may have stored it
		{"tlh", "tlh", "en"},
	} {
		if got := (Tenant{Language: tc.tenant}).Spoken(tc.extension); got != tc.want {
			t.Errorf("tenant %q, extension %q: %q, want %q", tc.tenant, tc.extension, got, tc.want)
		}
	}
}
