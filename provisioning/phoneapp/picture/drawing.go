// Package picture shows a page of a phone's dialect as a phone draws it, in HTML:
// title, list or form with its cursor, and the soft keys, those of the page and
// those that the phone adds by itself. It reads what goes to the phone, not what it
// was made from, and knows the makers' elements, no brand and no template. It is
// for documents and for people who check a dialect; no phone is as it is drawn here
// in every detail.
package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Screen is what a phone shows of a page.
type Screen struct {
	Title   string
	Lines   []string
	Items   []string // of a list; the first is chosen
	Fields  []Field
	Picture bool
	Keys    []string // soft keys, from the left
	Placed  []Placed // texts and fields at pixels, for pages that say where
	Bar     string   // what the phone shows below a list or form
}

// Field is one line of a form. The cursor stands in the first.
type Field struct {
	Label  string
	Hidden bool
	Cursor bool
}

// Placed is a text, or a field, at a place.
type Placed struct {
	X, Y, Width int
	Text        string
	Field       bool
	Cursor      bool
}

// maxPage bounds what is read, in bytes.
const maxPage = 64 << 10

// Read reads a page. The error says what is wrong with it.
func Read(page []byte) (Screen, error) {
	if len(page) > maxPage {
		return Screen{}, fmt.Errorf("picture: a page of %d bytes", len(page))
	}
	root, err := parse(page)
	if err != nil {
		return Screen{}, err
	}
	s := Screen{Title: root.find("Title", "title"), Bar: root.kid("Prompt")}
	root.each(func(n *node) { s.take(n) })
	if root.name == "Screen" {
		s.Title, s.Lines = "", nil
	}
	if root.name == "xmlapp" {
		s.Title = root.attr["title"]
	}
	s.Keys = append(s.Keys, own(root, len(s.Keys))...)
	if len(s.Fields) > 0 {
		s.Fields[0].Cursor = true
	}
	for i := range s.Placed {
		if s.Placed[i].Field {
			s.Placed[i].Cursor = true
			break
		}
	}
	return s, nil
}

// take adds what an element shows.
func (s *Screen) take(n *node) {
	switch n.name {
	case "Text", "text", "p":
		s.add(n.text + n.attr["label"])
	case "MenuItem":
		s.Items = append(s.Items, n.kid("Name")+n.kid("Prompt"))
	case "a":
		s.Items = append(s.Items, n.text)
	case "SoftKey", "SoftKeyItem", "Softkey":
		label := n.attr["label"] + n.kid("Label")
		if label == "" {
			label = n.kid("Name")
		}
		s.Keys = append(s.Keys, label)
	case "InputField":
		s.Fields = append(s.Fields, Field{Label: n.kid("Prompt"), Hidden: n.attr["password"] == "yes"})
	case "InputItem":
		s.Fields = append(s.Fields, Field{Label: n.kid("DisplayName"), Hidden: strings.ContainsAny(n.kid("InputFlags"), "pP")})
	case "input":
		s.input(n)
	case "DisplayString":
		s.Placed = append(s.Placed, Placed{X: n.pixels("X"), Y: n.pixels("Y"), Text: n.kid("DisplayStr")})
	case "Image", "img", "SnomIPPhoneImageFile", "CiscoIPPhoneImageFile":
		s.Picture = true
	}
}

func (s *Screen) input(n *node) {
	switch {
	case n.attr["type"] == "submit":
		s.Keys = append(s.Keys, n.attr["value"])
	case n.has("styles"):
		at := n.first("styles")
		number := func(name string) int { v, _ := strconv.Atoi(at.attr[name]); return v }
		s.Placed = append(s.Placed, Placed{X: number("pos_x"), Y: number("pos_y"), Width: number("width"), Field: true})
	default:
		label := n.attr["label"]
		if label == "" {
			if k := len(s.Lines); k > 0 { // an XHTML field has its label before it
				label, s.Lines = s.Lines[k-1], s.Lines[:k-1]
			}
		}
		s.Fields = append(s.Fields, Field{Label: label, Hidden: n.attr["type"] == "password"})
	}
}

func (s *Screen) add(line string) {
	if line = strings.TrimSpace(line); line != "" {
		s.Lines = append(s.Lines, line)
	}
}

// own are the soft keys that a phone adds to a page by itself.
func own(root *node, has int) []string {
	form, list := strings.Contains(root.name, "Input"), strings.Contains(root.name, "Menu")
	switch {
	case form && strings.HasPrefix(root.name, "Cisco"):
		return []string{"Submit", "<<", "Cancel"}
	case form && strings.HasPrefix(root.name, "Snom"):
		return []string{"Cancel", "<-", "OK"}
	case form && strings.HasPrefix(root.name, "Aastra"):
		return []string{"Backspace", "Cancel", "Done"}
	case form:
		return []string{"Back", "123", "Delete", "OK"}
	case list && strings.HasPrefix(root.name, "Snom"):
		return []string{"Cancel", "OK"}
	case list:
		return []string{"Select", "Exit"}
	case root.name == "html":
		return []string{"Back"}
	case has == 0 && root.name != "xmlapp" && root.name != "Screen":
		return []string{"Exit"}
	}
	return nil
}

// node is an element.
type node struct {
	name, text string
	attr       map[string]string
	kids       []*node
}

func parse(page []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(page))
	top := &node{}
	open := []*node{top}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("picture: %w", err)
		}
		at := open[len(open)-1]
		switch t := t.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, attr: map[string]string{}}
			for _, a := range t.Attr {
				n.attr[a.Name.Local] = a.Value
			}
			at.kids = append(at.kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			at.text += string(t)
		}
	}
	if len(top.kids) != 1 {
		return nil, errors.New("picture: not one page")
	}
	return top.kids[0], nil
}

func (n *node) each(f func(*node)) {
	f(n)
	for _, k := range n.kids {
		k.each(f)
	}
}

func (n *node) first(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return &node{}
}

func (n *node) has(name string) bool { return n.first(name).name != "" }

func (n *node) kid(name string) string { return strings.TrimSpace(n.first(name).text) }

func (n *node) pixels(name string) int { v, _ := strconv.Atoi(n.kid(name)); return v }

// find is the text of the first element of one of these names, anywhere.
func (n *node) find(names ...string) string {
	var out string
	n.each(func(k *node) {
		for _, name := range names {
			if k.name == name && out == "" {
				out = strings.TrimSpace(k.text)
			}
		}
	})
	return out
}
