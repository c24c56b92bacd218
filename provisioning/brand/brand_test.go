package brand

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"perch/hotdesk/directory"

	"pgregory.net/rapid"
)

func TestMACOf(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"001565aabb01.cfg", "001565aabb01"},
		{"001565AABB01.cfg", "001565aabb01"},
		{"cfg001565aabb01.xml", "001565aabb01"},
		{"SEP001565AABB01.cnf.xml", "001565aabb01"},
		{"ATA001565AABB01.cnf.xml", "001565aabb01"},
		{"snomD785-000413922D24.htm", "000413922d24"},
		{"00-15-65-aa-bb-01.cfg", "001565aabb01"},
		{"00:15:65:AA:BB:01.cfg", "001565aabb01"},
		{"001565aabb01-local.cfg", "001565aabb01"},
		{"001565aabb01-calls.xml", "001565aabb01"},
		{"000000000000.cfg", ""},
		{"000000000000-directory.xml", ""},
		{"ffffffffffff.cfg", ""},
		{"y000000000028.cfg", ""},
		{"snomD785.htm", ""},
		{"0123456789abcdef", ""},
		{"001565aabb0.cfg", ""},
		{"001565aabb012.cfg", ""},
		{"00-15:65-aa-bb-01.cfg", ""},
		{"", ""},
	} {
		got := ""
		if m, ok := MACOf(c.name); ok {
			got = m.String()
		}
		if got != c.want {
			t.Errorf("MACOf(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestBase(t *testing.T) {
	for path, want := range map[string]string{
		"/acme/001565AABB01.cfg": "001565aabb01.cfg", "snomD785.htm?mac=000413922D24": "snomd785.htm",
		`..\..\etc\passwd`: "passwd", "/": "", "": "", "/a/b/c/": "",
	} {
		if got := Base(path); got != want {
			t.Errorf("Base(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestParseName(t *testing.T) {
	for in, want := range map[string]Name{
		"Yealink": Yealink, " snom ": Snom, "polycom": Poly, "Aastra": Mitel, "linksys": CiscoSPA, "cisco": CiscoSEP,
	} {
		if got, ok := ParseName(in); !ok || got != want {
			t.Errorf("ParseName(%q) = %q, %v", in, got, ok)
		}
	}
	if _, ok := ParseName("acme phones"); ok {
		t.Error("an unknown brand was accepted")
	}
}

func TestFindKnowsBrandsWithoutTemplates(t *testing.T) {
	b, ok := List{}.Find("polycom")
	if !ok || b.Name != Poly || b.HasTemplates() {
		t.Errorf("Find = %v, %v", b.Name, ok)
	}
}

func TestEscape(t *testing.T) {
	for _, c := range []struct{ in, ini, xml string }{
		{"Ada", "Ada", "Ada"},
		{"", "%NULL%", ""},
		{"a\r\nb", "a  b", "a  b"},
		{"a\u0085b\u2028c\u2029d", "a b c d", "a b c d"},
		{"a\x00b\tc\x7fd", "a b c d", "a b c d"},
		{"  x ", "x", "  x "},
		{"%null%", "NULL", "%null%"},
		{"\n%NULL%\n", "NULL", " %NULL% "},
		{"\n", "%NULL%", " "},
		{`<a b="c">'&]]>`, `<a b="c">'&]]>`, "&lt;a b=&quot;c&quot;&gt;&apos;&amp;]]&gt;"},
		{"{{.X}}", "{{.X}}", "{{.X}}"},
		{"עברית \U0001F468\u200d\U0001F467", "עברית \U0001F468\u200d\U0001F467", "עברית \U0001F468\u200d\U0001F467"},
		{"a\u202eb", "a b", "a b"},
		{"a\xffb\xc0\xafc", "a\ufffdb\ufffd\ufffdc", "a\ufffdb\ufffd\ufffdc"},
		{"a\ufffeb", "a b", "a b"},
		{"#x", "#x", "#x"},
	} {
		if got := INI.Escape(c.in); got != c.ini {
			t.Errorf("INI %q = %q, want %q", c.in, got, c.ini)
		}
		if got := XML.Escape(c.in); got != c.xml {
			t.Errorf("XML %q = %q, want %q", c.in, got, c.xml)
		}
	}
}

func TestEscapeColon(t *testing.T) {
	for in, want := range map[string]string{
		"": "", " ": "", "Ada Lovelace": "Ada Lovelace", "*11": "*11", "a#b": `"a#b"`, `a"b`: `"a'b"`, `"`: `"'"`,
		"a\nb: c": "a b: c", "a\u2028b": "a b", "\u00e4": "\"\u00e4\"", "a\xff": "\"a\ufffd\"", "http://x/y?a=1&b=2": "http://x/y?a=1&b=2",
		"{{.X}} %NULL%": `"{{.X}} %NULL%"`, "!x": `"!x"`, "^x": `"^x"`, "]]>": `"]]>"`, `a\`: `"a\"`,
	} {
		if got := Colon.Escape(in); got != want {
			t.Errorf("%q = %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a\nb", "%NULL%", "\u2028", "]]>", "\xff", " \u0085x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []Format{INI, XML, Colon} {
			got := format.Escape(s)
			if !utf8.ValidString(got) {
				t.Fatalf("%q is not UTF-8", got)
			}
			if strings.ContainsFunc(got, breaks) {
				t.Fatalf("%q holds a control", got)
			}
		}
		if got := INI.Escape(s); got == "" || strings.TrimSpace(got) != got {
			t.Fatalf("INI %q", got)
		}
		if got := Colon.Escape(s); strings.Trim(got, `"`) != got && (len(got) < 3 || strings.Contains(got[1:len(got)-1], `"`)) {
			t.Fatalf("Colon %q", got)
		}
		if got := XML.Escape(s); strings.ContainsAny(got, `<>"'`) {
			t.Fatalf("XML %q", got)
		}
	})
}

// Every action writes escaped, wherever it stands and however it ends.
func TestTemplateEscapesEveryAction(t *testing.T) {
	const text = `{{define "t"}}[{{.}}]{{end}}{{$x := .V}}{{.V}}{{if .V}}{{$x}}{{else}}{{.V}}{{end}}` +
		`{{range .L}}{{.}}{{end}}{{with .V}}{{printf "%s" .}}{{end}}{{template "t" .V}}{{.V | html}}`
	tpl, err := NewTemplate("file", text, XML)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tpl.Execute(map[string]any{"V": "<", "L": []string{"<"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "&lt;&lt;&lt;&lt;[&lt;]&amp;lt;"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTemplateRefusesMissingKey(t *testing.T) {
	tpl, err := NewTemplate("t", "{{.Nothing}}", INI)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Execute(map[string]any{}); err == nil {
		t.Error("a missing key was written as nothing")
	}
}

func TestZones(t *testing.T) {
	zones := NewZones()
	for _, c := range []struct {
		name       string
		offset     string
		start, end Change
	}{
		{"Europe/Berlin", "1h0m0s", Change{3, 5, 7, 2, 0}, Change{10, 5, 7, 3, 0}},
		{"Europe/Dublin", "0s", Change{3, 5, 7, 1, 0}, Change{10, 5, 7, 2, 0}},
		{"America/New_York", "-5h0m0s", Change{3, 2, 7, 2, 0}, Change{11, 1, 7, 2, 0}},
		{"Australia/Sydney", "10h0m0s", Change{10, 1, 7, 2, 0}, Change{4, 1, 7, 3, 0}},
		{"Asia/Kolkata", "5h30m0s", Change{}, Change{}},
		{"Africa/Casablanca", "1h0m0s", Change{}, Change{}},
		{"UTC", "0s", Change{}, Change{}},
	} {
		z, ok := zones.Lookup(c.name)
		if !ok || z.Offset.String() != c.offset || z.Start != c.start || z.End != c.end || z.DST != (c.start != Change{}) {
			t.Errorf("%s = %+v, %v", c.name, z, ok)
		}
	}
	for _, bad := range []string{"", "Local", "Europe/Atlantis", "../../etc/passwd"} {
		if _, ok := zones.Lookup(bad); ok {
			t.Errorf("%q is a zone", bad)
		}
	}
}

func TestPlace(t *testing.T) {
	d := Desk{Domain: "acme.test", Keys: []directory.Key{
		{Type: KeyBLF, Value: "1002"},
		{Type: KeyBLF, Value: "sip:1003@acme.test"},
		{Type: KeyBLF, Value: "1004@other.test"},
		{Type: KeyBLF, Value: "10 05"},
		{Type: KeySpeedDial, Value: "+49 30"},
		{Type: KeySpeedDial, Value: "+4930"},
		{Type: KeyBLF, Value: "1002"},
		{Type: KeyBLF, Value: "1006"},
	}}
	all := func(directory.Key) bool { return true }
	l := Layout{Known: true, Keys: 3, Modules: 1, PerModule: 2}
	slots, r := Place(d, l, all)
	if len(slots) != 4 || slots[0].Index != 2 || slots[2].Module != 1 || slots[2].Index != 1 {
		t.Fatalf("slots %+v", slots)
	}
	if strings.Join(r.Keys, " ") != "1002 1003" || len(r.Optional) != 0 || len(r.Dropped) != 4 {
		t.Errorf("keys %v optional %v dropped %v", r.Keys, r.Optional, r.Dropped)
	}
	l.PerModule = 3
	if _, r = Place(d, l, all); strings.Join(r.Optional, " ") != "1006" {
		t.Errorf("on a module nobody reported: %v", r.Optional)
	}
	d.Modules = Modules{Known: true, Count: 1}
	if _, r = Place(d, l, all); strings.Join(r.Keys, " ") != "1002 1003 1006" {
		t.Errorf("on an attached module: %v", r.Keys)
	}
	l.Known = false
	if _, r = Place(d, l, all); strings.Join(r.Optional, " ") != "1003" {
		t.Errorf("on an unknown model: %v %v", r.Keys, r.Optional)
	}
}

func TestScreen(t *testing.T) {
	d := Desk{Label: "Berlin 3.14", FeatureCodes: directory.DefaultFeatureCodes()}
	if got := d.Screen(); got != "Berlin 3.14 - log in: *11" {
		t.Errorf("idle %q", got)
	}
	d.Bound, d.Account = true, Account{User: "1001", DisplayName: "Ada"}
	if got := d.Screen(); got != "1001 Ada" {
		t.Errorf("bound %q", got)
	}
	d.Account.Label = strings.Repeat("ä", 200)
	if got := d.Screen(); utf8.RuneCountInString(got) != maxScreen {
		t.Errorf("not clipped: %d", utf8.RuneCountInString(got))
	}
}

func FuzzIdentifyMAC(f *testing.F) {
	f.Add("/acme/001565aabb01.cfg?mac=1")
	f.Add("snom?mac=000413922D24&mac=")
	f.Fuzz(func(t *testing.T, path string) {
		p, ok := List{}.Identify(Request{Path: path})
		if ok && p.MAC.IsZero() {
			t.Fatal("identified without an address")
		}
	})
}

// shown writes what stands where: "2:1002 3:- m1.1:1003".
func shown(slots []Slot) string {
	var out []string
	for _, s := range slots {
		at := strconv.Itoa(s.Index)
		if s.Module > 0 {
			at = fmt.Sprintf("m%d.%d", s.Module, s.Index)
		}
		text := "-"
		if s.Used {
			text = s.Text()
		}
		out = append(out, at+":"+text)
	}
	return strings.Join(out, " ")
}

func TestKeysByPriority(t *testing.T) {
	key := func(value string, priority int) directory.Key {
		return directory.Key{Type: KeyBLF, Value: value, Priority: priority}
	}
	l := Layout{Known: true, Keys: 4}
	tests := []struct {
		name    string
		keys    []directory.Key
		door    bool
		bound   bool
		layout  Layout
		want    string
		dropped string
	}{
		{"all fit", []directory.Key{key("1", 0), key("2", 0)}, false, true, l, "2:1 3:2 4:-", ""},
		{"the last goes", []directory.Key{key("1", 0), key("2", 0), key("3", 0), key("4", 0)}, false, true, l, "2:1 3:2 4:3", "4"},
		{"the least important goes, the rest closes up", []directory.Key{key("1", 9), key("2", 0), key("3", 1), key("4", 5)}, false, true, l, "2:2 3:3 4:4", "1"},
		{"what shows nothing takes no place", []directory.Key{key("not a number", 1), key("2", 9)}, false, true, l, "2:2 3:- 4:-", "not a number"},
		{"the door stands last", []directory.Key{key("1", 0)}, true, true, l, "2:1 3:- 4:*12", ""},
		{"the door of an idle desk", nil, true, false, l, "2:- 3:- 4:*11", ""},
		{"the door moves nobody", []directory.Key{key("1", 0), key("2", 0), key("3", 0)}, true, true, l, "2:1 3:2 4:3", "logout"},
		{"the door stays on the phone", []directory.Key{key("1", 0)}, true, true, Layout{Known: true, Keys: 3, Modules: 1, PerModule: 2}, "2:1 3:*12 m1.1:- m1.2:-", ""},
		{"no keys at all", nil, true, false, Layout{Known: true}, "", "login"},
		{"keys of a person to log out", []directory.Key{{Type: KeyLogout}, {Type: KeyLogin, Value: "*99"}}, false, true, l, "2:*12 3:*99 4:-", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			d := Desk{Domain: "acme.test", Keys: tc.keys, DoorKey: tc.door, Bound: tc.bound, FeatureCodes: directory.DefaultFeatureCodes()}
			slots, r := Place(d, tc.layout, func(k directory.Key) bool { return k.Type != KeyLogin && k.Type != KeyLogout })
			if got := shown(slots); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			var dropped []string
			for _, k := range r.Dropped {
				dropped = append(dropped, cmp.Or(k.Value, k.Type))
			}
			if got := strings.Join(dropped, " "); got != tc.dropped {
				t.Errorf("dropped %q, want %q", got, tc.dropped)
			}
		})
	}
}

// With or without the key to log out, every key of a person stands where it
// stood, and none is lost silently.
func TestNoKeyIsLostSilently(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Desk{Domain: "acme.test", FeatureCodes: directory.DefaultFeatureCodes(), Bound: true}
		for range rapid.IntRange(0, 30).Draw(t, "keys") {
			d.Keys = append(d.Keys, directory.Key{
				Type:  rapid.SampledFrom([]string{KeyBLF, KeySpeedDial, KeyURL, KeyLogout, "other"}).Draw(t, "type"),
				Value: rapid.SampledFrom([]string{"1001", "", "x y", "http://a.test/"}).Draw(t, "value"), Priority: rapid.IntRange(0, 9).Draw(t, "priority"),
			})
		}
		l := Layout{Known: rapid.Bool().Draw(t, "known"), Keys: rapid.IntRange(0, 12).Draw(t, "phone"), Modules: rapid.IntRange(0, 2).Draw(t, "modules"), PerModule: 4}
		can := func(k directory.Key) bool { return k.Type != "other" }
		without, r := Place(d, l, can)
		used := 0
		for _, s := range without {
			if s.Used {
				used++
			}
		}
		if used+len(r.Dropped) != len(d.Keys) {
			t.Fatalf("%d keys, %d placed, %d dropped", len(d.Keys), used, len(r.Dropped))
		}
		d.DoorKey = true
		with, r := Place(d, l, can)
		door := 0
		for i, s := range without {
			if s.Used && !reflect.DeepEqual(s, with[i]) {
				t.Fatalf("the key to log out moved %+v", s)
			}
			if !s.Used && with[i].Used {
				door++
			}
		}
		if door+used+len(r.Dropped) != len(d.Keys)+1 {
			t.Fatal("the key to log out was lost silently")
		}
	})
}

func TestAbsentKeys(t *testing.T) {
	d := Desk{Domain: "acme.test", Keys: []directory.Key{{Type: KeyBLF, Value: "1"}, {Type: KeyBLF, Value: "2"}, {Type: KeyBLF, Value: "3"}}}
	l := Layout{Known: true, Keys: 2, Modules: 2, PerModule: 1}
	all := func(directory.Key) bool { return true }
	if _, r := Place(d, l, all); len(r.Absent) != 0 {
		t.Errorf("a phone that said nothing of modules: %v", r.Absent)
	}
	d.Modules = Modules{Known: true, Count: 1}
	if _, r := Place(d, l, all); len(r.Absent) != 1 || r.Absent[0].Value != "3" || len(r.Dropped) != 0 {
		t.Errorf("absent %v, dropped %v", r.Absent, r.Dropped)
	}
}
