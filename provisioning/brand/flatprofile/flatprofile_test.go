package flatprofile

import (
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x00, 0x02, 0xfd, 0xff, 0x21, 0x03}

func TestFunction(t *testing.T) {
	d := brandtest.Idle(mac, "")
	blf := brand.Slot{Used: true, Target: "1002", Key: directory.Key{Type: brand.KeyBLF, Value: "sip:1002@acme.test", Label: "Grace;fnc=sd|$MA"}}
	for _, c := range []struct {
		slot brand.Slot
		line int
		want string
	}{
		{blf, 0, "fnc=blf+sd+cp;sub=1002@acme.test;nme=Grace fnc sd  MA"},
		{blf, 1, "fnc=blf+sd+cp;sub=1002@acme.test;ext=1002@acme.test;vid=1;nme=Grace fnc sd  MA"},
		{brand.Slot{Used: true, Key: directory.Key{Type: brand.KeyPark, Value: "701"}}, 0, "fnc=sd;ext=701@acme.test;nme=701"},
		{brand.Slot{}, 1, ""},
	} {
		if got := Function(d, c.slot, c.line); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestDialPlan(t *testing.T) {
	d := brandtest.Idle(mac, "")
	if got, want := DialPlan(d), "(*11|*11*[0-9*].|*12|*12*[0-9*].|*13|*13*[0-9*].|*14|*14*[0-9*].|*15|*15*[0-9*].|*16|*16*[0-9*].|[0-9*][0-9*].)"; got != want {
		t.Errorf("%s", got)
	}
	d.FeatureCodes = directory.FeatureCodes{Login: "*1|<:9>", Logout: "12", WhoAmI: "*1)x", Reload: "**9"}
	if got := DialPlan(d); got != "(**9|**9*[0-9*].|[0-9*][0-9*].)" {
		t.Errorf("hostile codes: %s", got)
	}
}

func TestZone(t *testing.T) {
	zones := brand.NewZones()
	for name, want := range map[string]Zone{
		"Europe/Berlin":    {true, "GMT+01:00", "start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1:0:0"},
		"America/New_York": {true, "GMT-05:00", "start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1:0:0"},
		"Asia/Kolkata":     {true, "GMT+05:30", ""},
		"Europe/Atlantis":  {},
	} {
		if got := ZoneFor(zones, name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRule(t *testing.T) {
	d := brandtest.Idle(mac, "")
	for _, c := range []struct {
		url    string
		secret directory.Secret
		want   string
	}{
		{"http://192.0.2.5/acme/", "dev-s3cret", "[--uid 0002fdff2103 --pwd dev-s3cret]http://192.0.2.5/acme/0002fdff2103.xml"},
		{"http://192.0.2.5/t/x/", "", "http://192.0.2.5/t/x/0002fdff2103.xml"},
		{"http://192.0.2.5/", "a b]--key x", "http://192.0.2.5/0002fdff2103.xml"},
		{"http://x/$MA (y)|z\n", "", "http://x/%24MA%20%28y%29%7Cz%0A0002fdff2103.xml"},
	} {
		d.Provisioning.URL, d.Provisioning.Password = c.url, c.secret
		if got := Rule(d); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// However a key, a rule or a dial plan is filled, it has the fields it should.
func FuzzFields(f *testing.F) {
	for _, s := range brandtest.Hostile() {
		f.Add(s[:min(len(s), 100)])
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := brandtest.Poison(brandtest.Bound(mac, ""), s)
		slots, _ := brand.Place(d, brand.Layout{Keys: 9}, Known)
		for _, slot := range slots {
			if v := Function(d, slot, 1); slot.Used && (strings.Count(v, "fnc=") != 1 || strings.Count(v, ";") > 4 || strings.ContainsAny(v, "$|")) {
				t.Fatalf("%q", v)
			}
		}
		if rule := Rule(d); strings.Count(rule, "[") > 1 || strings.ContainsAny(strings.TrimPrefix(rule, "["), " |$\n") && !strings.HasPrefix(rule, "[--uid ") {
			t.Fatalf("%q", rule)
		}
	})
}
