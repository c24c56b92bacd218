package sim

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
)

const goldens = "../../provisioning/brand/"

// golden is what a brand's template gives for somebody who is logged in.
type golden struct {
	brand           Brand
	file            string
	read            func(*testing.T, []byte) *config
	url             string // where the phone comes again; empty: anywhere
	reload, restart string // events
	challenges      bool
}

func reading(read func([]byte, settings) error, make func(settings) *config) func(*testing.T, []byte) *config {
	return func(t *testing.T, body []byte) *config {
		s := settings{}
		if err := read(body, s); err != nil {
			t.Fatal(err)
		}
		return make(s)
	}
}

// anyGrandstream takes the file of the phone that the goldens are for.
func anyGrandstream(body []byte, s settings) error { return parseGrandstream(body, s, "c074ad0b63ee") }

func digium(t *testing.T, body []byte) *config {
	c, contacts, err := parseDigium(body)
	if err != nil || contacts == "" {
		t.Fatal(err, contacts)
	}
	list, err := os.ReadFile(goldens + "sangomap/testdata/contacts-bound.xml")
	if err != nil {
		t.Fatal(err)
	}
	if c.keys, err = digiumKeys(list, c.accounts); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestGoldenFiles reads them with readers that know nothing of the templates.
func TestGoldenFiles(t *testing.T) {
	const home, slash, both = "http://192.0.2.5:8080/acme", "http://192.0.2.5:8080/acme/", "check-sync;reboot=true"
	for _, c := range []golden{
		{Grandstream, "grandstream/testdata/grp2614-bound.xml", reading(anyGrandstream, grandstreamConfig), home, "resync", both, true},
		{Grandstream, "grandstream/testdata/gxp1628-bound.xml", reading(anyGrandstream, grandstreamConfig), home, "check-sync", both, true},
		{Poly, "poly/testdata/vvx_450-bound.cfg", reading(parsePoly, polyConfig), home, both, "", false},
		{Mitel, "mitel/testdata/6867i-bound.cfg", reading(parseMitel, mitelConfig), slash, "", "check-sync", false},
		{Fanvil, "fanvil/testdata/x6u-bound.cfg", reading(parseFanvil, fanvilConfig), slash, "check-sync", both, false},
		{Fanvil, "fanvil/testdata/x3s-bound.cfg", reading(parseFanvil, fanvilConfig), slash, "check-sync", both, false},
		{CiscoSPA, "ciscospa/testdata/spa504g-bound.xml", reading(parseProfile, profileConfig), "", "resync", "reboot", true},
		{CiscoMPP, "ciscompp/testdata/8851-bound.xml", reading(parseProfile, profileConfig), "", "check-sync", "reboot", true},
		{Htek, "htek/testdata/uc926-bound.xml", reading(parseHanlong, hanlongConfig), home, "resync", both, false},
		{SangomaP, "sangomap/testdata/p325-bound.xml", digium, "", "", "check-sync", false},
	} {
		t.Run(string(c.brand)+" "+filepath.Base(c.file), func(t *testing.T) {
			body, err := os.ReadFile(goldens + c.file)
			if err != nil {
				t.Fatal(err)
			}
			got := c.read(t, body)
			a, ok := got.first()
			if !ok || a.user != "1001" || a.host != "acme.test" || a.proxy != "192.0.2.5" || a.proxyPort != 5060 || len(a.auth) != 12 {
				t.Errorf("account %+v", a)
			}
			if a.password.Reveal() != "sessionpassword23456" || a.expires < 60 {
				t.Errorf("password %q, expires %d", a.password.Reveal(), a.expires)
			}
			var watched []string
			for _, k := range got.keys {
				watched = append(watched, k.uri)
			}
			if d := cmp.Diff([]string{"sip:1002@acme.test", "sip:1003@acme.test"}, watched); d != "" {
				t.Error(d)
			}
			if c.url != "" && got.prov.url != c.url || got.prov.url == "" || (got.realm != "") != c.challenges {
				t.Errorf("comes again at %q, challenges with %q", got.prov.url, got.realm)
			}
			c.obeys(t, got)
		})
	}
}

func (c golden) obeys(t *testing.T, got *config) {
	p := &Phone{rule: got.reboot}
	p.habits, _ = habitsOf(c.brand)
	if c.reload != "" && p.meaning(c.reload) != reload {
		t.Errorf("%s does not reload it", c.reload)
	}
	if c.restart != "" && p.meaning(c.restart) != reboot {
		t.Errorf("%s does not restart it", c.restart)
	}
	if p.meaning("talk") != nothing {
		t.Error("takes any event")
	}
}

// TestHabits: every brand that is listed can be made, and says who it is.
func TestHabits(t *testing.T) {
	for _, b := range Brands() {
		p, err := New(Options{MAC: directory.MAC{0, 1, 2, 3, 4, 5}, Brand: b, BaseURL: "http://127.0.0.1/"})
		if err != nil {
			t.Fatal(err)
		}
		if p.habits.httpAgent(&p.opt) == "" || p.sipAgent() == "" || p.habits.load == nil || DefaultDelays(b, 1).Reboot.Max == 0 {
			t.Errorf("%s is not whole", b)
		}
	}
	if Imitated("nobody") {
		t.Error("imitates nobody")
	}
}

func TestGrandstreamRefusesAnothersFile(t *testing.T) {
	body, err := os.ReadFile(goldens + "grandstream/testdata/grp2614-bound.xml")
	if err != nil {
		t.Fatal(err)
	}
	if err := parseGrandstream(body, settings{}, "c074ad000000"); !errors.Is(err, errWrongPhone) {
		t.Errorf("%v", err)
	}
}

func FuzzFiles(f *testing.F) {
	for _, seed := range []string{ // small ones: the fuzzer shortens what it finds
		`<gs_provision><mac>c074ad0b63ee</mac><config><item name="account.1.sip.userid">1</item><P323>1</P323><P303>1002</P303></config></gs_provision>`,
		`<VOIP_CONFIG_FILE><A><B><Function_Key_Entry><ID>Fkey2</ID><Value>1002@1/bc</Value></Function_Key_Entry></B></A></VOIP_CONFIG_FILE>`,
		`<flat-profile><Line_Enable_1_>Yes</Line_Enable_1_><Extended_Function_2_>fnc=blf+sd;sub=1@a</Extended_Function_2_></flat-profile>`,
		`<hl_provision><config><P1 para="LineKey2.Type">3</P1></config></hl_provision>`,
		`<phonebooks><contacts><contact subscribe_to="sip:1@a"/></contacts></phonebooks>`,
		"sip line1 user name: 1\nprgkey1 type: blf\nprgkey1 value: \"1#\"\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range []struct {
			read func([]byte, settings) error
			make func(settings) *config
		}{
			{anyGrandstream, grandstreamConfig},
			{parsePoly, polyConfig},
			{parseMitel, mitelConfig},
			{parseFanvil, fanvilConfig},
			{parseProfile, profileConfig},
			{parseHanlong, hanlongConfig},
		} {
			s := settings{}
			if c.read(body, s) != nil {
				continue
			}
			for _, k := range c.make(s).keys {
				if k.uri == "" || k.Index <= 0 {
					t.Fatalf("a key without a place or a target: %+v", k)
				}
			}
		}
		if c, _, err := parseDigium(body); err == nil {
			_, _ = digiumKeys(body, c.accounts)
		}
	})
}
