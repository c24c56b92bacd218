package yealink

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x00, 0x15, 0x65, 0xaa, 0xbb, 0x01}

// deskIdle is a desk nobody sits at.
func deskIdle() brand.Desk {
	return brand.Desk{
		MAC: mac, Model: "T46U", Label: "Berlin 3.14", Domain: "acme.test",
		Account:      brand.Account{User: mac.String(), AuthUser: mac.String(), Password: "devicepassword234567"},
		Server:       brand.Server{Host: "192.0.2.5", Port: 5060, Transport: brand.UDP, Expires: 3600},
		FeatureCodes: directory.DefaultFeatureCodes(), EmergencyNumbers: []string{"112", "110"},
		Provisioning: brand.Provisioning{URL: "http://192.0.2.5:8080/acme/", User: mac.String(), Password: "dev-s3cret"},
		TimeZone:     "Europe/Berlin", NTPServer: "192.0.2.1", Language: "de",
	}
}

// deskBound is the desk with Ada at it.
func deskBound() brand.Desk {
	d := deskIdle()
	d.Bound = true
	d.Account = brand.Account{
		User: "1001", AuthUser: mac.String(), Password: "sessionpassword23456", DisplayName: "Ada Lovelace",
	}
	d.Keys = []directory.Key{
		{Type: "blf", Value: "1002", Label: "Grace"},
		{Type: "speeddial", Value: "+4930123", Label: "Gate"},
		{Type: "blf", Value: "sip:1003@acme.test"},
	}
	return d
}

// deskFull has more keys than the phone: they go on to its modules.
func deskFull() brand.Desk {
	d := deskBound()
	d.Keys = nil
	for n := range 40 {
		d.Keys = append(d.Keys, directory.Key{Type: "blf", Value: fmt.Sprint(2000 + n)})
	}
	d.Modules = brand.Modules{Known: true, Count: 1}
	return d
}

func deviceFile() brand.File { return File(mac.String() + ".cfg") }

func TestGolden(t *testing.T) {
	b := Brand()
	for _, c := range []struct {
		name string
		desk brand.Desk
		file string
	}{
		{"idle.cfg", deskIdle(), "001565aabb01.cfg"},
		{"bound.cfg", deskBound(), "001565aabb01.cfg"},
		{"full.cfg", deskFull(), "001565AABB01.cfg"},
		{"device.boot", deskBound(), "001565aabb01.boot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := b.Render(c.desk, File(c.file))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", c.name)
			if brandtest.Update() {
				if err := os.WriteFile(path, got.Body, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got.Body)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			again, err := Brand().Render(c.desk, File(c.file))
			if err != nil || !bytes.Equal(again.Body, got.Body) {
				t.Errorf("a second rendering differs, %v", err)
			}
		})
	}
}

// readINI reads the format as a phone does, and knows nothing of the renderer:
// the marker in the first line, comments, "key = value".
func readINI(t testing.TB, body []byte) map[string]string {
	t.Helper()
	lines := strings.FieldsFunc(string(body), func(c rune) bool {
		return c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0
	})
	if len(lines) == 0 || lines[0] != "#!version:1.0.0.1" {
		t.Fatal("the first line is not the version")
	}
	out := make(map[string]string)
	for _, l := range lines[1:] {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(l, " = ")
		if !ok || strings.ContainsAny(key, " \t") {
			t.Fatalf("line %q is no setting", l)
		}
		if _, twice := out[key]; twice {
			t.Fatalf("%s is set twice", key)
		}
		out[key] = value
	}
	return out
}

func TestKeysGoOnToModules(t *testing.T) {
	r, err := Brand().Render(deskFull(), deviceFile())
	if err != nil {
		t.Fatal(err)
	}
	got := readINI(t, r.Body)
	for key, want := range map[string]string{
		"linekey.1.type": "15", "linekey.2.value": "2000", "linekey.27.value": "2025",
		"expansion_module.1.key.1.value": "2026", "expansion_module.1.key.14.value": "2039",
		"expansion_module.1.key.15.type": "0", "expansion_module.3.key.60.type": "0",
	} {
		if got[key] != want {
			t.Errorf("%s = %q, want %q", key, got[key], want)
		}
	}
	if len(r.Keys) != 40 || len(r.Optional) != 0 || len(r.Dropped) != 0 {
		t.Errorf("%d keys, %d optional, %d dropped", len(r.Keys), len(r.Optional), len(r.Dropped))
	}
}

// Whoever comes after somebody finds nothing of theirs: every setting that the
// bound file writes is written by the idle one too.
func TestIdleClearsWhatBoundSet(t *testing.T) {
	b := Brand()
	full, err := b.Render(deskFull(), deviceFile())
	if err != nil {
		t.Fatal(err)
	}
	idle, err := b.Render(deskIdle(), deviceFile())
	if err != nil {
		t.Fatal(err)
	}
	after := readINI(t, idle.Body)
	for key := range readINI(t, full.Body) {
		_, set := after[key]
		module := strings.HasPrefix(key, "expansion_module.") // switched off by its type
		if !set && !module {
			t.Errorf("%s stays from the login before", key)
		}
		if module {
			if kind := key[:strings.LastIndexByte(key, '.')] + ".type"; after[kind] != "0" {
				t.Errorf("%s = %q on an idle desk", kind, after[kind])
			}
		}
	}
	for n := 2; n <= 16; n++ {
		if after[fmt.Sprintf("account.%d.password", n)] != "%NULL%" {
			t.Errorf("account %d keeps a password", n)
		}
	}
	if bytes.Contains(idle.Body, []byte("sessionpassword")) {
		t.Error("the idle file holds a session's password")
	}
}

func TestDialPlan(t *testing.T) {
	d := deskIdle()
	const want = "*11T|*11*[x*].T|*12T|*12*[x*].T|*13T|*13*[x*].T|*14T|*14*[x*].T|*15T|*15*[x*].T|*16T|*16*[x*].T|[x*#+].T"
	if got := digitMap(d); got != want {
		t.Errorf("%s", got)
	}
	d.FeatureCodes = directory.FeatureCodes{Login: "*11|<1:2>", Logout: "12", WhoAmI: "*1\n3", Reload: "**9"}
	if got := digitMap(d); got != "**9T|**9*[x*].T|[x*#+].T" {
		t.Errorf("hostile codes: %s", got)
	}
}

// hostile is text that tries to leave its place.
var hostile = []string{
	"a\naccount.2.enable = 1", "a\r\n\r\nx = y", "a\u0085b = c", "a\u2028b = c", "a\u2029b = c", "a\x00b",
	"\v\f\x1b[2J", `"'<&>]]>`, "%NULL%", " %null% ", "%s%d%n", "{{.Account.Password}}", "{{", "# comment", "#!version:9",
	"\u202eevil\u202c", "\U0001F4DE\U0001F468\u200d\U0001F469", "\xff\xfe\xc0\x80", " = ", "", strings.Repeat("x", 1<<16),
}

func poison(d brand.Desk, s string) brand.Desk {
	d.Label, d.Model, d.Domain = s, s, s
	d.Account = brand.Account{
		User: s, AuthUser: s, Password: directory.Secret(s), DisplayName: s, Label: s,
	}
	d.Server.Host, d.Server.Transport = s, brand.Transport(s)
	d.Provisioning = brand.Provisioning{URL: s, User: s, Password: directory.Secret(s)}
	d.TimeZone, d.NTPServer, d.Language, d.AdminPassword = s, "x"+s, s, directory.Secret("x"+s)
	d.FeatureCodes = directory.FeatureCodes{Login: s, Logout: "*" + s, WhoAmI: s, Reload: s}
	d.EmergencyNumbers = []string{s, "1" + s}
	d.Keys = []directory.Key{
		{Type: s, Value: s, Label: s},
		{Type: "blf", Value: s, Label: s},
		{Type: "blf", Value: "1002", Label: s},
		{Type: "url", Value: "http://x/" + s, Label: s},
		{Type: "voicemail", Label: s},
		{Type: "speeddial", Value: s},
	}
	return d
}

// The settings of a file do not depend on what its values say: only keys that
// dial something valid come and go, and they are always written.
func checkStructure(t testing.TB, b brand.Brand, s string) {
	t.Helper()
	plain, err := b.Render(poison(deskBound(), "harmless"), deviceFile())
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Render(poison(deskBound(), s), deviceFile())
	if err != nil {
		t.Fatal(err)
	}
	want, have := readINI(t, plain.Body), readINI(t, got.Body)
	for key := range have {
		if _, ok := want[key]; !ok && !strings.HasPrefix(key, "local_time.") && !strings.HasPrefix(key, "lang.") &&
			!strings.HasPrefix(key, "linekey.") && !strings.HasPrefix(key, "expansion_module.") && key != "phone_setting.emergency.number" {
			t.Fatalf("%q brings the setting %s", s, key)
		}
	}
	for key := range want {
		if _, ok := have[key]; !ok && !strings.HasPrefix(key, "linekey.") && !strings.HasPrefix(key, "expansion_module.") {
			t.Fatalf("%q removes the setting %s", s, key)
		}
	}
	for n := 2; n <= 16; n++ {
		if have[fmt.Sprintf("account.%d.enable", n)] != "0" {
			t.Fatalf("%q enables account %d", s, n)
		}
	}
}

func TestHostileValues(t *testing.T) {
	b := Brand()
	for _, s := range hostile {
		checkStructure(t, b, s)
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range hostile {
		f.Add(s[:min(len(s), 100)])
	}
	b := Brand()
	f.Fuzz(func(t *testing.T, s string) { checkStructure(t, b, s) })
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct {
		path, ua, sip string
		want          string // model firmware mac, or "no"
	}{
		{"/001565aabb01.cfg", "Yealink SIP-T46U 108.86.0.90 00:15:65:aa:bb:01", "", "T46U 108.86.0.90 001565aabb01"},
		{"", "Yealink SIP-T23G 44.80.0.60 00:15:65:93:70:f2", "", "T23G 44.80.0.60 0015659370f2"},
		{"", "yealink SIP-T18 18.0.0.80 00:15:65:27:3e:05", "", "T18 18.0.0.80 001565273e05"},
		{"", "Yealink SIP-T34W  124.86.0.75 249ad888d0f4", "", "T34W 124.86.0.75 249ad888d0f4"},
		{"", "Yealink SIP-T21P_E2 52.80.0.3 00:15:65:4c:4c:26", "", "T21P_E2 52.80.0.3 0015654c4c26"},
		{"", "Yealink W60B 77.83.0.10 80:5e:c0:11:22:33", "", "W60B 77.83.0.10 805ec0112233"},
		{"", "W60B 77.83.0.10 80:5e:c0:11:22:33", "", "W60B 77.83.0.10 805ec0112233"},
		{"", "Yealink SIP VP-T49G 51.80.0.75 00:15:65:11:22:33", "", "T49G 51.80.0.75 001565112233"},
		{"", "VP530P 23.70.0.40 00:15:65:31:4b:c0", "", "VP530P 23.70.0.40 001565314bc0"},
		{"", "Yealink-T46G 28.71.0.40 28.1.0.128", "", "T46G 28.71.0.40 000000000000"},
		{"/001565aabb01.cfg", "Yealink SIP-T46U 108.86.0.90 00:15:65:aa:bb:99", "", "T46U 108.86.0.90 001565aabb01"},
		{"/y000000000000.boot", "Yealink SIP-T46U 108.86.0.90 00:15:65:aa:bb:01", "", "T46U 108.86.0.90 001565aabb01"},
		{"/y000000000108.cfg", "", "", "  000000000000"},
		{"/a/b/001565AABB01.boot", "", "", "  001565aabb01"},
		{"/001565aabb01.cfg", "", "", "  001565aabb01"},
		{"", "", "Yealink SIP-T42S 66.84.0.125", "T42S 66.84.0.125 000000000000"},
		{"/0004f2aabbcc.cfg", "", "", "no"},
		{"/001565aabb01.cfg", "Mozilla/5.0", "", "no"},
		{"", "T46 1.2.3.4", "", "no"},
		{"", "Yealink", "", "no"},
		{"", "", "", "no"},
		{"", "Yealink SIP-T46U 108.86.0.90 \x00", "", "T46U 108.86.0.90 000000000000"},
	} {
		p, ok := Recognise(brand.Request{Path: c.path, UserAgent: c.ua, SIPUserAgent: c.sip})
		got := "no"
		if ok {
			got = p.Model + " " + p.Firmware + " " + p.MAC.String()
		}
		if got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.path, c.ua, c.sip, got, c.want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/001565aabb01.cfg", "Yealink SIP-T46U 108.86.0.90 00:15:65:aa:bb:01")
	f.Add("/y000000000000.boot", "Yealink-T46G 28.71.0.40 28.1.0.128")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.Yealink {
			t.Fatal("recognised as nothing")
		}
		if f := File(path); (f.Kind == brand.Device || f.Kind == brand.Boot) && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func TestFile(t *testing.T) {
	for name, want := range map[string]brand.FileKind{
		"001565aabb01.cfg": brand.Device, "001565AABB01.CFG": brand.Device, "001565aabb01.boot": brand.Boot,
		"y000000000000.boot": brand.Common, "y000000000108.cfg": brand.Common, "001565aabb01-local.cfg": brand.Upload,
		"000000000000.cfg": brand.Unknown, "001565aabb01.xml": brand.Unknown, "": brand.Unknown, "passwd": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestModels(t *testing.T) {
	for name, want := range map[string]brand.Layout{
		"T46U":        {Known: true, Keys: 27, Modules: 3, PerModule: 60},
		"sip-t21p_e2": {Known: true, Keys: 2},
		"T48S":        {Known: true, Keys: 29, Modules: 6, PerModule: 40},
		"T57W":        {Known: true, Keys: 29, Modules: 3, PerModule: 60},
		"T19P_E2":     {Known: true},
		"CP920":       {Known: true},
		"":            {Keys: guessedKeys},
		"T99X":        {Keys: guessedKeys},
	} {
		if got := modelOf(name).layout; got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	y, d, f := Brand(), deskFull(), deviceFile()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := y.Render(d, f); err != nil {
			b.Fatal(err)
		}
	}
}
