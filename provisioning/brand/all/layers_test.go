package all

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// models are one of each class that has a file of its own.
func models() []string {
	return []string{"", "T46U", "D785", "GRP2614", "GXP1628", "VVX450", "X3", "X7C", "X4U", "8841", "UC926"}
}

// own tells that a model is one of the brand's, or makes another file of it.
func own(b brand.Brand, model string) bool {
	d := desks()[0]
	before, _ := b.Render(d, file(d)) // each brand's tests look for errors
	d.Model = model
	after, _ := b.Render(d, file(d))
	return !bytes.Equal(before.Body, after.Body)
}

func desks() []brand.Desk {
	idle := brand.Desk{
		MAC: directory.MAC{0, 0x15, 0x65, 1, 2, 3}, Label: "Berlin <3> & \"x\"", Domain: "acme.test",
		Account:      brand.Account{User: "001565010203", AuthUser: "001565010203", Password: "pass<&>word"},
		Server:       brand.Server{Host: "192.0.2.1", Port: 5060, Transport: brand.TLS, Expires: 300},
		FeatureCodes: directory.DefaultFeatureCodes(), EmergencyNumbers: []string{"112", "110"}, DoorKey: true,
		ScreenURL:    "https://192.0.2.1/app/token/001565010203/",
		Provisioning: brand.Provisioning{URL: "https://192.0.2.1/acme/", User: "001565010203", Password: "p"},
	}
	bound := idle
	bound.Bound, bound.TimeZone, bound.NTPServer, bound.Language, bound.AdminPassword = true, "Europe/Berlin", "192.0.2.2", "de", "1234"
	bound.Account.User, bound.Account.DisplayName = "1001", "Ada \"<&>' \u2028 \u202e Lovelace %NULL%"
	for i := range 60 {
		bound.Keys = append(bound.Keys, directory.Key{Type: []string{"blf", "speeddial", "dtmf", "park"}[i%4], Value: "10" + string(rune('0'+i/10)) + string(rune('0'+i%10)), Label: "K <" + string(rune('a'+i%26))})
	}
	return []brand.Desk{idle, bound}
}

func file(d brand.Desk) brand.File {
	return brand.File{Kind: brand.Device, Name: d.MAC.String() + ".cfg", MAC: d.MAC}
}

// each runs f for every brand, model and desk.
func each(t *testing.T, f func(t *testing.T, b brand.Brand, d brand.Desk)) {
	t.Helper()
	for _, b := range Brands() {
		if !b.HasTemplates() {
			continue
		}
		for _, m := range models() {
			for _, d := range desks() {
				d.Model = m
				if m != "" && !own(b, m) {
					continue
				}
				state := "idle"
				if d.Bound {
					state = "bound"
				}
				t.Run(string(b.Name)+"/"+m+"/"+state, func(t *testing.T) { f(t, b, d) })
			}
		}
	}
}

// The built-in file on plain data, as it runs under an admin's overrides, is
// the built-in file, and explain says so of each line.
func TestLayersOfNothingChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, b brand.Brand, d brand.Desk) {
		want, err := b.Render(d, file(d))
		if err != nil {
			t.Fatal(err)
		}
		d.Custom = &brand.Custom{Explain: true}
		got, report, err := b.Write(d, file(d))
		if err != nil || len(report.Faults) > 0 {
			t.Fatal(err, report.Faults)
		}
		if !bytes.Equal(got.Body, want.Body) {
			t.Errorf("the file differs:\n%s\n%s", got.Body, want.Body)
		}
		if len(got.Keys) != len(want.Keys) {
			t.Errorf("%d keys to wait for, not %d", len(got.Keys), len(want.Keys))
		}
		var text strings.Builder
		for _, l := range report.Lines {
			if l.Layer != brand.LayerBuiltIn {
				t.Errorf("%q comes from %s", l.Text, l.Layer)
			}
			text.WriteString(l.Text + "\n")
		}
		if strings.TrimRight(text.String(), "\n") != strings.TrimRight(string(want.Body), "\r\n") {
			t.Error("the lines are not the file")
		}
	})
}

// hostile is a variable that would be anything but a value.
const hostile = "a\nb: c\r\nd = e\u2028<x>&\"']]>{{.Account}}%NULL%\u202e\x00"

// Every block of every brand's file can be emptied, and filled with a hostile
// variable, without breaking what stands around it.
func TestEveryBlockCanBeOverridden(t *testing.T) {
	each(t, func(t *testing.T, b brand.Brand, d brand.Desk) {
		files, err := b.Files()
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		plain, err := b.Render(d, file(d))
		if err != nil {
			t.Fatal(err)
		}
		isXML := strings.Contains(plain.ContentType, "xml")
		inside := "perch.own = {{.Vars.v}}"
		if isXML {
			inside = "<!-- mine --><Perch_Own a=\"{{.Vars.v}}\">{{.Vars.v}}</Perch_Own>"
		}
		used := 0
		for name, blocks := range files {
			for _, block := range blocks {
				for _, text := range []string{"", inside, "{{template \"parent\" .}}\n" + inside} {
					d.Custom = &brand.Custom{
						Explain: true, Vars: map[string]brand.Variable{"v": {Value: hostile, Source: "tenant"}},
						Overrides: []brand.Override{{Layer: brand.LayerTenant, Source: "here", File: name, Block: block, Text: text}},
					}
					out, report, err := b.Write(d, file(d))
					if err != nil || len(report.Faults) > 0 {
						t.Fatalf("%s %s %q: %v %v", name, block, text, err, report.Faults)
					}
					if report.Template != name {
						continue
					}
					used++
					if isXML {
						wellFormed(t, out.Body)
					}
					if text != "" && strings.Count(string(out.Body), "{{.Account}}") < 1 {
						t.Errorf("%s %s: the override is not in the file", name, block)
					}
					checkOwn(t, report, text)
				}
			}
		}
		if used == 0 {
			t.Error("no override was used: the view of the template has no Desk in it")
		}
	})
}

func checkOwn(t *testing.T, report brand.Report, text string) {
	t.Helper()
	own := 0
	for _, l := range report.Lines {
		if l.Layer == brand.LayerTenant {
			own++
			if len(l.Vars) != 1 || l.Vars[0] != "v (tenant)" {
				t.Errorf("line %q: variables %q", l.Text, l.Vars)
			}
		}
	}
	if want := min(len(text), 1); own != want {
		t.Errorf("%q: %d lines of the override, want %d: a value ended its line", text, own, want)
	}
}

func wellFormed(t *testing.T, body []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
	}
}

// Lint takes a harmless override of every block, and names what is wrong.
func TestLint(t *testing.T) {
	for _, b := range Brands() {
		files, err := b.Files()
		if err != nil {
			t.Fatal(err)
		}
		for name, blocks := range files {
			for _, block := range blocks {
				o := brand.Override{Source: "here", File: name, Block: block, Text: "{{template \"parent\" .}}"}
				if faults := Brands().Lint(string(b.Name), "", o); len(faults) > 0 {
					t.Errorf("%s %s %s: %v", b.Name, name, block, faults)
				}
			}
		}
	}
	tests := []struct {
		name, brand, file, block, text string
		line                           int
		want                           string
	}{
		{"brand", "nokia", "device.cfg", "extra", "", 0, "no templates for brand"},
		{"file", "yealink", "none.cfg", "extra", "", 0, "no such file or block: device.cfg of yealink has"},
		{"block", "yealink", "device.cfg", "none", "", 0, "no such file or block"},
		{"boot file", "yealink", "device.boot", "", "", 0, "no such file or block"},
		{"syntax", "yealink", "device.cfg", "extra", "a = 1\nb = {{if}}\n", 2, "missing value for if"},
		{"leading lines", "yealink", "device.cfg", "extra", "\n\na = 1\nb = {{.Nothing}}\n", 4, `no entry for key "Nothing"`},
		{"unclosed", "yealink", "device.cfg", "extra", "a\n{{range .Spare}}\n", 2, "unexpected EOF"},
		{"function", "yealink", "device.cfg", "extra", "x\n{{call .Screen}}", 2, `no function "call"`},
		{"escape by hand", "yealink", "device.cfg", "extra", "{{_perch_at 1}}", 1, `no function "_perch_at"`},
		{"environment", "yealink", "device.cfg", "extra", `{{env "HOME"}}`, 1, `no function "env"`},
		{"method", "yealink", "device.cfg", "extra", "{{.MAC.String}}", 1, "can't evaluate field String"},
		{"define", "yealink", "device.cfg", "extra", `{{define "account"}}x{{end}}`, 0, "cannot define others"},
		{"endless", "yealink", "device.cfg", "extra", "a\n{{range 1000000000}}{{end}}", 2, "more than 20000 rounds|takes longer than 1s"}, // the first on any but a busy machine
		{"large", "yealink", "device.cfg", "extra", "{{range 15000}}" + strings.Repeat("x", 100) + "{{end}}", 0, "more than 1048576 bytes"},
		{"value", "yealink", "device.cfg", "extra", "a\n{{$x := \"0123456789abcdef\"}}{{range 60}}{{$x = print $x $x}}{{end}}", 2, "longer than 16384 bytes"},
		{"width", "yealink", "device.cfg", "extra", `{{printf "%999999d" 1}}`, 1, "width above 99"},
		{"itself", "yealink", "device.cfg", "extra", `{{template "extra" .}}`, 0, "includes itself"},
		{"through another", "yealink", "device.cfg", "", `{{define "keys"}}{{template "time" .}}{{end}}{{define "time"}}{{template "keys" .}}{{end}}{{template "keys" .}}`, 0, "includes itself"},
		{"XML", "snom", "settings.xml", "extra", "<a>", 0, "no longer well-formed"},
		{"long", "snom", "settings.xml", "extra", strings.Repeat("x", brand.MaxTemplate+1), 0, "longer than"},
		{"UTF-8", "snom", "settings.xml", "extra", "a\xffb", 0, "not UTF-8"},
		{"deep", "yealink", "device.cfg", "extra", strings.Repeat("{{if 1}}", 150) + strings.Repeat("{{end}}", 150), 1, "deeper than"},
		{"brackets", "yealink", "device.cfg", "extra", "{{" + strings.Repeat("(", 10000) + "1" + strings.Repeat(")", 10000) + "}}", 1, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			faults := Brands().Lint(tc.brand, "", brand.Override{Source: "here", File: tc.file, Block: tc.block, Text: tc.text})
			if len(faults) == 0 {
				t.Fatal("no fault")
			}
			said := slices.ContainsFunc(strings.Split(tc.want, "|"), func(w string) bool { return strings.Contains(faults[0].Message, w) })
			if f := faults[0]; f.Line != tc.line || !said || f.Source != "here" {
				t.Errorf("line %d: %s", f.Line, f.Message)
			}
		})
	}
}

// A broken override is left out alone; the phone gets everything else.
func TestBrokenOverrideIsLeftOut(t *testing.T) {
	d := desks()[1]
	b, _ := Brands().Find("yealink")
	o := func(layer, block, text string) brand.Override {
		return brand.Override{Layer: layer, Source: layer + " entry", File: "device.cfg", Block: block, Text: text}
	}
	d.Custom = &brand.Custom{Explain: true, Overrides: []brand.Override{
		o(brand.LayerTenant, "extra", "good = 1"), o(brand.LayerSite, "extra", "{{template \"parent\" .}}\nx = {{.Vars.missing}}"),
		o(brand.LayerDevice, "time", "time = {{upper .Label}}"),
	}}
	out, report, err := b.Write(d, file(d))
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Faults) != 1 || report.Faults[0].Source != "site entry" || report.Faults[0].Line != 2 {
		t.Errorf("faults %+v", report.Faults)
	}
	for _, want := range []string{"\ngood = 1\n", "\ntime = BERLIN <3> & \"X\"\n", "account.1.user_name = 1001\n"} {
		if !bytes.Contains(out.Body, []byte(want)) {
			t.Errorf("no %q in\n%s", want, out.Body)
		}
	}
	again, _, err := b.Write(d, file(d))
	if err != nil || !bytes.Equal(again.Body, out.Body) {
		t.Error("a second rendering differs", err)
	}
}

// Whoever overrides the keys is not waited for.
func TestOwnKeysAreNotWaitedFor(t *testing.T) {
	d := desks()[1]
	d.Model = "T46U"
	b, _ := Brands().Find("yealink")
	d.Custom = &brand.Custom{Overrides: []brand.Override{{Source: "x", File: "device.cfg", Block: "keys", Text: "linekey.1.type = 15"}}}
	out, _, err := b.Write(d, file(d))
	if err != nil || len(out.Keys) != 0 || len(out.Optional) == 0 {
		t.Errorf("%d keys, %d optional, %v", len(out.Keys), len(out.Optional), err)
	}
}

// No text of an admin makes a rendering fail, and no variable ends its line.
func FuzzOverride(f *testing.F) {
	f.Add("a = {{.Vars.v}}", "x", "extra")
	f.Add("{{range .Slots}}{{.Name}}{{end}}", hostile, "keys")
	f.Add("{{define \"a\"}}{{template \"parent\" .}}{{end}}{{template \"a\" .}}", "", "")
	f.Add("{{with $x := .Account}}{{printf \"%-9s\" $x.Password.Reveal}}{{else}}{{end}}", "", "account")
	brands := Brands()
	b, _ := brands.Find("yealink")
	d := desks()[0]
	want, err := b.Render(d, file(d))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, value, block string) {
		d := d
		d.Custom = &brand.Custom{
			Explain: true, Vars: map[string]brand.Variable{"v": {Value: value}},
			Overrides: []brand.Override{{Source: "x", File: "device.cfg", Block: block, Text: text}},
		}
		out, report, err := b.Write(d, file(d))
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Faults) > 0 && !bytes.Equal(out.Body, want.Body) {
			t.Error("a broken override changed the file")
		}
		brands.Lint("yealink", "", d.Custom.Overrides[0])
	})
}

func BenchmarkOverridden(b *testing.B) {
	y, _ := Brands().Find("yealink")
	d := desks()[1]
	d.Model = "T46U"
	d.Custom = &brand.Custom{Overrides: []brand.Override{{Source: "x", File: "device.cfg", Block: "extra", Text: "a = {{.Screen}}"}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := y.Write(d, file(d)); err != nil {
			b.Fatal(err)
		}
	}
}
