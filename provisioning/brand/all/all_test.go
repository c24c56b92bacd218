package all

import (
	"testing"

	"perch/provisioning/brand"
)

func TestBrandsAreWhole(t *testing.T) {
	seen := map[brand.Name]bool{}
	for _, b := range Brands() {
		if b.Recognise == nil || b.File == nil || len(b.Recipe.Attempts) == 0 || seen[b.Name] {
			t.Errorf("%s is not whole", b.Name)
		}
		seen[b.Name] = true
		if _, ok := brand.ParseName(string(b.Name)); !ok {
			t.Errorf("%s is no known name", b.Name)
		}
		for _, a := range b.Recipe.Attempts {
			if a.Event == "" || a.Wait <= 0 {
				t.Errorf("%s: attempt %+v", b.Name, a)
			}
		}
	}
}

func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		r    brand.Request
		want string
	}{
		{brand.Request{Path: "/acme/001565aabb01.cfg", UserAgent: "Yealink SIP-T46U 108.86.0.90 00:15:65:aa:bb:01"}, "yealink T46U 108.86.0.90 001565aabb01"},
		{brand.Request{Path: "/t/abc/snomD785-000413922D24.htm"}, "snom D785  000413922d24"},
		{brand.Request{Path: "/cfg000b82462d97.xml"}, "grandstream   000b82462d97"},
		{brand.Request{Path: "/cfg02aabbccddee.xml"}, "   02aabbccddee"},
		{brand.Request{Path: "/acme/cfg", UserAgent: "Grandstream Model HW GRP2614 SW 1.0.5.15 DevId c074ad0b63ee"}, "grandstream GRP2614 1.0.5.15 c074ad0b63ee"},
		{brand.Request{Path: "/acme/8843e157ddcc.xml", UserAgent: "Cisco/SPA501G-7.4.4 (8843E157DDCC)(CBT141100HR)"}, "cisco-spa SPA501G 7.4.4 8843e157ddcc"},
		{brand.Request{SIPUserAgent: "Grandstream GXP2170 1.0.9.135"}, "grandstream GXP2170 1.0.9.135 000000000000"},
		{brand.Request{SIPUserAgent: "Yealink SIP-T42S 66.84.0.125", Header: map[string][]string{"mac": {"00:15:65:AA:BB:01"}}}, "yealink T42S 66.84.0.125 001565aabb01"},
		{brand.Request{UserAgent: "Yealink-T46G 28.71.0.40 28.1.0.128", SIPUserAgent: "Yealink SIP-T46G 28.71.0.40 001565aabb01"}, "yealink T46G 28.71.0.40 001565aabb01"},
		{brand.Request{SIPUserAgent: "snomD785/10.1.33.33", Header: map[string][]string{"X-Serialnumber": {"000413922D24"}}}, "snom D785 10.1.33.33 000413922d24"},
		{brand.Request{Path: "/0004f2aabbcc.cfg", UserAgent: "FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430 Type/Application"}, "poly VVX_400 4.1.4.7430 0004f2aabbcc"},
		{brand.Request{Path: "/sip.ld", UserAgent: "FileTransport PolyCCX-CCX_600-UA/8.0.2.3267 (SN:482567b5313f) Type/Application"}, "poly CCX_600 8.0.2.3267 482567b5313f"},
		{brand.Request{SIPUserAgent: "PolycomVVX-VVX_250-UA/6.4.3.5156"}, "poly VVX_250 6.4.3.5156 000000000000"},
		{brand.Request{Path: "/00085D2EA094.cfg", UserAgent: "Aastra6735i MAC:00-08-5D-2E-A0-94 V:3.2.2.6038-SIP"}, "mitel 6735I 3.2.2.6038 00085d2ea094"},
		{brand.Request{Path: "/F0V00X300000.cfg"}, "fanvil   000000000000"},
		{brand.Request{Path: "/0c383e2cd782.cfg", UserAgent: "Fanvil X6U Pro 0.0.10 0c383e2cd782"}, "fanvil X6U PRO 0.0.10 0c383e2cd782"},
		{brand.Request{Path: "/f01653aabbcc.cfg"}, "yealink   f01653aabbcc"},
		{brand.Request{SIPUserAgent: "Fanvil X3U 2.4.5", Header: map[string][]string{"Mac": {"0c:38:3e:2c:d7:82"}}}, "fanvil X3U 2.4.5 0c383e2cd782"},
		{brand.Request{Path: "/startup.cfg", UserAgent: "Mitel6920 MAC:14-00-E9-1F-03-EA V:6.4.0.140-SIP"}, "mitel 6920 6.4.0.140 1400e91f03ea"},
		{brand.Request{SIPUserAgent: "Mitel-6920-SIP/6.4.0.140", Header: map[string][]string{"Aastra-Mac": {"1400E91F03EA"}}}, "mitel 6920 6.4.0.140 1400e91f03ea"},
		{brand.Request{Path: "/CP-8851-3PCC.xml", UserAgent: "Cisco-CP-8851-3PCC/11.2.1 (5486bc9a1122)"}, "cisco-mpp 8851 11.2.1 5486bc9a1122"},
		{brand.Request{Path: "/cfg0013.xml", UserAgent: "Htek UC903 2.0.4.2 00:1f:c1:1c:22:a9"}, "htek UC903 2.0.4.2 001fc11c22a9"},
		{brand.Request{Path: "/cfg001fc11c22a9.xml"}, "htek   001fc11c22a9"},
		{brand.Request{SIPUserAgent: "Sangoma S305 V2.0.4.60"}, "sangoma-s S305 2.0.4.60 000000000000"},
		{brand.Request{SIPUserAgent: "Sangoma P325 4_9_2"}, "sangoma-p P325 4.9.2 000000000000"},
		{brand.Request{Path: "/000fd30abc01.cfg", UserAgent: "Digium D40 1_4_0_0_57389"}, "digium D40 1.4.0.0.57389 000fd30abc01"},
		{brand.Request{Path: "/index.html", UserAgent: "curl/8"}, "no"},
	} {
		p, ok := Identify(c.r)
		got := "no"
		if ok {
			got = string(p.Brand) + " " + p.Model + " " + p.Firmware + " " + p.MAC.String()
		}
		if got != c.want {
			t.Errorf("%+v: got %q, want %q", c.r, got, c.want)
		}
	}
}
