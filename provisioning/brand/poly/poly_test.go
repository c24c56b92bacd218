package poly

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x48, 0x25, 0x67, 0xb5, 0x31, 0x3f}

var keySetting = regexp.MustCompile(`^(lineKey|attendant\.resourceList|efk\.efklist)\.\d+\.[A-Za-z.]+$`)

func suite(model string) brandtest.Suite {
	return brandtest.Suite{
		Brand: Brand, File: "482567b5313f-perch.cfg", Golden: strings.ToLower(model) + "-", Ext: ".cfg", Read: read,
		Idle: brandtest.Idle(mac, model), Bound: brandtest.Bound(mac, model), Full: brandtest.Full(mac, model, 30),
		Whole: true, Key: keySetting.MatchString,
	}
}

// read lists the attributes of all elements, whose names mean nothing.
func read(t testing.TB, body []byte) map[string]string {
	t.Helper()
	return brandtest.ReadXML(t, body, nil, []string{
		"PHONE_CONFIG", "RELOAD", "PROVISIONING", "TIME", "REGISTRATION", "NO_OTHER_REGISTRATION", "DIALLING", "KEYS",
		"APPLICATION",
	})
}

func TestSuite(t *testing.T) {
	for _, model := range []string{"VVX_250", "VVX_450", "EDGE_E350"} {
		t.Run(model, suite(model).Run)
	}
	brandtest.Lint(t, ".cfg")
}

func FuzzValues(f *testing.F) { suite("VVX_450").Fuzz(f) }

// The master names the file with the account, and carries nothing itself.
func TestMaster(t *testing.T) {
	got, err := Brand().Render(brand.Desk{MAC: mac}, File("482567b5313f.cfg"))
	if err != nil || got.Account {
		t.Fatalf("%v, account %v", err, got.Account)
	}
	brandtest.Golden(t, "master.cfg", got.Body)
	names := read(t, got.Body)
	if f := File(names["CONFIG_FILES"]); f.Kind != brand.Device || f.MAC != mac {
		t.Errorf("it names %q", names["CONFIG_FILES"])
	}
}

func TestKeys(t *testing.T) {
	s := suite("VVX_450")
	r := s.Rendered(t, Brand(), s.Full)
	brandtest.Has(t, s.Read(t, r.Body), map[string]string{
		"reg.1.address": "1001@acme.test", "reg.1.auth.userId": "482567b5313f", "reg.1.outboundProxy.address": "192.0.2.5",
		"lineKey.1.category": "Line", "lineKey.2.category": "BLF", "lineKey.2.index": "1", "lineKey.12.index": "11",
		"lineKey.13.index": "12", "attendant.resourceList.1.address": "2000", "attendant.resourceList.30.address": "2029",
		"voIpProt.SIP.specialEvent.checkSync.alwaysReboot": "0", "device.prov.serverName": "192.0.2.5:8080/acme",
	})
	if len(r.Keys) != 11 || len(r.Optional) != 19 {
		t.Errorf("%d keys, %d optional", len(r.Keys), len(r.Optional))
	}
	bound := s.Read(t, s.Rendered(t, Brand(), s.Bound).Body)
	brandtest.Has(t, bound, map[string]string{
		"efk.efklist.1.action.string": "+4930123$Tinvite$", "lineKey.3.category": "EFK", "lineKey.3.index": "1",
		"lineKey.4.category": "BLF", "lineKey.4.index": "2", "attendant.resourceList.2.address": "1003",
		"efk.efklist.5.action.string": "42#$Tdtmf$", "efk.efklist.6.action.string": "https://intra.acme.test/?a=1&b=2",
	})
}

// A macro's commands stand between dollar signs: no value may bring one.
func TestNoCommandsInKeys(t *testing.T) {
	s := suite("VVX_450")
	s.Bound.Keys = []directory.Key{
		{Type: brand.KeyURL, Value: "http://x/$Cwc$"},
		{Type: brand.KeySpeedDial, Value: "1$Trefer$"},
		{Type: brand.KeyLine},
		{Type: brand.KeyVoicemail},
	}
	r := s.Rendered(t, Brand(), s.Bound)
	if len(r.Dropped) != 4 || strings.Contains(string(r.Body), "efklist.1.") {
		t.Errorf("%d dropped", len(r.Dropped))
	}
}

func TestMacrosAreCounted(t *testing.T) {
	s := suite("VVX_600")
	s.Bound.Keys = nil
	for n := range 60 {
		s.Bound.Keys = append(s.Bound.Keys, directory.Key{Type: brand.KeySpeedDial, Value: fmt.Sprint(n)})
	}
	if r := s.Rendered(t, Brand(), s.Bound); len(r.Dropped) != 10 {
		t.Errorf("%d dropped", len(r.Dropped))
	}
}

// The digit map as the phone reads it: T ends a number by time, # at once.
func TestDigitMap(t *testing.T) {
	var timed, now []*regexp.Regexp
	for _, rule := range strings.Split(digitMap, "|") {
		end := rule[len(rule)-1]
		re := regexp.MustCompile("^" + strings.ReplaceAll(rule[:len(rule)-1], ".", "*") + map[byte]string{'T': "$", '#': "#$"}[end])
		if end == 'T' {
			timed = append(timed, re)
		} else {
			now = append(now, re)
		}
	}
	match := func(list []*regexp.Regexp, s string) bool {
		for _, re := range list {
			if re.MatchString(s) {
				return true
			}
		}
		return false
	}
	for _, typed := range []string{"*11", "*11*1001*4321", "1002", "0", "**9", "112"} {
		if !match(timed, typed) || match(now, typed) || !match(now, typed+"#") {
			t.Errorf("%s does not pass", typed)
		}
	}
	if match(timed, "") {
		t.Error("nothing typed is a number")
	}
}

func TestModels(t *testing.T) {
	for name, want := range map[string]brand.Layout{
		"VVX_450": {Known: true, Keys: 12, Modules: 3, PerModule: 40}, "vvx 250": {Known: true, Keys: 4},
		"SPIP_650": {Known: true, Keys: 6, Modules: 3, PerModule: 14}, "EDGE_E350": {Keys: guessedKeys}, "": {Keys: guessedKeys},
	} {
		if got := layoutOf(name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestZone(t *testing.T) {
	zones := brand.NewZones()
	if z := zoneFor(zones, "America/New_York"); !z.DST || z.Offset != -18000 || z.Start != (change{3, 8, 1, 2, 0}) || z.End != (change{11, 1, 1, 2, 0}) {
		t.Errorf("%+v", z)
	}
	if z := zoneFor(zones, "Europe/Berlin"); z.Start != (change{3, 22, 1, 2, 1}) {
		t.Errorf("%+v", z)
	}
	if z := zoneFor(zones, "Australia/Lord_Howe"); !z.Set || z.DST {
		t.Errorf("half an hour of summer time: %+v", z)
	}
	if zoneFor(zones, "nowhere").Set {
		t.Error("nowhere is a zone")
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/0004f2aabbcc.cfg", "FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430 Type/Application", "", "VVX_400 4.1.4.7430 0004f2aabbcc"},
		{"/000000000000.cfg", "FileTransport PolycomSoundPointIP-SPIP_335-UA/3.2.1.0078", "", "SPIP_335 3.2.1.0078 000000000000"},
		{"/sip.ld", "FileTransport PolyCCX-CCX_600-UA/8.0.2.3267 (SN:482567b5313f) Type/Application", "", "CCX_600 8.0.2.3267 482567b5313f"},
		{"", "FileTransport PolycomSoundStationIP-SSIP_6000-UA/5.0.3.1667 Type/Updater", "", "SSIP_6000 5.0.3.1667 000000000000"},
		{"", "", "PolycomVVX-VVX_250-UA/6.4.3.5156", "VVX_250 6.4.3.5156 000000000000"},
		{"", "", "PolycomVVX-VVX_250-UA/5.0.0.6874_0004f2aabbcc", "VVX_250 5.0.0.6874 0004f2aabbcc"},
		{"/0004f2aabbcc-phone.cfg", "", "", "  0004f2aabbcc"},
		{"/3111-48450-001.sip.ld", "", "", "  000000000000"},
		{"/0004f2aabbcc.cfg", "", "", "  0004f2aabbcc"},
		{"/001565aabb01.cfg", "", "", "no"},
		{"/0004f2aabbcc.cfg", "Mozilla/5.0", "", "no"},
		{"", "FileTransport", "", "no"},
		{"", "Polycom", "", "no"},
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
		"0004f2aabbcc.cfg": brand.Boot, "0004F2AABBCC.CFG": brand.Boot, "0004f2aabbcc-perch.cfg": brand.Device,
		"000000000000.cfg": brand.Common, "sip.ld": brand.Common, "3111-48450-001.sip.ld": brand.Common,
		"000000000000-directory.xml": brand.Common, "0004f2aabbcc-boot.log": brand.Upload, "0004f2aabbcc-now-app.log": brand.Upload,
		"0004f2aabbcc-phone.cfg": brand.Upload, "0004f2aabbcc-web.cfg": brand.Upload, "0004f2aabbcc-directory.xml": brand.Upload,
		"0004f2aabbcc-license.cfg": brand.Unknown, "000000000000-perch.cfg": brand.Common, "": brand.Unknown, "passwd": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/0004f2aabbcc.cfg", "FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430 Type/Application")
	f.Add("/000000000000.cfg", "FileTransport PolyCCX-CCX_600-UA/8.0.2.3267 (SN:482567b5313f)")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.Poly {
			t.Fatal("recognised as nothing")
		}
		if f := File(path); (f.Kind == brand.Device || f.Kind == brand.Boot) && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suite("VVX_450")
	p, f := Brand(), File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
