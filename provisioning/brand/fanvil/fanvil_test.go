package fanvil

import (
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x0c, 0x38, 0x3e, 0x2c, 0xd7, 0x82}

func suite(model string) brandtest.Suite {
	return brandtest.Suite{
		Brand: Brand, File: "0c383e2cd782.cfg", Golden: strings.ToLower(model[:3]) + "-", Ext: ".cfg", Read: read,
		Idle: brandtest.Idle(mac, model), Bound: brandtest.Bound(mac, model), Full: brandtest.Full(mac, model, 70),
	}
}

func read(t testing.TB, body []byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for key, value := range brandtest.ReadXML(t, body, []string{"index"}, nil) {
		_, key, _ = strings.Cut(key, "/")
		out[key] = value
	}
	return out
}

func TestSuite(t *testing.T) {
	for _, model := range []string{"X6U Pro", "V65", "X3SG"} {
		t.Run(model, suite(model).Run)
	}
	brandtest.Lint(t, ".cfg")
}

func FuzzSystem(f *testing.F)  { suite("X6U").Fuzz(f) }
func FuzzModules(f *testing.F) { suite("X3S").Fuzz(f) }

func TestSystem(t *testing.T) {
	s := suite("X6U Pro")
	r := s.Rendered(t, Brand(), s.Full)
	brandtest.Has(t, s.Read(t, r.Body), map[string]string{
		"sip/line[1]/PhoneNumber": "1001", "sip/line[1]/RegisterUser": "0c383e2cd782", "sip/line[1]/RegisterAddr": "acme.test",
		"sip/line[1]/ProxyAddr": "192.0.2.5", "sip/line[20]/EnableReg": "0", "sip/line[20]/RegisterPswd": "", "sip/NotifyReboot": "0",
		"ap/FlashServerIP": "http://192.0.2.5:8080/acme", "ap/FlashProtocol": "4", "ap/FlashFileName": "$mac.cfg",
		"phone/date/TimeZone": "4", "phone/date/DSTStartWeek": "-1", "phone/date/DSTStartWday": "0",
		"dsskey/dssSide[1]/Fkey[1]/Value": "SIP1", "dsskey/dssSide[1]/Fkey[1]/Type": "2",
		"dsskey/dssSide[1]/Fkey[2]/Value": "2000@1/bc", "dsskey/dssSide[1]/Fkey[5]/Value": "2003@1/bc",
		"dsskey/internal[1]/Fkey[1]/Value": "2004@1/bc", "dsskey/internal[5]/Fkey[12]/Value": "2063@1/bc",
	})
	if len(r.Keys) != 64 || len(r.Dropped) != 6 {
		t.Errorf("%d keys, %d dropped", len(r.Keys), len(r.Dropped))
	}
}

func TestModules(t *testing.T) {
	s := suite("X3SG")
	s.Full.Provisioning.URL, s.Full.Server.Transport = "https://perch.example.com/t/abc/", brand.TLS
	r := s.Rendered(t, Brand(), s.Full)
	line := "SIP_CONFIG_MODULE/SIP_Line_List/SIP_Line_List_Entry"
	fkey := "PHONE_CONFIG_MODULE/Function_Key/Function_Key_Entry"
	brandtest.Has(t, s.Read(t, r.Body), map[string]string{
		line + "[SIP1]/Phone_Number": "1001", line + "[SIP1]/Transport": "3", line + "[SIP6]/Register_Pswd": "",
		fkey + "[Fkey1]/Value": "SIP1", fkey + "[Fkey2]/Value": "2000@1/bc", fkey + "[Fkey30]/Value": "2028@1/bc",
		"AUTOUPDATE_CONFIG_MODULE/Download_Protocol": "5", "AUTOUPDATE_CONFIG_MODULE/Download_Server_IP": "https://perch.example.com/t/abc",
	})
	if len(r.Keys) != 0 || len(r.Optional) != 29 {
		t.Errorf("%d keys, %d optional", len(r.Keys), len(r.Optional))
	}
}

func TestKeyTypes(t *testing.T) {
	s := suite("V65")
	got := s.Read(t, s.Rendered(t, Brand(), s.Bound).Body)
	brandtest.Has(t, got, map[string]string{
		"dsskey/dssSide[1]/Fkey[2]/Value": "1002@1/bc", "dsskey/dssSide[1]/Fkey[3]/Value": "+4930123@1/f",
		"dsskey/dssSide[1]/Fkey[5]/Value": "701@1/c", "dsskey/dssSide[1]/Fkey[6]/Value": "*8@1/f",
		"dsskey/dssSide[1]/Fkey[7]/Value": "*97@1/f", "dsskey/dssSide[1]/Fkey[8]/Type": "0",
	})
}

func TestModels(t *testing.T) {
	for name, want := range map[string]model{
		"X6U Pro":     {known: true, lines: 20, side: bank{5, 1}, inner: bank{12, 5}},
		"Fanvil X5U":  {known: true, lines: 20, side: bank{4, 1}, inner: bank{6, 5}},
		"x210i-Pro":   {known: true, lines: 20, side: bank{10, 1}, inner: bank{32, 3}},
		"V62":         {known: true, lines: 20, side: bank{5, 3}},
		"i10SV":       {lines: 20, side: bank{4, 1}, inner: bank{6, 5}},
		"X7C":         {lines: 20, side: bank{4, 1}, inner: bank{6, 5}},
		"X3U":         {lines: 20, side: bank{4, 1}, inner: bank{6, 5}},
		"X3SG":        {modules: true, lines: 6, side: bank{30, 1}},
		"X4":          {modules: true, lines: 6, side: bank{30, 1}},
		"":            {lines: 20, side: bank{4, 1}, inner: bank{6, 5}},
		"FANVIL - -x": {lines: 20, side: bank{4, 1}, inner: bank{6, 5}},
	} {
		if got := modelOf(name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestZone(t *testing.T) {
	zones := brand.NewZones()
	if z := zoneFor(zones, "America/New_York"); z.Quarters != -20 || z.Name != "UTC-5" || z.Start != (change{3, 2, 0, 2}) || z.Save != 60 {
		t.Errorf("%+v", z)
	}
	if z := zoneFor(zones, "Asia/Kolkata"); z.Quarters != 22 || z.Name != "UTC+5:30" || z.DST {
		t.Errorf("%+v", z)
	}
	if got := name(0 * time.Hour); got != "UTC" {
		t.Error(got)
	}
	if zoneFor(zones, "nowhere").Set {
		t.Error("nowhere is a zone")
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/0c383e07e16c.cfg", "Fanvil X4 2.10.2.6887 0c383e07e16c", "", "X4 2.10.2.6887 0c383e07e16c"},
		{"", "Fanvil X6U Pro 0.0.10 0c383e2cd782", "", "X6U PRO 0.0.10 0c383e2cd782"},
		{"", "Fanvil V65 2.12.2.4 0c383e38e123", "", "V65 2.12.2.4 0c383e38e123"},
		{"", "Fanvil i10SV 2.12.10.1 0c383e2397f4", "", "I10SV 2.12.10.1 0c383e2397f4"},
		{"", "Fanvil H2U-V2 2.12.0 0c383e32342e", "", "H2U-V2 2.12.0 0c383e32342e"},
		{"", "Fanvil W620W 2.16.10 0c383e7dd216", "", "W620W 2.16.10 0c383e7dd216"},
		{"", "", "Fanvil X3U 2.4.5", "X3U 2.4.5 000000000000"},
		{"", "", "Fanvil X3U 2.4.5 0c:38:3e:2c:d7:82", "X3U 2.4.5 0c383e2cd782"},
		{"/f0X4hw1.100.cfg", "", "", "  000000000000"},
		{"/F0V00X300000.cfg", "", "", "  000000000000"},
		{"/fanvil_v65_hwv1_0.txt", "", "", "  000000000000"},
		{"/0c383e07e16c.cfg", "", "", "  0c383e07e16c"},
		{"/f01653aabbcc.cfg", "", "", "no"}, // a Yealink's address
		{"/0c383e07e16c.cfg", "Mozilla/5.0", "", "no"},
		{"", "Fanvil", "", "no"},
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
		"0c383e07e16c.cfg": brand.Device, "0C383E07E16C.CFG": brand.Device, "f01653aabbcc.cfg": brand.Device,
		"f0X4hw1.100.cfg": brand.Common, "F0V00X300000.cfg": brand.Common, "fanvil_v65_hwv1_0.txt": brand.Common,
		"000000000000.cfg": brand.Unknown, "0c383e07e16c.xml": brand.Unknown, "": brand.Unknown, "passwd": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/0c383e07e16c.cfg", "Fanvil X6U Pro 0.0.10 0c383e2cd782")
	f.Add("/F0V00X300000.cfg", "Fanvil X4 2.10.2.6887 0c383e07e16c")
	f.Fuzz(func(t *testing.T, path, ua string) {
		if p, ok := Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != brand.Fanvil {
			t.Fatal("recognised as nothing")
		}
		if f := File(path); f.Kind == brand.Device && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suite("X6U Pro")
	v, f := Brand(), File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
