package brandtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"perch/provisioning/brand"
)

// Node is one element of a page, as encoding/xml reads it.
type Node struct {
	Name  string
	Attrs map[string]string
	Text  string // its own, without that of others in it
	Kids  []*Node
}

// ReadPage reads a page strictly.
func ReadPage(t testing.TB, body []byte) *Node {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	top := &Node{}
	open := []*Node{top}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, body)
		}
		at := open[len(open)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			n := &Node{Name: tok.Name.Local, Attrs: map[string]string{}}
			for _, a := range tok.Attr {
				n.Attrs[a.Name.Local] = a.Value
			}
			at.Kids = append(at.Kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			at.Text += string(tok)
		}
	}
	if len(top.Kids) != 1 {
		t.Fatalf("%d roots\n%s", len(top.Kids), body)
	}
	return top.Kids[0]
}

// Each gives the node and all below it.
func (n *Node) Each(f func(*Node)) {
	f(n)
	for _, k := range n.Kids {
		k.Each(f)
	}
}

// All lists the nodes of a name.
func (n *Node) All(name string) []*Node {
	var out []*Node
	n.Each(func(k *Node) {
		if k.Name == name {
			out = append(out, k)
		}
	})
	return out
}

// Kid gives the text of the first child of that name.
func (n *Node) Kid(name string) string {
	for _, k := range n.Kids {
		if k.Name == name {
			return k.Text
		}
	}
	return ""
}

// shape is the structure without the texts.
func (n *Node) shape() string {
	var names []string
	for a := range n.Attrs {
		names = append(names, a)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(n.Name + "[" + strings.Join(names, " ") + "](")
	for _, k := range n.Kids {
		b.WriteString(k.shape())
	}
	return b.String() + ")"
}

// Screens is the pages of one dialect, and what its maker documents: each
// element by its parent and name ("Form/Title"; the root has no parent), with its
// attributes.
type Screens struct {
	Brand      func() brand.Brand
	Model      string
	Golden     string // beginning of the names of testdata/screen/<Golden>menu.xml
	Documented map[string][]string
}

// pages are one of each kind, with this text in every place.
func pages(text string) map[string]brand.Page {
	base := "http://prov.acme.test:8080/app/token/001565aabb01/"
	exit := brand.Item{Label: "Exit", Exit: true}
	return map[string]brand.Page{
		"menu": {Title: text, Text: []string{text}, Items: []brand.Item{
			{Label: "Log in", URL: base + "login"}, {Label: text, URL: base + "who"}, exit,
		}},
		"form": {Title: "Log in", Text: []string{text}, Form: &brand.Form{URL: base + "login/1a-B", Submit: "Log in", Fields: []brand.Field{
			{Label: "Extension", Name: "ext"}, {Label: "PIN", Name: "pin", Hidden: true},
		}}},
		"pin": {Title: text, Form: &brand.Form{URL: base + "login/1a-B/1001", Submit: "Log in", Fields: []brand.Field{
			{Label: "PIN", Name: "pin", Hidden: true},
		}}},
		"text": {Title: "Not done", Text: []string{text, "Code 1a2b3c4d."}, Keys: []brand.Item{{Label: "Again", URL: base + "login"}, exit}},
		"wait": {
			Title: "Please wait", Text: []string{text}, Next: &brand.Next{After: 2 * time.Second, URL: base + "wait/1a/2?a=1&b=2"},
			Keys: []brand.Item{{Label: "Refresh", URL: base + "wait/1a/2"}, exit},
		},
		"bare": {Title: text},
		"people": {Title: "Directory", Items: []brand.Item{
			{Label: "Ada Lovelace 1001", Dial: "1001"}, {Label: text, Dial: "1002"}, {Label: "More", URL: base + "find/1/YWRh"},
		}},
		"search": {Title: text, Form: &brand.Form{URL: base + "find", Submit: "Search", Fields: []brand.Field{{Label: text, Name: "q", Text: true}}}},
		"picture": {
			Title: "Log in by code", Text: []string{text}, Next: &brand.Next{After: 3 * time.Second, URL: base + "code/ABCDEFGH/1"},
			Keys:    []brand.Item{{Label: "Refresh", URL: base + "code/ABCDEFGH/1"}, {Label: "As text", URL: base + "code/ABCDEFGH/t0"}, exit},
			Picture: &brand.Picture{URL: base + "code/ABCDEFGH.png", Size: 160},
		},
	}
}

// Run draws every page: the same bytes as the golden file, documented elements
// only, and no text changes the structure.
func (s Screens) Run(t *testing.T) {
	draw := s.Brand().Screen
	t.Run("xmllint", func(t *testing.T) { s.lint(t, draw) })
	for name, p := range pages("Ada Lovelace") {
		t.Run(name, func(t *testing.T) {
			out := draw(p, s.Model)
			file := filepath.Join("testdata", "screen", s.Golden+name+".xml")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, out.Body, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Body, want) {
				t.Errorf("differs from %s:\n%s", file, out.Body)
			}
			root := ReadPage(t, out.Body)
			s.check(t, "", root)
			for _, text := range append(Hostile(), strings.Repeat("<&\"'>", 5000), "]]><x/>", "\x00\r\n\u202e\u2028\xff", "&#0;&bogus;") {
				hostile := draw(pages(text)[name], s.Model)
				if got := ReadPage(t, hostile.Body).shape(); got != root.shape() {
					t.Errorf("%q changed the structure:\n%s\n%s", text, root.shape(), got)
				}
				if len(hostile.Body) > 8<<10 {
					t.Errorf("a page of %d bytes", len(hostile.Body))
				}
				if strings.ContainsAny(hostile.Refresh, "\r\n") {
					t.Errorf("refresh %q", hostile.Refresh)
				}
			}
		})
	}
}

func (s Screens) check(t *testing.T, parent string, n *Node) {
	t.Helper()
	path := strings.TrimPrefix(parent+"/"+n.Name, "/")
	attrs, ok := s.Documented[path]
	if !ok {
		t.Errorf("%s is not documented", path)
	}
	for a := range n.Attrs {
		if !slices.Contains(attrs, a) {
			t.Errorf("attribute %s of %s is not documented", a, path)
		}
	}
	for _, k := range n.Kids {
		s.check(t, n.Name, k)
	}
}
