package directory

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestParseMAC(t *testing.T) {
	tests := []struct{ in, want string }{
		{"001565aabb01", "001565aabb01"},
		{"00:15:65:AA:bb:01", "001565aabb01"},
		{"00-15-65-aa-bb-01", "001565aabb01"},
		{"0015.65aa.bb01", "001565aabb01"},
		{"", ""},
		{"001565aabb0", ""},
		{"001565aabb012", ""},
		{"001565aabb0g", ""},
		{"0:15:65:aa:bb:01", ""},
		{":001565aabb01", ""},
		{"00:15:65:aa:bb:01:02", ""},
		{"00 15 65 aa bb 01", ""},
		{"000000000000", ""},
		{"ff:ff:ff:ff:ff:ff", ""},
		{"００15655aabb0", ""},
	}
	for _, tc := range tests {
		m, err := ParseMAC(tc.in)
		if (err == nil) != (tc.want != "") || err == nil && m.String() != tc.want {
			t.Errorf("ParseMAC(%q) = %v, %v", tc.in, m, err)
		}
	}
	if m, _ := ParseMAC("001565aabb01"); m.Colons() != "00:15:65:aa:bb:01" {
		t.Error(m.Colons())
	}
}

func TestParseNumber(t *testing.T) {
	for _, good := range []string{"1", "1001", "0042", "ada.lovelace", "a_b-c", strings.Repeat("9", 32), "001565aabb0", "001565aabb01x", "001565aabb0g"} {
		if n, err := ParseNumber(good); err != nil || n != good {
			t.Errorf("ParseNumber(%q) = %q, %v", good, n, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("9", 33), "001565aabb01", "001565AABB01", "+49", "*11", "1 2", "1\n2", "é", "a@b", "a/b", "%2A"} {
		if n, err := ParseNumber(bad); err == nil || n != "" {
			t.Errorf("ParseNumber(%q) = %q", bad, n)
		}
	}
}

func TestParseTenantCode(t *testing.T) {
	for _, good := range []string{"a", "acme", "7eleven", "a-b", strings.Repeat("a", 32)} {
		if c, err := ParseTenantCode(good); err != nil || string(c) != good {
			t.Errorf("ParseTenantCode(%q) = %q, %v", good, c, err)
		}
	}
	for _, bad := range []string{"", "-a", "Acme", "a_b", "a.b", "a/b", "a}b", "é", strings.Repeat("a", 33)} {
		if c, err := ParseTenantCode(bad); err == nil || c != "" {
			t.Errorf("ParseTenantCode(%q) = %q", bad, c)
		}
	}
}

func TestSecretHides(t *testing.T) {
	s := struct{ S Secret }{"hush"}
	j, err := json.Marshal(s)
	if all := fmt.Sprintf("%v %+v %#v %s %s %v", s, s, s, s.S, j, err); strings.Contains(all, "hush") {
		t.Errorf("shown: %s", all)
	}
	if err := json.Unmarshal([]byte(`{"S":"loud"}`), &s); err != nil || s.S.Reveal() != "loud" {
		t.Errorf("read %q, %v", s.S.Reveal(), err)
	}
}

func FuzzParseIdentifiers(f *testing.F) {
	f.Add("00:15:65:aa:bb:01")
	f.Add("1001")
	f.Add("acme-1")
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := ParseMAC(s); err == nil {
			if again, err := ParseMAC(m.Colons()); err != nil || again != m {
				t.Errorf("%q is %v and then %v", s, m, again)
			}
		}
		if n, err := ParseNumber(s); err == nil && (strings.ContainsAny(n, "@:;<>\"/ \r\n*#%") || n != s) {
			t.Errorf("number %q", n)
		}
		if c, err := ParseTenantCode(s); err == nil && strings.ContainsAny(string(c), "{}/:|. ") {
			t.Errorf("tenant %q", c)
		}
	})
}
