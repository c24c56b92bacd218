package foreign

import (
	"testing"

	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

func TestRecognise(t *testing.T) {
	l := Brands()
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/SEP001873A1B2C3.cnf.xml", "", "", "cisco-sep   001873a1b2c3"},
		{"/CTLSEP001873A1B2C3.tlv", "", "", "cisco-sep   001873a1b2c3"},
		{"/SIP001873A1B2C3.cnf", "", "", "cisco-sep   001873a1b2c3"},
		{"/XMLDefault.cnf.xml", "", "", "cisco-sep   000000000000"},
		{"", "", "Cisco-CP7861/12.1.1", "cisco-sep CP7861 12.1.1 000000000000"},
		{"/7C2F80CA21E4.xml", "Gigaset N720 DM PRO/70.089.00.000.000;7C2F80CA21E4", "", "gigaset N720 DM PRO 70.089.00.000.000 7c2f80ca21e4"},
		{"/42/2/7C2F80CA21E4.xml", "", "", "gigaset   7c2f80ca21e4"},
		{"", "N510 IP PRO/42.245.00.000.000", "", "gigaset N510 IP PRO 42.245.00.000.000 000000000000"},
		{"/Config0080F0AABBCC.cfg", "Panasonic_KX-UT670/01.061 (0080f0aabbcc)", "", "panasonic KX-UT670 01.061 0080f0aabbcc"},
		{"/ConfigCommon.cfg", "", "", "panasonic   000000000000"},
		{"", "AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)", "", "audiocodes 440HDG 2.2.8.61 00908f602aac"},
		{"/00908f602aac.cfg", "AUDC-IPPhone-445HD_UC_3.4.8/1.0", "", "audiocodes 445HD 3.4.8 00908f602aac"},
		{"", "", "AUDC-IPPhone/1.2.1_build_6", "audiocodes  1.2.1_build_6 000000000000"},
		{"", "", "OBIHAI/OBi1062-5.0.0.1542", "obihai OBI1062 5.0.0.1542 000000000000"},
		{"/algom0022EE0A1B2C.conf", "", "", "algo   0022ee0a1b2c"},
		{"", "ALE M5 2.13.01 3C28A6112233", "", "alcatel M5 2.13.01 3c28a6112233"},
		{"", "Mozilla/4.0 (compatible; MSIE 6.0) Avaya J179 (MAC:c81feaa1b2c3)", "", "avaya J179  c81feaa1b2c3"},
		{"/SIPC81FEAA1B2C3.cfg", "AVAYA/1230/04.04.18.00", "", "avaya 1230 04.04.18.00 c81feaa1b2c3"},
		{"", "Flyingvoice FIP13G V0.6.24 00:21:F2:22:AE:F1", "", "flyingvoice FIP13G 0.6.24 0021f222aef1"},
		{"", "Akuvox SP-R50P 50.0.6.40 0c:11:05:01:02:03", "", "akuvox SP-R50P 50.0.6.40 0c1105010203"},
		{"/00268b010203.xml", "", "", "escene   00268b010203"},
		{"/00268b010203.xml", "curl/8", "", "no"},
		{"/f00786010203.cfg", "", "", "bittel   f00786010203"},
		{"", "Konftel 300IPx 4.0.1", "", "konftel 300IPX 4.0.1 000000000000"},
		{"/e0e656010203.cfg", "", "", "nethesis   e0e656010203"},
		{"/index.html", "curl/8", "", "no"},
		{"", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126 Safari/537.36", "", "no"},
		{"", "", "", "no"},
	} {
		got := "no"
		if p, ok := l.Identify(brand.Request{Path: c.path, UserAgent: c.ua, SIPUserAgent: c.sip}); ok && p.Brand != "" {
			got = string(p.Brand) + " " + brandtest.Recognised(p, true)
		}
		if got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.path, c.ua, c.sip, got, c.want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/SEP001873A1B2C3.cnf.xml", "Gigaset N720 DM PRO/70.089.00.000.000;7C2F80CA21E4")
	f.Add("/x", "AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)")
	f.Fuzz(func(t *testing.T, path, ua string) {
		for _, b := range Brands() {
			if p, ok := b.Recognise(brand.Request{Path: path, UserAgent: ua, SIPUserAgent: ua}); ok && p.Brand != b.Name {
				t.Fatal("recognised as another")
			}
		}
	})
}
