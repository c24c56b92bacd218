package directory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const withTemplates = `tenants:
  - code: acme
    domains: [acme.test]
    variables: {logo: "http://acme.test/logo.png", empty: ""}
    default_templates: {yealink: plain}
    sites: [{code: hq, variables: {logo: hq}}]
    extensions:
      - {number: "1001", template: senior, variables: {ring: "5"}, keys: [{type: blf, value: "1002", priority: 1}, {type: logout}], policy: {login_key: false}}
    devices:
      - {mac: 001565aabb01, template: plain, variables: {ring: "6"}}
    templates:
      - brand: yealink
        file: device.cfg
        block: extra
        text: |
          a = {{.Vars.logo}}
          b = "x"	# tab
      - {name: senior, brand: yealink, model: "T4*", block: keys, text: ""}
      - {name: plain, variables: {ring: "1"}}
      - {site: hq, extension: "1001", device: "00:15:65:AA:BB:01", brand: snom, file: settings.xml, text: "<x/>\r\n"}
`

func TestTemplates(t *testing.T) {
	f := parse(t, withTemplates)
	got := f.Tenants[0]
	want := []Template{
		{Brand: "yealink", File: "device.cfg", Block: "extra", Text: "a = {{.Vars.logo}}\nb = \"x\"\t# tab\n"},
		{Name: "senior", Brand: "yealink", Model: "T4*", Block: "keys"},
		{Name: "plain", Variables: map[string]string{"ring": "1"}},
		{Site: "hq", Extension: "1001", Device: "001565aabb01", Brand: "snom", File: "settings.xml", Text: "<x/>\n"},
	}
	if d := cmp.Diff(want, got.Templates); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got.DefaultTemplates["yealink"] != "plain" || got.Variables["logo"] == "" || got.Sites[0].Variables["logo"] != "hq" {
		t.Errorf("%+v", got)
	}
	e := f.Extensions[0]
	if e.Variables["ring"] != "5" || e.Keys[0].Rank() != 1 || e.Keys[1].Rank() != 5 || *e.Policy.LoginKey {
		t.Errorf("%+v", e)
	}
	roundTrip(t, f)
	stored := merge(t, State{}, f, mergeOptions())
	next := merge(t, stored, parse(t, strings.Replace(withTemplates, "b = ", "c = ", 1)), mergeOptions())
	lines := Diff(stored, next, true).Lines()
	if len(lines) != 1 || !strings.HasPrefix(lines[0], `~ tenant acme templates[0] "brand yealink file device.cfg block extra `) {
		t.Errorf("%q", lines)
	}
}

func TestTemplateFaults(t *testing.T) {
	check := func(e Template) (int, string) {
		if i := strings.Index(e.Text, "BAD"); i >= 0 {
			return 1 + strings.Count(e.Text[:i], "\n"), "is bad"
		}
		if e.Text == "WHOLE" {
			return 0, "is bad"
		}
		return 0, ""
	}
	tests := []struct{ name, entry, want string }{
		{"no text", `{brand: yealink, file: device.cfg}`, "f.yaml:5: tenants[0].templates[0]: has no text"},
		{"no file", `{brand: yealink, text: x}`, "f.yaml:5: tenants[0].templates[0]: has a text but neither file nor block"},
		{"nothing", `{brand: yealink}`, "f.yaml:5: tenants[0].templates[0]: does nothing"},
		{"no brand", `{file: device.cfg, text: x}`, "f.yaml:5: tenants[0].templates[0]: names a file but no brand"},
		{"path", `{brand: yealink, file: ../device.cfg, text: x}`, "f.yaml:5: tenants[0].templates[0].file: must be the name of a file"},
		{"model", `{brand: yealink, model: "*4", block: a, text: x}`, "f.yaml:5: tenants[0].templates[0].model: must be a model"},
		{"site", `{site: none, block: a, text: x}`, "f.yaml:5: tenants[0].templates[0].site: site none is not one"},
		{"device", `{device: zz, block: a, text: x}`, "f.yaml:5: tenants[0].templates[0].device: "},
		{"unknown", `{block: a, text: x, weight: 3}`, "f.yaml:5: tenants[0].templates[0].weight: unknown key"},
		{"control", `{block: a, text: "x\x00"}`, "f.yaml:5: tenants[0].templates[0].text: contains a control character"},
		{"variable", `{variables: {"a b": x}}`, "f.yaml:5: tenants[0].templates[0].variables.a b: a variable's name is"},
		{"long", `{block: a, text: "` + strings.Repeat("x", 33<<10) + `"}`, "f.yaml:5: tenants[0].templates[0].text: is longer than 32768 bytes"},
		{"checked", "{block: a, text: \"x\\nBAD\"}", "f.yaml:5: tenants[0].templates[0].text: line 2 of the text: is bad"},
		{"checked whole", "{block: a, text: WHOLE}", "f.yaml:5: tenants[0].templates[0].text: is bad"},
		{"checked block", "block: a\n        text: |\n          one\n          BAD", "f.yaml:8: tenants[0].templates[0].text: line 2 of the text: is bad"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			text := "tenants:\n  - code: a\n    domains: [a.test]\n    templates:\n      - " + tc.entry + "\n"
			_, faults := ParseFile("f.yaml", strings.NewReader(text), ParseOptions{Keeper: newKeeper(), Template: check})
			if len(faults) != 1 || !strings.HasPrefix(faults[0].String(), tc.want) {
				t.Errorf("faults %v, want %s", faults, tc.want)
			}
		})
	}
	_, faults := ParseFile("f.yaml", strings.NewReader("tenants:\n  - {code: a, domains: [a.test], default_templates: {yealink: none}}\n"), ParseOptions{Keeper: newKeeper()})
	if len(faults) != 1 || !strings.Contains(faults[0].String(), "there is no template none for yealink") {
		t.Errorf("%v", faults)
	}
}
