package feature

import (
	"fmt"
	"strings"
	"testing"

	"perch/hotdesk/directory"
)

func TestParse(t *testing.T) {
	codes := directory.DefaultFeatureCodes()
	full := Dialled{Code: Login, Number: "1001", PIN: "4321"}
	bad := Dialled{Code: Login, Malformed: true}
	for _, tc := range []struct {
		user string
		want Dialled
	}{
		{"*11", Dialled{Code: Login}},
		{"*11#", Dialled{Code: Login}},
		{"*11*1001", Dialled{Code: Login, Number: "1001"}},
		{"*11*1001#", Dialled{Code: Login, Number: "1001"}},
		{"*11*1001*4321", full},
		{"*11*1001*4321#", full},
		{"*11*1001*4321%23", full},
		{"%2A11%2A1001%2A4321%23", full},
		{"%2a11%2a1001*4321", full},
		{"%2A%31%31*%31001*4321", full},
		{"*11*1001*4321;phone-context=acme.test", full},
		{"*11*1001*4321#;phone-context=+49", full},
		{"*11*1001*4321%3Bphone-context=acme.test", full},
		{"*12", Dialled{Code: Logout}},
		{"*12%23", Dialled{Code: Logout}},
		{"*13#", Dialled{Code: WhoAmI}},
		{"*14", Dialled{Code: Reload}},
		{"*15", Dialled{Code: NewPIN}},
		{"*16", Dialled{Code: Supervised}},
		{"*16*1001", Dialled{Code: Supervised, Number: "1001"}},
		{"*16*1001*9999#", Dialled{Code: Supervised, Number: "1001", PIN: "9999"}},

		{"*11*", bad},
		{"*11**4321", bad},
		{"*11*1001*", bad},
		{"*11*1001**4321", bad},
		{"*11*1001*4321*1", bad},
		{"*11*1001*4321##", bad},
		{"*11#1001", bad},
		{"*11*1001#4321", bad},
		{"*11*ada*4321", bad},
		{"*11*10%201*4321", bad},
		{"*11*1001*43%0D%0A21", bad},
		{"*11*1001*4321%", bad},
		{"*11*1001*4321%2", bad},
		{"*11*1001*4321%zz", bad},
		{"*11*" + strings.Repeat("1", 33) + "*4321", bad},
		{"*11*1001*" + strings.Repeat("1", 33), bad},
		{"*11*1001*4321;x=" + strings.Repeat("1", 300), bad},
		{"*12*1001", Dialled{Code: Logout, Malformed: true}},
		{"*15*4321", Dialled{Code: NewPIN, Malformed: true}},
		{"*13*", Dialled{Code: WhoAmI, Malformed: true}},
		{"*14#1", Dialled{Code: Reload, Malformed: true}},

		{"", Dialled{}},
		{"1001", Dialled{}},
		{"*1", Dialled{}},
		{"*115", Dialled{}},
		{"**11", Dialled{}},
		{"11*1001", Dialled{}},
		{"*19", Dialled{}},
		{"%2511", Dialled{}},
		{"%", Dialled{}},
	} {
		got, ok := Parse(tc.user, codes)
		if got != tc.want || ok != (tc.want.Code != "") {
			t.Errorf("Parse(%q) = %q %q %q %v, %v", tc.user, got.Code, got.Number, got.PIN.Reveal(), got.Malformed, ok)
		}
	}
}

func TestParseTakesTheTenantsCodesAndTheLongest(t *testing.T) {
	codes := directory.FeatureCodes{Login: "*1", Logout: "*1*2", WhoAmI: "*100"}
	for user, want := range map[string]Dialled{
		"*1*1001*4321": {Code: Login, Number: "1001", PIN: "4321"},
		"*1*2":         {Code: Logout},
		"*1*2#":        {Code: Logout},
		"*1*23":        {Code: Login, Number: "23"},
		"*100":         {Code: WhoAmI},
	} {
		if got, ok := Parse(user, codes); !ok || got != want {
			t.Errorf("Parse(%q) = %v %+v", user, ok, got)
		}
	}
	if got, ok := Parse("", directory.FeatureCodes{}); ok {
		t.Errorf("an empty code was dialled: %v", got)
	}
}

func TestDialledNeverPrintsItsDigits(t *testing.T) {
	d, ok := Parse("*11*1001*4321", directory.DefaultFeatureCodes())
	if !ok {
		t.Fatal("not parsed")
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{d, &d} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, "4321") || strings.Contains(text, "1001") {
				t.Errorf("%s prints %s", format, text)
			}
		}
	}
	if text := censored("key ext:1001 and 4321", []string{d.Number, d.PIN.Reveal()}); strings.Contains(text, "1001") || strings.Contains(text, "4321") {
		t.Errorf("censored: %s", text)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"*11", "*11*1001*4321#", "%2A11%2A1001%2A4321%23", "*11*1001;phone-context=x", "*12#", "%", "%%%", "*11*\x00*1",
		"*11*1001*43%32%31", "*14*1", strings.Repeat("*11*", 100),
	} {
		f.Add(seed)
	}
	codes := directory.DefaultFeatureCodes()
	f.Fuzz(func(t *testing.T, user string) {
		d, ok := Parse(user, codes)
		if !ok {
			if d != (Dialled{}) {
				t.Fatalf("Parse(%q) is none and yet something", user)
			}
			return
		}
		digits := d.Number + d.PIN.Reveal()
		switch {
		case d.Code == "":
			t.Fatal("a code without a name")
		case len(digits) > 2*maxDigits || strings.Trim(digits, "0123456789") != "":
			t.Fatalf("Parse(%q) let %q through", user, digits)
		case d.Malformed && digits != "":
			t.Fatalf("Parse(%q) is malformed and yet kept digits", user)
		case d.PIN != "" && d.Number == "", d.Code != Login && digits != "":
			t.Fatalf("Parse(%q) put digits where none belong", user)
		}
		if again, ok := Parse(strings.ReplaceAll(user, "*", "%2A"), codes); len(user) < maxUser/3 && (!ok || again != d) {
			t.Fatalf("Parse(%q) differs when the stars are escaped", user)
		}
	})
}
