package ciscospa

import (
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x00, 0x0e, 0x08, 0xff, 0x21, 0x03}

// suites are a phone with keys, and one whose keys are lines alone.
func suites() []brandtest.Suite {
	var out []brandtest.Suite
	for _, c := range []struct{ golden, model string }{{"spa504g-", "SPA504G"}, {"spa942-", "SPA942"}} {
		out = append(out, brandtest.Suite{
			Brand: Brand, File: "000e08ff2103.xml", Golden: c.golden, Ext: ".xml", Read: read,
			Idle: brandtest.Idle(mac, c.model), Bound: brandtest.Bound(mac, c.model), Full: brandtest.Full(mac, c.model, 70),
		})
	}
	return out
}

func read(t testing.TB, body []byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for key, value := range brandtest.ReadXML(t, body, nil, nil) {
		out[strings.TrimPrefix(key, "flat-profile/")] = value
	}
	return out
}

func TestSuite(t *testing.T) {
	for _, s := range suites() {
		t.Run(s.Golden, s.Run)
	}
	brandtest.Lint(t, ".xml")
}

func FuzzValues(f *testing.F) { suites()[0].Fuzz(f) }

func TestKeysGoOnToConsoles(t *testing.T) {
	s := suites()[0]
	s.Full.Modules = brand.Modules{Known: true, Count: 1}
	s.Full.Server.Transport = brand.TLS
	r := s.Rendered(t, Brand(), s.Full)
	brandtest.Has(t, s.Read(t, r.Body), map[string]string{
		"User_ID_1_": "1001", "Auth_ID_1_": "000e08ff2103", "Password_1_": "sessionpassword23456", "Use_Auth_ID_1_": "Yes",
		"Proxy_1_": "acme.test", "Outbound_Proxy_1_": "192.0.2.5:5060", "SIP_Transport_1_": "TLS", "Register_Expires_1_": "3600",
		"Profile_Rule":          "[--uid 000e08ff2103 --pwd dev-s3cret]http://192.0.2.5:8080/acme/000e08ff2103.xml",
		"Auth_Resync-Reboot_1_": "Yes", "Line_Enable_12_": "No", "Password_12_": "", "DND_Act_Code": "", "Emergency_Number_1_": "112,110",
		"Extended_Function_2_": "fnc=blf+sd+cp;sub=2000@acme.test;nme=2000",
		"Extended_Function_4_": "fnc=blf+sd+cp;sub=2002@acme.test;nme=2002",
		"Unit_1_Key_1":         "fnc=blf+sd+cp;sub=2003@acme.test;nme=2003",
		"Unit_2_Key_32":        "fnc=blf+sd+cp;sub=2066@acme.test;nme=2066",
		"Unit_2_Enable":        "Yes", "Extension_2_": "Disabled", "Extension_1_": "1",
	})
	if len(r.Keys) != 35 || len(r.Optional) != 32 || len(r.Dropped) != 3 {
		t.Errorf("%d keys, %d optional, %d dropped", len(r.Keys), len(r.Optional), len(r.Dropped))
	}
}

func TestRecipe(t *testing.T) {
	r := Brand().Recipe
	if !r.Challenged || r.Attempts[0].Event != "resync" || r.Attempts[0].Reboot || !r.Attempts[len(r.Attempts)-1].Reboot {
		t.Errorf("%+v", r)
	}
}

func TestModels(t *testing.T) {
	for name, want := range map[string]brand.Layout{
		"SPA504G": {Known: true, Keys: 4, Modules: 2, PerModule: 32}, "spa-962": {Known: true, Keys: 6, Modules: 2, PerModule: 32},
		"525G2": {Known: true, Keys: 5, Modules: 2, PerModule: 32}, "SPA942": {Known: true, Keys: 4}, "SPA303": {Known: true, Keys: 3},
		"ATA190": {Known: true, Keys: 1}, "PAP2T": {Known: true, Keys: 1}, "": {Keys: guessedKeys}, "SPA999": {Keys: guessedKeys},
	} {
		if got := layoutOf(name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"", "Cisco/SPA501G-7.4.4 (8843E157DDCC)(CBT141100HR)", "", "SPA501G 7.4.4 8843e157ddcc"},
		{"", "Cisco/SPA508G-7.4.8a (0002FDFF2103)(CBT141400UK)", "", "SPA508G 7.4.8a 0002fdff2103"},
		{"", "Cisco/SPA525G-7.4.7 (CBT141900G7)", "", "SPA525G 7.4.7 000000000000"},
		{"/000e08ff2103.xml", "Cisco/SPA525G-7.4.7 (CBT141900G7)", "", "SPA525G 7.4.7 000e08ff2103"},
		{"", "Linksys/SPA-962-6.1.5(a) (4MM00F903042)", "", "SPA962 6.1.5(a) 000000000000"},
		{"", "Linksys/SPA-942-6.1.5(a) (88019FA42805)", "", "SPA942 6.1.5(a) 000000000000"}, // a serial number
		{"", "", "Cisco/SPA525G-7.4.9a", "SPA525G 7.4.9a 000000000000"},
		{"", "", "Linksys/SPA941-5.1.8", "SPA941 5.1.8 000000000000"},
		{"/spa504G.cfg", "", "", "SPA504G  000000000000"},
		{"/ATA000E08FF2103.cnf.xml", "", "", "ATA190  000e08ff2103"},
		{"/t/x/000e08ff2103.xml", "", "", "  000e08ff2103"},
		{"/000413922d24.xml", "", "", "no"}, // Snom
		{"/000e08ff2103.xml", "curl/8", "", "no"},
		{"", "Cisco-CP-8851-3PCC/11.2.1 (5486bc9a1122)", "", "no"},
		{"", "Cisco/", "", "no"},
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
		"000e08ff2103.xml": brand.Device, "000E08FF2103.XML": brand.Device, "spa000e08ff2103.cfg": brand.Unknown,
		"000e08ff2103.cfg": brand.Device, "ATA000E08FF2103.cnf.xml": brand.Device, "spa504G.cfg": brand.Common, "init.cfg": brand.Common,
		"000e08ff2103-report.xml": brand.Upload, "000000000000.xml": brand.Unknown, "SEP000E08FF2103.cnf.xml": brand.Unknown, "": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/000e08ff2103.xml", "Cisco/SPA501G-7.4.4 (8843E157DDCC)(CBT141100HR)")
	f.Add("/spa504G.cfg", "Linksys/SPA-962-6.1.5(a) (4MM00F903042)")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.CiscoSPA {
			t.Fatal("recognised as nothing")
		}
		if f := File(path); f.Kind == brand.Device && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suites()[0]
	spa, f := Brand(), File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := spa.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
