package brandtest

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"perch/provisioning/brand"
)

// dtd writes what the maker documents as a document type definition (XML 1.0
// section 2.8): each element holds text and the elements that the table has below
// it, and has the attributes of the table.
func (s Screens) dtd() string {
	kids, attrs := map[string][]string{}, map[string][]string{}
	for path, names := range s.Documented {
		parent, name, nested := strings.Cut(path, "/")
		if !nested {
			name = parent
		} else if !slices.Contains(kids[parent], name) {
			kids[parent] = append(kids[parent], name)
		}
		for _, a := range names {
			if !slices.Contains(attrs[name], a) {
				attrs[name] = append(attrs[name], a)
			}
		}
		kids[name] = append([]string(nil), kids[name]...)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(kids)) {
		slices.Sort(kids[name])
		b.WriteString("<!ELEMENT " + name + " (" + strings.Join(append([]string{"#PCDATA"}, kids[name]...), "|") + ")*>\n")
		for _, a := range slices.Sorted(slices.Values(attrs[name])) {
			b.WriteString("<!ATTLIST " + name + " " + a + " CDATA #IMPLIED>\n")
		}
	}
	return b.String()
}

// lint holds every page, with plain and with hostile texts, to that definition by
// xmllint, whose reader of XML is none of ours.
func (s Screens) lint(t *testing.T, draw func(brand.Page, string) brand.Drawn) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, body []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	args := []string{"--noout", "--nonet", "--dtdvalid", write("maker.dtd", []byte(s.dtd()))}
	for i, text := range []string{"Ada Lovelace", `<&"'>]]>`, "\u202e\u05e9\u05dc\u05d5\u05dd \U0001F4DE", "&bogus;&#0;\x00\r\n\xff"} {
		for name, p := range pages(text) {
			args = append(args, write(name+string(rune('a'+i))+".xml", draw(p, s.Model).Body))
		}
	}
	if out, err := exec.Command("xmllint", args...).CombinedOutput(); err != nil { //nolint:gosec // files of this test
		t.Errorf("xmllint: %v\n%s", err, out)
	}
}
