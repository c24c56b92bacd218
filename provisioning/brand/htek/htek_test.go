package htek

import (
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
	"perch/provisioning/brand/hanlong"
)

var mac = directory.MAC{0x00, 0x1f, 0xc1, 0x1c, 0x22, 0xa9}

// suites are a phone that takes modules, and one with keys alone.
func suites() []brandtest.Suite {
	var out []brandtest.Suite
	for _, c := range []struct{ golden, model string }{{"uc926-", "UC926E"}, {"uc912-", "UC912G"}} {
		out = append(out, brandtest.Suite{
			Brand: Brand, File: "cfg001fc11c22a9.xml", Golden: c.golden, Ext: ".xml", Read: read,
			Idle: brandtest.Idle(mac, c.model), Bound: brandtest.Bound(mac, c.model), Full: brandtest.Full(mac, c.model, 80),
		})
	}
	return out
}

// read leaves aside what stands beside a number, and on modules everything but
// the type, which alone switches a key off.
func read(t testing.TB, body []byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for key, value := range brandtest.ReadXML(t, body, []string{"version", "para"}, nil) {
		number, para, _ := strings.Cut(strings.TrimPrefix(key, "hl_provision[1]/config[1]/"), "[")
		if _, twice := out[number]; twice {
			t.Fatalf("%s is set twice", number)
		}
		if !strings.HasPrefix(para, "Exp") || strings.HasSuffix(para, ".Type]") {
			out[number] = value
		}
	}
	return out
}

func TestSuite(t *testing.T) {
	for _, s := range suites() {
		t.Run(s.Golden, s.Run)
	}
	brandtest.Lint(t, ".xml")
}

func FuzzValues(f *testing.F) { suites()[1].Fuzz(f) }

func TestKeysGoOnToModules(t *testing.T) {
	s := suites()[0]
	s.Full.Modules = brand.Modules{Known: true, Count: 1}
	s.Full.Server.Transport = brand.TCP
	r := s.Rendered(t, Brand(), s.Full)
	brandtest.Has(t, brandtest.ReadXML(t, r.Body, []string{"version", "para"}, nil), map[string]string{
		at("P35", "Account1.SipUserId"): "1001", at("P36", "Account1.AuthenticateID"): "001fc11c22a9",
		at("P34", "Account1.AuthenticatePassword"): "sessionpassword23456", at("P47", "Account1.Sipserver"): "acme.test",
		at("P48", "Account1.OutboundProxy"): "192.0.2.5:5060", at("P130", "Account1.SipTransport"): "1",
		at("P32", "Account1.RegisterExpiration"): "60", at("P237", "FirmwareUpGrade.ConfigServerPath"): "http://192.0.2.5:8080/acme",
		at("P401", "Account2.Active"): "0", at("P24139", "Account16.AuthenticatePassword"): "", at("P4200", "Account1.DialPlan"): "{[x*]+}",
		at("P41200", "LineKey1.Type"): "1", at("P41201", "LineKey2.Type"): "3", at("P41301", "LineKey2.Value"): "2000",
		at("P20200", "LineKey5.Type"): "3", at("P20201", "LineKey5.Value"): "2003", at("P20356", "LineKey36.Value"): "2034",
		at("P60001", "Exp1_1.Value"): "2035", at("P61021", "Exp2_5.Value"): "2079", at("P61025", "Exp.Type"): "0",
	})
	if len(r.Keys) != 75 || len(r.Optional) != 5 || len(r.Dropped) != 0 {
		t.Errorf("%d keys, %d optional, %d dropped", len(r.Keys), len(r.Optional), len(r.Dropped))
	}
}

func at(p, para string) string { return "hl_provision[1]/config[1]/" + p + "[" + para + "]" }

func TestModels(t *testing.T) {
	for name, want := range map[string]brand.Layout{
		"UC926": {Known: true, Keys: 36, Modules: 6, PerModule: 40}, "uc924e": {Known: true, Keys: 28, Modules: 6, PerModule: 40},
		"UC903": {Known: true, Keys: 20}, "802T": {Known: true}, "": {Keys: guessedKeys}, "UC9": {Keys: guessedKeys},
	} {
		if got := layoutOf(name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/cfg001fc11c22a9.xml", "Htek UC903 2.0.4.2 00:1f:c1:1c:22:a9", "", "UC903 2.0.4.2 001fc11c22a9"},
		{"/cfg0013.xml", "Htek UC903 2.0.4.2 00:1f:c1:1c:22:a9", "", "UC903 2.0.4.2 001fc11c22a9"},
		{"", "", "Htek UC924E V3.0.4.5", "UC924E 3.0.4.5 000000000000"},
		{"", "", "Htek UC924E V3.0.4.5 001fc11c22a9", "UC924E 3.0.4.5 001fc11c22a9"},
		{"/t/x/cfg001fc11c22a9.xml", "", "", "  001fc11c22a9"},
		{"/cfg000b82462d97.xml", "", "", "no"}, // Grandstream
		{"/cfg001fc11c22a9.xml", "curl/8", "", "no"},
		{"/cfg0010.xml", "", "", "no"},
		{"", "Htek", "", "no"},
		{"", "", "", "no"},
	} {
		got := brandtest.Recognised(Recognise(brand.Request{Path: c.path, UserAgent: c.ua, SIPUserAgent: c.sip}))
		if got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.path, c.ua, c.sip, got, c.want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/cfg001fc11c22a9.xml", "Htek UC903 2.0.4.2 00:1f:c1:1c:22:a9")
	f.Add("/cfg0010.xml", "")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.Htek {
			t.Fatal("recognised as nothing")
		}
		if f := hanlong.File(path); f.Kind == brand.Device && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suites()[0]
	h, f := Brand(), hanlong.File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
