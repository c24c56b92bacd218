package desk

import (
	"slices"
	"strings"
	"testing"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/yealink"
)

// full is a desk at which every layer says something.
func full() Records {
	r := records()
	r.Device.Brand, r.Device.Model = "yealink", "T46U"
	block := func(e directory.Template, n string) directory.Template {
		e.Block, e.Text, e.Variables = "extra", n+" = {{.Vars.v}}", map[string]string{"v": n, n: n}
		return e
	}
	r.Tenant.Variables = map[string]string{"v": "tenant record", "t": "1"}
	r.Tenant.Sites[0].Variables = map[string]string{"v": "site record"}
	r.Extension.Variables = map[string]string{"e": "1"}
	r.Device.Variables = map[string]string{"d": "1"}
	r.Extension.Template = "senior"
	r.Tenant.Templates = []directory.Template{ // in disorder
		block(directory.Template{Device: "001565aabb01"}, "device"),
		block(directory.Template{Extension: "1001"}, "extension"),
		block(directory.Template{Name: "senior"}, "named"),
		block(directory.Template{Site: "berlin"}, "site"),
		block(directory.Template{}, "tenant"),
		block(directory.Template{Brand: "yealink", Model: "t4*"}, "model"),
		block(directory.Template{Brand: "yealink"}, "brand"),
		block(directory.Template{Brand: "snom"}, "another brand"),
		block(directory.Template{Model: "T5*"}, "another model"),
		block(directory.Template{Site: "hamburg"}, "another site"),
		block(directory.Template{Name: "junior"}, "another name"),
		block(directory.Template{Extension: "1002"}, "another extension"),
		block(directory.Template{Device: "001565aabb02"}, "another device"),
		block(directory.Template{Site: "berlin", Brand: "snom"}, "another brand of the site"),
	}
	return r
}

func sources(r Records) string {
	var out []string
	for _, o := range custom(r).Overrides {
		name, _, _ := strings.Cut(o.Text, " ")
		out = append(out, o.Layer+":"+name)
	}
	return strings.Join(out, " ")
}

func TestLayersInOrder(t *testing.T) {
	r := full()
	if got := sources(r); got != "brand:brand model:model tenant:tenant site:site template:named extension:extension device:device" {
		t.Errorf("overrides %s", got)
	}
	c := custom(r)
	for name, want := range map[string]string{
		"v": "device tenant acme templates[0]", "t": "1 tenant acme", "e": "1 extension 1001", "d": "1 device 001565aabb01", "brand": "brand tenant acme templates[6]",
	} {
		if v := c.Vars[name]; v.Value+" "+v.Source != want {
			t.Errorf("%s: %+v, want %s", name, v, want)
		}
	}
	if c.Template != "senior" || c.Site != "berlin" || c.Tenant != "acme" || c.Brand != brand.Yealink {
		t.Errorf("%+v", c)
	}
}

// The order of the constants is that of brand.Layers.
func TestLayersHaveTheirPlaces(t *testing.T) {
	for at, name := range map[int]string{
		atBrand: brand.LayerBrand, atModel: brand.LayerModel, atTenant: brand.LayerTenant, atSite: brand.LayerSite,
		atNamed: brand.LayerNamed, atExtension: brand.LayerExtension, atDevice: brand.LayerDevice,
	} {
		if slices.Index(brand.Layers(), name) != at {
			t.Errorf("%s is not at %d", name, at)
		}
	}
	if len(brand.Layers()) != layers {
		t.Error("a layer is missing")
	}
}

func TestChosenTemplate(t *testing.T) {
	tests := []struct {
		name, extension, device string
		defaults                map[string]string
		want                    string
	}{
		{"none", "", "", nil, ""},
		{"brand's", "", "", map[string]string{"yealink": "plain", "snom": "other"}, "plain"},
		{"device's", "", "lobby", map[string]string{"yealink": "plain"}, "lobby"},
		{"person's, whatever the phone", "senior", "lobby", map[string]string{"yealink": "plain"}, "senior"},
	}
	for _, tc := range tests {
		r := full()
		r.Extension.Template, r.Device.Template, r.Tenant.DefaultTemplates = tc.extension, tc.device, tc.defaults
		if got := custom(r).Template; got != tc.want {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
	alias := directory.Tenant{DefaultTemplates: map[string]string{"polycom": "x"}}
	if got := ByDefault(alias, brand.Poly); got != "x" {
		t.Errorf("by another name of the brand: %q", got)
	}
}

// An idle desk has nothing of the person who sat there.
func TestIdleDeskHasNothingOfAPerson(t *testing.T) {
	r := full()
	r.Seats = hotdesk.Seats{}
	d, _, err := Of(r, Place{}, secrets{}, now)
	if err != nil {
		t.Fatal(err)
	}
	if d.Custom.Template != "" || d.Custom.Vars["e"].Value != "" || len(d.Custom.Overrides) != 5 {
		t.Errorf("%+v", d.Custom)
	}
}

func TestLoginKeyFollowsThePolicy(t *testing.T) {
	no := false
	r := records()
	if d, _, _ := Of(r, Place{}, secrets{}, now); !d.DoorKey {
		t.Error("off by itself")
	}
	r.Extension.Policy.LoginKey = &no
	if d, _, _ := Of(r, Place{}, secrets{}, now); d.DoorKey {
		t.Error("on against the extension's policy")
	}
	r.Seats = hotdesk.Seats{}
	if d, _, _ := Of(r, Place{}, secrets{}, now); !d.DoorKey {
		t.Error("a person's policy at an idle desk")
	}
}

// The strongest override is what the phone gets.
func TestTheStrongestWins(t *testing.T) {
	r := full()
	d, _, err := Of(r, Place{Server: brand.Server{Host: "perch.test", Port: 5060}}, secrets{}, now)
	if err != nil {
		t.Fatal(err)
	}
	b := yealink.Brand()
	out, report, err := b.Write(d, brand.File{Kind: brand.Device, MAC: d.MAC})
	if err != nil || len(report.Faults) > 0 {
		t.Fatal(err, report.Faults)
	}
	if body := string(out.Body); !strings.Contains(body, "\ndevice = device\n") || strings.Contains(body, "\nextension = ") {
		t.Errorf("%s", body)
	}
}

func TestCheck(t *testing.T) {
	check := Check(brand.List{yealink.Brand()})
	if line, message := check(directory.Template{Brand: "yealink", File: "device.cfg", Block: "extra", Text: "a\n{{.Nothing}}"}); line != 2 || message == "" {
		t.Errorf("%d %s", line, message)
	}
	if _, message := check(directory.Template{Brand: "yealink", File: "device.cfg", Block: "extra", Text: "a = {{.Vars.any}}"}); message != "" {
		t.Error(message)
	}
}
