package snom

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x00, 0x04, 0x13, 0x92, 0x2d, 0x24}

// deskIdle is a desk nobody sits at.
func deskIdle() brand.Desk {
	return brand.Desk{
		MAC: mac, Model: "D785", Label: "Berlin 3.14", Domain: "acme.test",
		Account:      brand.Account{User: mac.String(), AuthUser: mac.String(), Password: "devicepassword234567"},
		Server:       brand.Server{Host: "192.0.2.5", Port: 5060, Transport: brand.TCP, Expires: 3600},
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
		{Type: "url", Value: "https://intra.acme.test/?a=1&b=2", Label: "<Intra>"},
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
	return d
}

func deviceFile() brand.File { return File("000413922D24.xml") }

var goldens = map[string]func() brand.Desk{"idle.xml": deskIdle, "bound.xml": deskBound, "full.xml": deskFull}

func TestGolden(t *testing.T) {
	for name, desk := range goldens {
		t.Run(name, func(t *testing.T) {
			got, err := Brand().Render(desk(), deviceFile())
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
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
			again, err := Brand().Render(desk(), File("snomD785-000413922D24.htm"))
			if err != nil || !bytes.Equal(again.Body, got.Body) {
				t.Errorf("the other name of the file gives other bytes, %v", err)
			}
		})
	}
}

// xmllint is a parser that nobody here wrote; Debian's libxml2-utils has it.
func TestGoldenIsXML(t *testing.T) {
	for name := range goldens {
		out, err := exec.Command("xmllint", "--noout", filepath.Join("testdata", name)).CombinedOutput()
		if err != nil {
			t.Errorf("xmllint (Debian: libxml2-utils) %s: %v\n%s", name, err, out)
		}
	}
}

// readXML lists every element as "path idx" with its text, strictly.
func readXML(t testing.TB, body []byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	d := xml.NewDecoder(bytes.NewReader(body))
	var path []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			name := tok.Name.Local
			for _, a := range tok.Attr {
				switch a.Name.Local {
				case "idx":
					name += " " + a.Value
				case "label", "short_label", "perm", "context", "e":
				default:
					t.Fatalf("attribute %s", a.Name.Local)
				}
			}
			path = append(path, name)
			key := strings.Join(path, "/")
			if _, twice := out[key]; twice {
				t.Fatalf("%s twice", key)
			}
			out[key] = ""
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) == 3 {
				out[strings.Join(path, "/")] += string(tok)
			}
		}
	}
}

func TestKeysGoOnToModules(t *testing.T) {
	d := deskFull()
	r, err := Brand().Render(d, deviceFile())
	if err != nil {
		t.Fatal(err)
	}
	got := readXML(t, r.Body)
	for key, want := range map[string]string{
		"fkey 0": "line", "fkey 1": "blf sip:2000@acme.test|**", "fkey 23": "blf sip:2022@acme.test|**",
		"fkey 24": "blf sip:2023@acme.test|**", "fkey 40": "blf sip:2039@acme.test|**",
		"fkey 41": "none", "fkey 77": "none",
	} {
		if got["settings/functionKeys/"+key] != want {
			t.Errorf("%s = %q, want %q", key, got["settings/functionKeys/"+key], want)
		}
	}
	if len(r.Keys) != 23 || len(r.Optional) != 17 {
		t.Errorf("no module reported: %d keys, %d optional", len(r.Keys), len(r.Optional))
	}
	d.Modules = brand.Modules{Known: true, Count: 1}
	with, err := Brand().Render(d, deviceFile())
	if err != nil || len(with.Keys) != 40 || !bytes.Equal(with.Body, r.Body) {
		t.Errorf("with a module: %d keys, same bytes %v, %v", len(with.Keys), bytes.Equal(with.Body, r.Body), err)
	}
}

// Whoever comes after somebody finds nothing of theirs.
func TestIdleClearsWhatBoundSet(t *testing.T) {
	full, err := Brand().Render(deskFull(), deviceFile())
	if err != nil {
		t.Fatal(err)
	}
	idle, err := Brand().Render(deskIdle(), deviceFile())
	if err != nil {
		t.Fatal(err)
	}
	after := readXML(t, idle.Body)
	for key := range readXML(t, full.Body) {
		if _, set := after[key]; !set {
			t.Errorf("%s stays from the login before", key)
		}
	}
	for n := 2; n <= identities; n++ {
		if pass, ok := after[fmt.Sprintf("settings/phone-settings/user_pass %d", n)]; !ok || pass != "" {
			t.Errorf("identity %d keeps a password", n)
		}
	}
	if bytes.Contains(idle.Body, []byte("sessionpassword")) {
		t.Error("the idle file holds a session's password")
	}
}

// The dial plan is tried as the phone does it: rules in order, the first that
// matches counts.
func TestDialPlan(t *testing.T) {
	for dialled, want := range map[string]string{
		"*11": "*11", "*11*1001": "*11*1001", "*11*1001*4321": "*11*1001*4321", "*11*1001*4321#": "*11*1001*4321 now",
		"*11#": "*11 now", "*12": "*12", "*13#": "*13 now", "*14": "*14", "1002": "", "1002#": "1002 now", "*111": "", "*110*1": "",
	} {
		got := ""
		for _, rule := range strings.Split(dialPlan(deskIdle()), " ") {
			part := strings.Split(rule, "!")
			if len(part) != 4 {
				t.Fatalf("rule %q", rule)
			}
			if m := regexp.MustCompile(part[1]).FindStringSubmatch(dialled); m != nil {
				if got = m[1]; part[3] == "d" {
					got += " now"
				}
				break
			}
		}
		if got != want {
			t.Errorf("%s leaves as %q, want %q", dialled, got, want)
		}
	}
	d := deskIdle()
	d.FeatureCodes = directory.FeatureCodes{Login: "*11)!x!d", Logout: "*1 2"}
	if got := dialPlan(d); got != `!^([^#]+)#$!sip:\1@\d!d` {
		t.Errorf("hostile codes: %s", got)
	}
}

// hostile is text that tries to leave its place.
var hostile = []string{
	"a\nb", "</user_pass><user_active idx=\"2\">on</user_active>", `" onload="x`, "a\u0085b\u2028c\u2029d", "a\x00b",
	"\v\f\x1b[2J", `'"<&>]]>`, "<![CDATA[", "<!--", "-->", "&lt;&#0;&#x0;&bogus;", "<?xml?>", "%NULL%", "%s%n", "{{.Account.Password}}", "{{",
	"\u202eevil\u202c", "\U0001F4DE\U0001F468\u200d\U0001F469", "\xff\xfe\xc0\x80", "\ufffe\uffff", "", strings.Repeat("x", 1<<16),
}

func poison(d brand.Desk, s string) brand.Desk {
	d.Label, d.Domain = s, s
	d.Account = brand.Account{
		User: s, AuthUser: s, Password: directory.Secret(s), DisplayName: s, Label: s,
	}
	d.Server.Host, d.Server.Transport = s, brand.Transport(s)
	d.Provisioning = brand.Provisioning{URL: s, User: s, Password: directory.Secret(s)}
	d.NTPServer, d.AdminPassword = "x"+s, directory.Secret("x"+s)
	d.FeatureCodes = directory.FeatureCodes{Login: s, Logout: "*" + s, WhoAmI: s, Reload: s}
	d.EmergencyNumbers = []string{"112", s}
	d.Keys = []directory.Key{
		{Type: s, Value: s, Label: s},
		{Type: "blf", Value: s, Label: s},
		{Type: "blf", Value: "1002", Label: s},
		{Type: "url", Value: "http://x/" + s, Label: s},
		{Type: "speeddial", Value: s},
	}
	return d
}

// checkStructure: the elements of a file do not depend on what its values say.
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
	want, have := readXML(t, plain.Body), readXML(t, got.Body)
	for key := range have {
		if _, ok := want[key]; !ok {
			t.Fatalf("%q brings %s", s, key)
		}
	}
	for key := range want {
		if _, ok := have[key]; !ok {
			t.Fatalf("%q removes %s", s, key)
		}
	}
	for n := 2; n <= identities; n++ {
		if have[fmt.Sprintf("settings/phone-settings/user_active %d", n)] != "off" {
			t.Fatalf("%q enables identity %d", s, n)
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
	const agent = "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5 000413922D24 SXM:0 UXM:2)"
	for _, c := range []struct {
		path, ua, sip string
		want          string // model firmware mac modules, or "no"
	}{
		{"/000413922D24.xml", agent, "", "D785 10.1.33.33 000413922d24 2"},
		{"/snomD785.htm", agent, "", "D785 10.1.33.33 000413922d24 2"},
		{"/snomD785-000413000001.htm", agent, "", "D785 10.1.33.33 000413000001 2"},
		{"/snomD785.htm?mac=000413000001", "", "", "D785  000413000001 -"},
		{"", "Mozilla/4.0 (compatible; snom760-SIP 8.7.3.19 2010.06)", "", "760 8.7.3.19 000000000000 -"},
		{"", "Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413741767)", "", "710 8.7.5.35 000413741767 -"},
		{"", "Mozilla/4.0 (compatible; snom870-SIP 8.4.35 SPEAr300 SNOM 1.4)", "", "870 8.4.35 000000000000 -"},
		{"", "Mozilla/4.0 (compatible; snom lid 3605)", "", "  000000000000 -"},
		{"", "", "snomD120/10.1.39.11", "D120 10.1.39.11 000000000000 -"},
		{"/000413922D24.xml", "", "", "  000413922d24 -"},
		{"/snomD785-000413922D24.htm", "", "", "D785  000413922d24 -"},
		{"/7c2f80ca21e4.xml", "", "", "no"},
		{"/000413922D24.xml", "curl/8.0", "", "no"},
		{"", "", "", "no"},
	} {
		p, ok := Recognise(brand.Request{Path: c.path, UserAgent: c.ua, SIPUserAgent: c.sip})
		got := "no"
		if ok {
			n := "-"
			if p.Modules.Known {
				n = fmt.Sprint(p.Modules.Count)
			}
			got = p.Model + " " + p.Firmware + " " + p.MAC.String() + " " + n
		}
		if got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.path, c.ua, c.sip, got, c.want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/snomD785.htm?mac=000413000001", "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 x 000413922D24 SXM:99999999 UXM:0)")
	f.Fuzz(func(t *testing.T, path, ua string) {
		p, ok := Recognise(brand.Request{Path: path, UserAgent: ua})
		if ok && (p.Brand != brand.Snom || p.Modules.Count < 0) {
			t.Fatalf("%+v", p)
		}
		if f := File(path); f.Kind == brand.Device && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func TestFile(t *testing.T) {
	for name, want := range map[string]brand.FileKind{
		"000413922D24.xml": brand.Device, "000413922d24.htm": brand.Device, "snomD785-000413922D24.htm": brand.Device,
		"snom760-000413922D24.xml": brand.Device, "snomD785.htm": brand.Common, "snomD785-firmware.xml": brand.Common,
		"snomD785.htm?mac=000413922D24": brand.Device, "000413922d24-log.txt": brand.Upload,
		"000000000000.xml": brand.Unknown, "000413922d24.cfg": brand.Unknown, "": brand.Unknown, "snomD785-000000000000.htm": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	s, d, f := Brand(), deskFull(), deviceFile()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Render(d, f); err != nil {
			b.Fatal(err)
		}
	}
}
