package grandstream

import (
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0xc0, 0x74, 0xad, 0x0b, 0x63, 0xee}

// suites are one model of each class: settings by name, and by P-value.
func suites() []brandtest.Suite {
	var out []brandtest.Suite
	for _, c := range []struct{ golden, model string }{{"grp2614-", "GRP2614"}, {"gxp1628-", "GXP1628"}} {
		out = append(out, brandtest.Suite{
			Brand: Brand, File: "cfgc074ad0b63ee.xml", Golden: c.golden, Ext: ".xml", Read: read,
			Idle: brandtest.Idle(mac, c.model), Bound: brandtest.Bound(mac, c.model), Full: brandtest.Full(mac, c.model, 50),
		})
	}
	return out
}

func read(t testing.TB, body []byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for key, value := range brandtest.ReadXML(t, body, []string{"name", "version"}, nil) {
		key = strings.TrimPrefix(key, "gs_provision[1]/")
		key = strings.TrimPrefix(strings.TrimPrefix(key, "config[2]/item"), "config[1]/")
		out[strings.Trim(key, "[]")] = value
	}
	return out
}

func TestSuite(t *testing.T) {
	for _, s := range suites() {
		t.Run(s.Golden, s.Run)
	}
	brandtest.Lint(t, ".xml")
}

func FuzzNamed(f *testing.F)   { suites()[0].Fuzz(f) }
func FuzzPValues(f *testing.F) { suites()[1].Fuzz(f) }

func TestNamed(t *testing.T) {
	s := suites()[0]
	r := s.Rendered(t, Brand(), s.Full)
	got := s.Read(t, r.Body)
	brandtest.Has(t, got, map[string]string{
		"mac": "c074ad0b63ee", "account.1.sip.subscriber.userid": "c074ad0b63ee", "account.1.sip.userid": "1001",
		"account.1.sip.server.1.address": "acme.test", "account.1.sip.outboundProxy.1.address": "192.0.2.5:5060",
		"account.1.sip.registerExpiration": "60", "account.6.enable": "No", "account.6.sip.subscriber.password": "",
		"provisioning.config.serverPath": "192.0.2.5:8080/acme", "provisioning.config.protocol": "HTTP",
		"dateTime.timezone.custom": "STD-1DST-2,M3.5.0/02:00:00,M10.5.0/03:00:00",
		"pks.vpk.1.keyMode":        "Line", "pks.vpk.2.keyMode": "BLF", "pks.vpk.2.value": "2000", "pks.vpk.16.value": "2014",
		"pks.mpk.1.value": "2015", "pks.mpk.1.account": "Account1", "pks.mpk.24.value": "2038",
	})
	if len(r.Keys) != 39 || len(r.Optional) != 0 || len(r.Dropped) != 11 {
		t.Errorf("%d keys, %d optional, %d dropped", len(r.Keys), len(r.Optional), len(r.Dropped))
	}
}

func TestPValues(t *testing.T) {
	s := suites()[1]
	s.Full.Server.Transport, s.Full.Provisioning.URL = brand.TLS, "https://perch.example.com/t/abc/"
	r := s.Rendered(t, Brand(), s.Full)
	brandtest.Has(t, s.Read(t, r.Body), map[string]string{
		"P35": "1001", "P36": "c074ad0b63ee", "P34": "sessionpassword23456", "P47": "acme.test", "P32": "60", "P130": "2",
		"P212": "2", "P237": "perch.example.com/t/abc", "P290": "{ [*x]+ }", "P401": "0", "P406": "", "P601": "0",
		"P323": "1", "P301": "0", "P302": "2000", "P303": "2000", "P329": "1", "P319": "0", "P321": "2006",
	})
	if len(r.Keys) != 7 || len(r.Dropped) != 43 {
		t.Errorf("%d keys, %d dropped", len(r.Keys), len(r.Dropped))
	}
}

func TestRecipeBeginsWithoutAReboot(t *testing.T) {
	r := Brand().Recipe
	if !r.Challenged || r.Attempts[0].Reboot || !r.Attempts[len(r.Attempts)-1].Reboot {
		t.Errorf("%+v", r)
	}
}

func TestModels(t *testing.T) {
	for name, want := range map[string]brand.Layout{
		"GRP2612": {Known: true, Keys: 16}, "grp2614": {Known: true, Keys: 40}, "GXP2170": {Known: true, Keys: 48},
		"GRP2699": {Keys: guessedVirtual}, "GXP1628": {Known: true, Keys: 8}, "GXP1625": {Known: true, Keys: 1},
		"GXV3240": {Keys: 8}, "HT801": {Known: true, Keys: 1}, "": {Keys: 8},
	} {
		if got := modelOf(name).layout; got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestZone(t *testing.T) {
	zones := brand.NewZones()
	for name, want := range map[string]string{
		"America/New_York": "STD+5DST+4,M3.2.0/02:00:00,M11.1.0/02:00:00", "Asia/Kolkata": "STD-5:30", "UTC": "STD+0",
		"Australia/Sydney": "STD-10DST-11,M10.1.0/02:00:00,M4.1.0/03:00:00", "Europe/Atlantis": "",
	} {
		if got := zoneFor(zones, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/cfg000b8240d55c.xml", "Grandstream Model HW GXP1405 SW 1.0.4.23 DevId 000b8240d55c", "", "GXP1405 1.0.4.23 000b8240d55c"},
		{"", "Grandstream Model HW GXP2200 V2.2A SW 1.0.1.33 DevId 000b82462d97", "", "GXP2200 1.0.1.33 000b82462d97"},
		{"", "Grandstream Model HW GXV3350  V1.3A SW 1.0.1.8 DevId c074ad150b88", "", "GXV3350 1.0.1.8 c074ad150b88"},
		{"", "Grandstream Model HW GRP2614 SW 1.0.5.15 DevId c0:74:ad:0b:63:ee", "", "GRP2614 1.0.5.15 c074ad0b63ee"},
		{"", "Grandstream Model HW HT801 V1.1A SW 1.0.17.5 DevId c074ad273a10", "", "HT801 1.0.17.5 c074ad273a10"},
		{"", "Grandstream GXP2000 (gxp2000e.bin:1.2.5.3/boot55e.bin:1.1.6.9) DevId 000b822726c8", "", "GXP2000 1.2.5.3 000b822726c8"},
		{"", "", "Grandstream GXP2170 1.0.9.135", "GXP2170 1.0.9.135 000000000000"},
		{"/cfgc074ad0b63ee.xml", "Grandstream Model HW GRP2614 SW 1.0.5.15 DevId 000000000000", "", "GRP2614 1.0.5.15 c074ad0b63ee"},
		{"/t/x/cfggrp2614.xml", "", "", "GRP2614  000000000000"},
		{"/cfg000b82462d97.xml", "", "", "  000b82462d97"},
		{"/cfg001fc11c22a9.xml", "", "", "no"}, // Htek
		{"/cfg000b82462d97.xml", "Mozilla/5.0", "", "no"},
		{"/cfg.xml", "", "", "no"},
		{"", "Grandstreams", "", "no"},
		{"", "Grandstream \x00", "", "  000000000000"},
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
		"cfgc074ad0b63ee.xml": brand.Device, "CFGC074AD0B63EE.XML": brand.Device, "/a/b/cfgc074ad0b63ee.xml": brand.Device,
		"cfgc074ad0b63ee": brand.Unknown, "cfgc074ad0b63ee.bin": brand.Unknown, "cfg000000000000.xml": brand.Unknown,
		"cfggrp2614.xml": brand.Common, "cfg.xml": brand.Common, "phonebook.xml": brand.Common, "": brand.Unknown, "passwd": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/cfgc074ad0b63ee.xml", "Grandstream Model HW GRP2614 SW 1.0.5.15 DevId c074ad0b63ee")
	f.Add("/cfggrp2614.xml", "Grandstream GXP2000 (gxp2000e.bin:1.2.5.3/boot55e.bin:1.1.6.9) DevId 000b822726c8")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.Grandstream {
			t.Fatal("recognised as nothing")
		}
		if f := File(path); f.Kind == brand.Device && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suites()[0]
	g, f := Brand(), File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
