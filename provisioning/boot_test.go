package provisioning_test

import (
	"net/http"
	"strings"
	"testing"
)

// Each brand's phone asks for its files in its own order at boot, and has its
// account after them: once with the device's secret, once by path token.
func TestBootsOfEachBrand(t *testing.T) {
	type step struct {
		method, name string
		want         int
	}
	for _, c := range []struct {
		mac, agent, account string
		keys                int // lamps that a login waits for
		steps               []step
	}{
		{"c074ad0b63ee", "Grandstream Model HW GRP2614 SW 1.0.5.15 DevId c074ad0b63ee", "cfgc074ad0b63ee.xml", 1, []step{
			{"GET", "cfgc074ad0b63ee", 404}, {"GET", "cfgc074ad0b63ee.xml", 200}, {"GET", "phonebook.xml", 404},
		}},
		{"482567b5313f", "FileTransport PolycomVVX-VVX_450-UA/5.9.2.3446 (SN:482567b5313f) Type/Application", "482567b5313f-perch.cfg", 1, []step{
			{"PUT", "482567b5313f-boot.log", 200},
			{"GET", "482567b5313f.cfg", 200},
			{"GET", "3111-48450-001.sip.ld", 404},
			{"GET", "sip.ld", 404},
			{"GET", "482567b5313f-perch.cfg", 200},
			{"PUT", "482567b5313f-phone.cfg", 200},
			{"GET", "482567b5313f-phone.cfg", 404},
			{"GET", "482567b5313f-web.cfg", 404},
			{"GET", "000000000000-license.cfg", 404},
			{"GET", "482567b5313f-license.cfg", 404},
			{"GET", "482567b5313f-directory.xml", 404},
			{"GET", "000000000000-directory.xml", 404},
			{"HEAD", "482567b5313f-app.log", 404},
			{"PUT", "482567b5313f-app.log", 200},
		}},
		{"1400e91f03ea", "Mitel6920 MAC:14-00-E9-1F-03-EA V:6.4.0.140-SIP", "1400e91f03ea.cfg", 1, []step{
			{"GET", "startup.cfg", 404}, {"GET", "6920.cfg", 404}, {"GET", "1400E91F03EA.cfg", 200}, {"GET", "1400E91F03EA.tuz", 404},
		}},
		{"0c383e2cd782", "Fanvil X6U Pro 0.0.10 0c383e2cd782", "0c383e2cd782.cfg", 1, []step{
			{"GET", "F0V00X6U0000.cfg", 404}, {"GET", "0c383e2cd782.cfg", 200},
		}},
		{"8843e157ddcc", "Cisco/SPA501G-7.4.4 (8843E157DDCC)(CBT141100HR)", "8843e157ddcc.xml", 1, []step{
			{"GET", "spa501G.cfg", 404}, {"GET", "8843e157ddcc.xml", 200}, {"POST", "8843e157ddcc-report.xml", 200},
		}},
		{"5486bc9a1122", "Cisco-CP-8851-3PCC/11.2.1 (5486bc9a1122)", "5486bc9a1122.xml", 1, []step{
			{"GET", "CP-8851-3PCC.xml", 404}, {"GET", "5486bc9a1122.xml", 200},
		}},
		{"001fc11c22a9", "Htek UC926 2.0.4.8 00:1f:c1:1c:22:a9", "cfg001fc11c22a9.xml", 1, []step{
			{"GET", "cfg0010.xml", 404}, {"GET", "cfg001fc11c22a9", 404}, {"GET", "cfg001fc11c22a9.xml", 200},
		}},
		{"0050585011de", "Sangoma S505 2.0.4.60 00:50:58:50:11:de", "cfg0050585011de.xml", 0, []step{
			{"GET", "cfg0050585011de", 404}, {"GET", "cfg0050585011de.xml", 200},
		}},
		{"000fd30abc01", "Digium D65 2_9_21", "000fd30abc01.cfg", 1, []step{
			{"GET", "000fd30abc01.cfg", 200}, {"GET", "000fd30abc01-contacts.xml", 200}, {"GET", "000fd30abc01-smartblf.cfg", 404},
		}},
		{"000fd30abc02", "Sangoma P325 4_9_2 000FD30ABC02", "000fd30abc02.cfg", 0, []step{
			{"GET", "000fd30abc02.cfg", 200}, {"GET", "000fd30abc02-contacts.xml", 200},
		}},
	} {
		for folder, auth := range map[string]string{"/acme/": basic(c.mac, secret), "/t/token-" + c.mac + "/": ""} {
			s := &site{bound: true}
			h := handler(t, s, "")
			for _, step := range c.steps {
				w := ask(t, h, step.method, folder+step.name, auth, "User-Agent", c.agent)
				if w.Code != step.want {
					t.Errorf("%s %s%s: %d, want %d", step.method, folder, step.name, w.Code, step.want)
				}
				if strings.Contains(w.Body.String(), "session-password") != strings.EqualFold(step.name, c.account) {
					t.Errorf("%s: the account stands in the wrong file", step.name)
				}
			}
			if len(s.fetched) != 1 || s.fetched[0].File != c.account || s.fetched[0].Session != "5e55" || len(s.fetched[0].Keys) != c.keys {
				t.Errorf("%s: witnessed %+v", c.agent, s.fetched)
			}
			if w := ask(t, h, http.MethodGet, "/acme/"+c.account, "", "User-Agent", c.agent); w.Code != http.StatusUnauthorized {
				t.Errorf("%s without credentials: %d", c.account, w.Code)
			}
		}
	}
}
