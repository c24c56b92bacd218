package brand

import (
	"slices"
	"strconv"
	"time"
)

// Page is one page for a phone's own screen, before any dialect: a menu when it
// has Items, a form when it has a Form, else text.
type Page struct {
	Title string
	Text  []string // lines; menus and forms show them where the dialect has room
	Items []Item   // of a menu
	Form  *Form
	Keys  []Item // soft keys of a text
	Next  *Next  // where a text leads by itself; nil: nowhere
	// Picture stands above a text where the model shows pictures; a text that
	// says the same stands in Text for all others.
	Picture *Picture
}

// Picture is a PNG that the phone fetches.
type Picture struct {
	URL  string
	Size int // pixels of each side
}

// Item is a line of a menu or a soft key: it opens URL, calls the number Dial, or
// leaves the pages when Exit.
type Item struct {
	Label string
	URL   string
	Dial  string
	Exit  bool
}

// Form asks for values, which come back in the query of a GET of URL.
type Form struct {
	URL    string // without a query
	Submit string // what the key is called where the phone has no word of its own
	Fields []Field
}

// Field is one value that a form asks for: digits, or Text.
type Field struct {
	Label  string
	Name   string // of the query
	Hidden bool   // a PIN: the phone shows no digits
	Text   bool   // letters too
}

// Next is a page that the phone fetches by itself.
type Next struct {
	After time.Duration
	URL   string
}

// Header is the value of the header Refresh, which several makers' phones
// follow: whole seconds, at least one.
func (n *Next) Header() string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(max(1, int(n.After/time.Second))) + ";url=" + n.URL
}

// Drawn is a page as it goes to a phone.
type Drawn struct {
	Body        []byte
	ContentType string
	Refresh     string // header Refresh; empty: none
}

// Bounds of a page: phones cut sooner; no name or desk label makes it grow.
const (
	maxItems = 24
	maxLines = 8
	maxLine  = 160 // characters
)

// Bounded cuts a page to what a phone may be given.
func (p Page) Bounded() Page {
	p.Title = Clip(p.Title)
	p.Text = append([]string(nil), p.Text[:min(len(p.Text), maxLines)]...)
	for i, line := range p.Text {
		p.Text[i] = ClipTo(line, maxLine)
	}
	p.Items, p.Keys = boundedItems(p.Items), boundedItems(p.Keys)
	if p.Form != nil {
		f := *p.Form
		f.Submit, f.Fields = Clip(f.Submit), slices.Clone(f.Fields)
		for i := range f.Fields {
			f.Fields[i].Label = Clip(f.Fields[i].Label)
		}
		p.Form = &f
	}
	return p
}

func boundedItems(items []Item) []Item {
	out := append([]Item(nil), items[:min(len(items), maxItems)]...)
	for i := range out {
		out[i].Label = Clip(out[i].Label)
	}
	return out
}
