package ciscompp

import (
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x54, 0x86, 0xbc, 0x9a, 0x11, 0x22}

// suites are a phone that takes modules, and one with keys alone.
func suites() []brandtest.Suite {
	var out []brandtest.Suite
	for _, c := range []struct{ golden, model string }{{"8851-", "8851"}, {"7841-", "CP-7841-3PCC"}} {
		out = append(out, brandtest.Suite{
			Brand: Brand, File: "5486bc9a1122.xml", Golden: c.golden, Ext: ".xml", Read: read,
			Idle: brandtest.Idle(mac, c.model), Bound: brandtest.Bound(mac, c.model), Full: brandtest.Full(mac, c.model, 70),
		})
	}
	return out
}

// read leaves the access attribute of each element aside.
func read(t testing.TB, body []byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for key, value := range brandtest.ReadXML(t, body, []string{"ua"}, nil) {
		key = strings.TrimPrefix(key, "flat-profile/")
		out[strings.TrimSuffix(strings.TrimSuffix(key, "[na]"), "[rw]")] = value
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

func TestKeysGoOnToModules(t *testing.T) {
	s := suites()[0]
	s.Full.Modules = brand.Modules{Known: true, Count: 1}
	s.Full.Server.Transport, s.Full.Provisioning.Password = brand.TCP, ""
	r := s.Rendered(t, Brand(), s.Full)
	brandtest.Has(t, s.Read(t, r.Body), map[string]string{
		"User_ID_1_": "1001", "Auth_ID_1_": "5486bc9a1122", "Password_1_": "sessionpassword23456", "Proxy_1_": "acme.test",
		"Outbound_Proxy_1_": "192.0.2.5:5060", "SIP_Transport_1_": "TCP", "Profile_Rule": "http://192.0.2.5:8080/acme/5486bc9a1122.xml",
		"Auth_Resync-Reboot_1_": "Yes", "Line_Enable_16_": "No", "Password_16_": "", "Prefer_G722.2_Code": "",
		"Time_Zone": "GMT+01:00", "Number_of_Units": "2", "Extension_2_": "Disabled",
		"Extended_Function_2_":  "fnc=blf+sd+cp;sub=2000@acme.test;ext=2000@acme.test;vid=1;nme=2000",
		"Extended_Function_10_": "fnc=blf+sd+cp;sub=2008@acme.test;ext=2008@acme.test;vid=1;nme=2008",
		"Unit_1_Key_1_":         "fnc=blf+sd+cp;sub=2009@acme.test;ext=2009@acme.test;vid=1;nme=2009",
		"Unit_2_Key_28_":        "fnc=blf+sd+cp;sub=2064@acme.test;ext=2064@acme.test;vid=1;nme=2064",
	})
	if len(r.Keys) != 37 || len(r.Optional) != 28 || len(r.Dropped) != 5 {
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
		"8851": {Known: true, Keys: 10, Modules: 2, PerModule: 28}, "CP-8865-3PCC": {Known: true, Keys: 10, Modules: 3, PerModule: 28},
		"cp-7861-3pcc-k9": {Known: true, Keys: 16}, "7811": {Known: true, Keys: 1}, "": {Keys: guessedKeys}, "9861": {Keys: guessedKeys},
	} {
		if got := layoutOf(name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/5486bc9a1122.xml", "Cisco-CP-8851-3PCC/11.2.1 (5486bc9a1122)", "", "8851 11.2.1 5486bc9a1122"},
		{"/CP-8851-3PCC.xml", "Cisco-CP-8851-3PCC/11.0.1 MSR2-3 (r) (5486bc9a1122)", "", "8851 11.0.1 MSR2-3 (r) 5486bc9a1122"},
		{"", "", "Cisco-CP-7841-3PCC/11.3.2", "7841 11.3.2 000000000000"},
		{"/CP-6841-3PCC.xml", "", "", "6841  000000000000"},
		{"", "Cisco-CP7861/12.1.1", "", "no"}, // enterprise firmware
		{"", "Cisco/SPA501G-7.4.4 (8843E157DDCC)(CBT141100HR)", "", "no"},
		{"/5486bc9a1122.xml", "", "", "no"},
		{"/5486bc9a1122.xml", "curl/8", "", "no"},
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
		"5486bc9a1122.xml": brand.Device, "5486BC9A1122.cfg": brand.Device,
		"CP-8851-3PCC.xml": brand.Common, "5486bc9a1122-report.xml": brand.Upload, "SEP5486BC9A1122.cnf.xml": brand.Unknown,
		"000000000000.xml": brand.Unknown, "": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/5486bc9a1122.xml", "Cisco-CP-8851-3PCC/11.2.1 (5486bc9a1122)")
	f.Add("/CP-8861-3PCC.xml", "Cisco-CP7861/12.1.1")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.CiscoMPP {
			t.Fatal("recognised as nothing")
		}
		if f := File(path); f.Kind == brand.Device && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suites()[0]
	mpp, f := Brand(), File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mpp.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
