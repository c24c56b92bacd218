package brand

import (
	"bytes"
	"slices"
	"strings"
)

// Element is one element of a page. Text and attribute values are escaped when
// it is written, and nothing is indented: old firmware refuses white space.
type Element struct {
	Name  string
	Attrs []string // names and values in turn
	Text  string
	Kids  []Element
}

// Holds makes an element with a text.
func Holds(name, text string) Element { return Element{Name: name, Text: text} }

// Has makes an element of others.
func Has(name string, kids ...Element) Element { return Element{Name: name, Kids: kids} }

// With gives the element these attributes, names and values in turn.
func (e Element) With(attrs ...string) Element {
	e.Attrs = append(append([]string(nil), e.Attrs...), attrs...)
	return e
}

// Document writes a page with its XML declaration.
func (e Element) Document() []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	e.write(&b)
	b.WriteByte('\n')
	return b.Bytes()
}

func (e Element) write(b *bytes.Buffer) {
	b.WriteString("<" + e.Name)
	for i := 0; i+1 < len(e.Attrs); i += 2 {
		b.WriteString(" " + e.Attrs[i] + `="` + XML.Escape(e.Attrs[i+1]) + `"`)
	}
	if e.Text == "" && len(e.Kids) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">" + XML.Escape(e.Text))
	for _, k := range e.Kids {
		k.write(b)
	}
	b.WriteString("</" + e.Name + ">")
}

// Sheet is the content type of most makers' pages.
const Sheet = "text/xml; charset=utf-8"

// TextScreens is the dialect that Aastra began and others took over: TextMenu,
// InputScreen and TextScreen behind the maker's prefix.
type TextScreens struct {
	Prefix   string   // "YealinkIPPhone"
	Text     string   // name of the text page behind the prefix; empty: TextScreen
	Menu     []string // attributes of a menu's root
	Form     []string // of a form's
	Page     []string // of a text's
	Notice   []string // of a text's that comes unasked
	NoKeys   bool     // soft keys are not known to this maker: a text with keys becomes a menu
	Prompted bool     // a form has a Prompt beside its Title
	TextType string   // type of a field that takes letters; empty: as a number
	// Image tells whether a model shows pictures of a URL, as ImageScreen. Nil:
	// none does.
	Image func(model string) bool
}

// Draw writes a page.
func (s TextScreens) Draw(p Page, model string) Drawn {
	p = p.Bounded()
	if s.NoKeys {
		p.Items, p.Keys = withoutExit(p.Items), withoutExit(p.Keys)
	}
	out := Drawn{ContentType: Sheet, Refresh: p.Next.Header()}
	switch {
	case len(p.Items) > 0:
		out.Body = s.menu(p).Document()
	case p.Form != nil:
		out.Body = s.form(p).Document()
	case s.NoKeys && len(p.Keys) > 0:
		out.Body = s.menu(textAsMenu(p)).Document()
	case p.Picture != nil && s.Image != nil && s.Image(model):
		out.Body = s.picture(p).Document()
	default:
		out.Body = s.text(p).Document()
	}
	return out
}

// picture is an ImageScreen. It has no text: what stands beside the picture is in
// the page that its first key opens.
func (s TextScreens) picture(p Page) Element {
	root := Has(s.Prefix+"ImageScreen", Holds("Image", p.Picture.URL).With("horizontalAlign", "middle", "verticalAlign", "middle")).
		With(append(append([]string(nil), s.Page...), "mode", "regular")...)
	return s.keys(root, p)
}

func (s TextScreens) menu(p Page) Element {
	root := Has(s.Prefix+"TextMenu", Holds("Title", p.Title)).With(s.Menu...)
	for _, i := range p.Items {
		root.Kids = append(root.Kids, Has("MenuItem", Holds("Prompt", i.Label), Holds("URI", s.uri(i))))
	}
	return root
}

func (s TextScreens) form(p Page) Element {
	root := Has(s.Prefix+"InputScreen", Holds("Title", p.Title)).With(s.Form...)
	if s.Prompted {
		root.Kids = append(root.Kids, Holds("Prompt", firstLine(p)))
	}
	root.Kids = append(root.Kids, Holds("URL", p.Form.URL))
	for _, f := range p.Form.Fields {
		kind := "number"
		if f.Text && s.TextType != "" {
			kind = s.TextType
		}
		field := Has("InputField", Holds("Prompt", f.Label), Holds("Parameter", f.Name), Holds("Default", "")).With("type", kind)
		if f.Hidden {
			field = field.With("password", "yes")
		}
		root.Kids = append(root.Kids, field)
	}
	return root
}

func (s TextScreens) text(p Page) Element {
	name := s.Text
	if name == "" {
		name = "TextScreen"
	}
	root := Has(s.Prefix+name, Holds("Title", p.Title), Holds("Text", strings.Join(p.Text, " "))).With(s.Page...)
	return s.keys(root, p)
}

func (s TextScreens) keys(root Element, p Page) Element {
	for n, k := range p.Keys[:min(len(p.Keys), maxSoftKeys)] {
		root.Kids = append(root.Kids,
			Has("SoftKey", Holds("Label", k.Label), Holds("URI", s.uri(k))).With("index", string(rune('1'+n))))
	}
	return root
}

// maxSoftKeys is how many soft keys a page can have.
const maxSoftKeys = 4

func (s TextScreens) uri(i Item) string {
	switch {
	case i.Exit:
		return "SoftKey:Exit"
	case i.Dial != "":
		return "Dial:" + i.Dial
	}
	return i.URL
}

// withoutExit leaves the phone's own key to leave the pages.
func withoutExit(items []Item) []Item {
	return slices.DeleteFunc(items, func(i Item) bool { return i.Exit })
}

// textAsMenu makes a menu of a text, for phones without soft keys: its lines
// lead where the first key leads.
func textAsMenu(p Page) Page {
	for _, line := range p.Text {
		p.Items = append(p.Items, Item{Label: line, URL: p.Keys[0].URL, Dial: p.Keys[0].Dial})
	}
	p.Items = append(p.Items, p.Keys...)
	return p
}

func firstLine(p Page) string {
	if len(p.Text) == 0 {
		return p.Title
	}
	return p.Text[0]
}
