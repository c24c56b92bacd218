package mitel

import (
	"regexp"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x14, 0x00, 0xe9, 0x1f, 0x03, 0xea}

var keySetting = regexp.MustCompile(`^(prgkey\d+|topsoftkey\d+|softkey\d+|expmod[123] key\d+) (value|label|line)$`)

func suite(model string) brandtest.Suite {
	return brandtest.Suite{
		Brand: Brand, File: "1400E91F03EA.cfg", Golden: strings.ToLower(model) + "-", Ext: ".cfg", Read: read,
		Idle: brandtest.Idle(mac, model), Bound: brandtest.Bound(mac, model), Full: brandtest.Full(mac, model, 12),
		Whole: true, Key: keySetting.MatchString,
	}
}

// read reads the format as the guides describe it: comments from # on unless in
// quotes, "key: value", quotes around the whole value.
func read(t testing.TB, body []byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, line := range strings.FieldsFunc(string(body), func(c rune) bool {
		return c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0
	}) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789 [|]") != "" {
			t.Fatalf("line %q is no setting", line)
		}
		value = strings.Trim(value, " ")
		if strings.HasPrefix(value, `"`) {
			if value = value[1:]; !strings.HasSuffix(value, `"`) || strings.Count(value, `"`) != 1 {
				t.Fatalf("line %q: quotes", line)
			}
			value = value[:len(value)-1]
		} else if strings.ContainsAny(value, `#"`) {
			t.Fatalf("line %q is cut at its comment", line)
		}
		if _, twice := out[key]; twice {
			t.Fatalf("%s is set twice", key)
		}
		out[key] = value
	}
	return out
}

func TestSuite(t *testing.T) {
	for _, model := range []string{"6867i", "6920", "6755i", "6863i"} {
		t.Run(model, suite(model).Run)
	}
}

func FuzzValues(f *testing.F) { suite("6920").Fuzz(f) }

func TestSettings(t *testing.T) {
	s := suite("6920")
	idle := s.Read(t, s.Rendered(t, Brand(), s.Idle).Body)
	brandtest.Has(t, idle, map[string]string{
		"sip line1 screen name": "Berlin 3.14", "sip line1 screen name 2": "Log in: *11", "sip line1 user name": "1400e91f03ea",
		"sip line9 password": "", "topsoftkey1 type": "none", "expmod3 key84 type": "none",
		"http server": "192.0.2.5", "http port": "8080", "http path": "acme", "download protocol": "HTTP",
		"time zone minutes": "-60", "dst start week": "-1", "dst start day": "1", "dst start month": "3", "dst end hour": "3",
		"sip dial plan": dialPlan, "emergency dial plan": "112|110",
	})
	s.Full.Server.Transport, s.Full.Provisioning.URL = brand.TLS, "https://perch.example.com/t/abc/"
	r := s.Rendered(t, Brand(), s.Full)
	brandtest.Has(t, s.Read(t, r.Body), map[string]string{
		"sip line1 screen name": "Ada Lovelace", "sip line1 screen name 2": "1001", "sip line1 auth name": "1400e91f03ea",
		"sip line1 registrar ip": "acme.test", "sip line1 outbound proxy": "192.0.2.5", "sip transport protocol": "4",
		"topsoftkey1 type": "blf", "topsoftkey1 value": "2000", "topsoftkey8 value": "2007", "expmod1 key1 value": "2008",
		"expmod1 key4 line": "1", "https server": "perch.example.com", "https port": "443", "https path": "t/abc",
	})
	if len(r.Keys) != 8 || len(r.Optional) != 4 {
		t.Errorf("%d keys, %d optional", len(r.Keys), len(r.Optional))
	}
}

// Names are as long as the guides allow, passwords that the phone would not take
// are not written.
func TestLimits(t *testing.T) {
	s := suite("6867i")
	d := s.Bound
	d.Account.DisplayName = "Augusta Ada King, Countess of Lovelace"
	d.Keys = []directory.Key{{Type: brand.KeyBLF, Value: "1002", Label: "\u00e4\u00f6\u00fc and a very long label"}}
	d.AdminPassword = "s3cret"
	got := s.Read(t, s.Rendered(t, Brand(), d).Body)
	for _, name := range []string{"sip line1 display name", "sip line1 screen name", "topsoftkey1 label"} {
		if n := len([]rune(got[name])); n == 0 || n > maxName {
			t.Errorf("%s has %d characters", name, n)
		}
	}
	if _, ok := got["admin password"]; ok {
		t.Error("a password with letters opens the phone with the factory's")
	}
	d.AdminPassword = "271828"
	brandtest.Has(t, s.Read(t, s.Rendered(t, Brand(), d).Body), map[string]string{"admin password": "271828"})
}

// The dial plan as the phone reads it: x is a digit, + repeats zero times or more.
func TestDialPlan(t *testing.T) {
	re := regexp.MustCompile("^(" + strings.NewReplacer("*", `\*`, "x+", "[0-9]*").Replace(dialPlan) + ")$")
	for _, typed := range []string{"*11", "*11*1001*4321", "*14", "1002", "0", "**9", "112"} {
		if !re.MatchString(typed + "#") {
			t.Errorf("%s does not pass", typed)
		}
		if re.MatchString(typed) {
			t.Errorf("%s is sent before its end", typed)
		}
	}
	if len(dialPlan) > 512 {
		t.Error("longer than a dial plan may be")
	}
}

func TestEveryAttemptRestarts(t *testing.T) {
	for _, a := range Brand().Recipe.Attempts {
		if !a.Reboot {
			t.Errorf("%+v", a)
		}
	}
}

func TestModels(t *testing.T) {
	for name, want := range map[string]brand.Layout{
		"6867i": {Known: true, Keys: 21, Modules: 3, PerModule: 84}, "Mitel 6920w": {Known: true, Keys: 9, Modules: 3, PerModule: 84},
		"57i": {Known: true, Keys: 31, Modules: 3, PerModule: 60}, "6863I": {Known: true, Keys: 4}, "6751i": {Known: true, Keys: 1},
		"6915d": {Known: true, Keys: 7, Modules: 3, PerModule: 84}, "": {Keys: 7}, "6999": {Keys: 7},
	} {
		if got := modelOf(name).layout(); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPlaces(t *testing.T) {
	m := modelOf("6755i")
	for index, want := range map[int]string{2: "prgkey1", 7: "prgkey6", 8: "softkey1", 27: "softkey20"} {
		if got := m.place(brand.Slot{Index: index}); got != want {
			t.Errorf("%d is %s, want %s", index, got, want)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/00085D2EA094.cfg", "Aastra6735i MAC:00-08-5D-2E-A0-94 V:3.2.2.6038-SIP", "", "6735I 3.2.2.6038 00085d2ea094"},
		{"/startup.cfg", "Mitel6920 MAC:14-00-E9-1F-03-EA V:6.4.0.140-SIP", "", "6920 6.4.0.140 1400e91f03ea"},
		{"", "Aastra57i MAC:00-08-5D-13-CA-05 V:3.0.1.2024-SIP", "", "57I 3.0.1.2024 00085d13ca05"},
		{"", "", "Mitel-6920-SIP/6.4.0.140", "6920 6.4.0.140 000000000000"},
		{"", "", "Aastra 6731i/3.2.2.1136", "6731I 3.2.2.1136 000000000000"},
		{"/6867i.cfg", "", "", "6867I  000000000000"},
		{"/aastra.cfg", "", "", "  000000000000"},
		{"/00085D2EA094.cfg", "", "", "  00085d2ea094"},
		{"/001565aabb01.cfg", "", "", "no"},
		{"/00085D2EA094.cfg", "Mozilla/5.0", "", "no"},
		{"", "Mitel", "", "no"},
		{"", "Mitelx MAC: V:", "", "no"},
		{"", "", "", "no"},
	} {
		got := brandtest.Recognised(Recognise(brand.Request{Path: c.path, UserAgent: c.ua, SIPUserAgent: c.sip}))
		if got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.path, c.ua, c.sip, got, c.want)
		}
	}
}

func TestFile(t *testing.T) {
	for name, want := range map[string]brand.FileKind{
		"00085D2EA094.cfg": brand.Device, "00085d2ea094.cfg": brand.Device, "/acme/00085D2EA094.cfg": brand.Device,
		"startup.cfg": brand.Common, "aastra.cfg": brand.Common, "6867i.cfg": brand.Common, "6920.cfg": brand.Common,
		"6867i.st": brand.Common, "security.tuz": brand.Common, "00085D2EA094.tuz": brand.Unknown,
		"000000000000.cfg": brand.Unknown, "": brand.Unknown, "passwd": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/00085D2EA094.cfg", "Aastra6735i MAC:00-08-5D-2E-A0-94 V:3.2.2.6038-SIP")
	f.Add("/6920.cfg", "Mitel6920 MAC:14-00-E9-1F-03-EA V:6.4.0.140-SIP")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.Mitel {
			t.Fatal("recognised as nothing")
		}
		if f := File(path); f.Kind == brand.Device && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suite("6867i")
	m, f := Brand(), File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
