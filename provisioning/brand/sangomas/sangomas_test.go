package sangomas

import (
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
	"perch/provisioning/brand/hanlong"
)

var mac = directory.MAC{0x00, 0x50, 0x58, 0x50, 0x11, 0xde}

// suites are a phone that takes modules, and one that does not.
func suites() []brandtest.Suite {
	var out []brandtest.Suite
	for _, c := range []struct{ golden, model string }{{"s705-", "S705"}, {"s305-", "S305"}} {
		out = append(out, brandtest.Suite{
			Brand: Brand, File: "cfg0050585011de.xml", Golden: c.golden, Ext: ".xml", Read: read,
			Idle: brandtest.Idle(mac, c.model), Bound: brandtest.Bound(mac, c.model), Full: brandtest.Full(mac, c.model, 60),
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

// No model's keys are known for sure, so no lamp is waited for but those on a
// module that somebody reported.
func TestLampsAreOptional(t *testing.T) {
	s := suites()[0]
	r := s.Rendered(t, Brand(), s.Full)
	brandtest.Has(t, s.Read(t, r.Body), map[string]string{
		"P35": "1001", "P36": "0050585011de", "P34": "sessionpassword23456", "P47": "acme.test", "P48": "192.0.2.5:5060",
		"P41200": "1", "P41201": "3", "P41301": "2000", "P23041": "2043",
	})
	if len(r.Keys) != 0 || len(r.Optional) != 60 || len(r.Dropped) != 0 {
		t.Errorf("%d keys, %d optional, %d dropped", len(r.Keys), len(r.Optional), len(r.Dropped))
	}
	s.Full.Modules = brand.Modules{Known: true, Count: 1}
	if r := s.Rendered(t, Brand(), s.Full); len(r.Keys) != 16 {
		t.Errorf("%d keys on the module", len(r.Keys))
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/cfg0050585011de.xml", "Sangoma S500 V2.0.4.48", "", "S500 2.0.4.48 0050585011de"},
		{"", "Sangoma S705 3.0.4.64 00:50:58:50:11:de", "", "S705 3.0.4.64 0050585011de"},
		{"", "", "Sangoma S305 V2.0.4.60", "S305 2.0.4.60 000000000000"},
		{"/t/x/cfg0050585011de.xml", "", "", "  0050585011de"},
		{"", "", "Sangoma P325 4_9_2", "no"},
		{"/cfg001fc11c22a9.xml", "", "", "no"}, // Htek
		{"/cfg0050585011de.xml", "curl/8", "", "no"},
		{"", "Sangoma", "", "no"},
		{"", "", "", "no"},
	} {
		got := brandtest.Recognised(Recognise(brand.Request{Path: c.path, UserAgent: c.ua, SIPUserAgent: c.sip}))
		if got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.path, c.ua, c.sip, got, c.want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/cfg0050585011de.xml", "Sangoma S705 3.0.4.64 00:50:58:50:11:de")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.SangomaS {
			t.Fatal("recognised as nothing")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suites()[0]
	x, f := Brand(), hanlong.File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
