package brandtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ReadXML reads a file strictly, with encoding/xml, and lists
// every element that holds no other by its path, with its text. Attributes named
// in ids tell elements of one name apart and become part of the path; those of an
// element named in attrs are settings themselves; any other fails the test. An
// element ID, where there is one, tells its parents apart in the same way.
func ReadXML(t testing.TB, body []byte, ids, attrs []string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	d := xml.NewDecoder(bytes.NewReader(body))
	type element struct {
		path   string
		text   strings.Builder
		parent bool
	}
	set := func(key, value string) {
		if _, twice := out[key]; twice {
			t.Fatalf("%s is set twice", key)
		}
		out[key] = value
	}
	var open []*element
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &element{path: tok.Name.Local}
			for _, a := range tok.Attr {
				if slices.Contains(ids, a.Name.Local) {
					e.path += "[" + a.Value + "]"
				}
			}
			if len(open) > 0 {
				open[len(open)-1].parent = true
				e.path = open[len(open)-1].path + "/" + e.path
			}
			for _, a := range tok.Attr {
				switch {
				case slices.Contains(ids, a.Name.Local):
				case slices.Contains(attrs, tok.Name.Local):
					set(a.Name.Local, a.Value)
				default:
					t.Fatalf("attribute %s of %s", a.Name.Local, e.path)
				}
			}
			open = append(open, e)
		case xml.EndElement:
			e := open[len(open)-1]
			open = open[:len(open)-1]
			if tok.Name.Local == "ID" && len(open) > 0 {
				open[len(open)-1].path += "[" + e.text.String() + "]"
				continue
			}
			if !e.parent && !slices.Contains(attrs, tok.Name.Local) {
				set(e.path, e.text.String())
			}
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text.Write(tok)
			}
		}
	}
}

// Lint has xmllint, which nobody here wrote, read the golden files.
func Lint(t *testing.T, ext string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*"+ext))
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden files, %v", err)
	}
	out, err := exec.Command("xmllint", append([]string{"--noout"}, names...)...).CombinedOutput()
	if err != nil {
		t.Errorf("xmllint (Debian: libxml2-utils): %v\n%s", err, out)
	}
}
