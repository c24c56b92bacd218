package poly

import (
	"strconv"

	"perch/provisioning/brand"
)

// screen writes a page for the microbrowser, in the XHTML that it takes: links,
// one form, and a refresh in the head.
func screen(p brand.Page, _ string) brand.Drawn {
	p = p.Bounded()
	head := brand.Has("head", brand.Holds("title", p.Title))
	if p.Next != nil {
		head.Kids = append(head.Kids, brand.Element{Name: "meta"}.With("http-equiv", "refresh", "content", p.Next.Header()))
	}
	body := brand.Has("body")
	for _, line := range p.Text {
		body.Kids = append(body.Kids, brand.Holds("p", line))
	}
	if p.Picture != nil {
		side := strconv.Itoa(p.Picture.Size)
		body.Kids = append(body.Kids, brand.Has("p", brand.Element{Name: "img"}.With("src", p.Picture.URL, "alt", firstOf(p.Text), "width", side, "height", side)))
	}
	for _, i := range append(p.Items, p.Keys...) {
		address := i.URL
		if i.Dial != "" {
			address = "tel://" + i.Dial
		}
		if !i.Exit { // the phone's own key leaves the browser
			body.Kids = append(body.Kids, brand.Has("p", brand.Holds("a", i.Label).With("href", address)))
		}
	}
	if p.Form != nil {
		body.Kids = append(body.Kids, form(p.Form))
	}
	page := brand.Has("html", head, body).With("xmlns", "http://www.w3.org/1999/xhtml")
	return brand.Drawn{Body: page.Document(), ContentType: "text/html; charset=utf-8"}
}

func firstOf(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

func form(f *brand.Form) brand.Element {
	out := brand.Has("form").With("method", "get", "action", f.URL)
	for _, field := range f.Fields {
		kind := "text"
		if field.Hidden {
			kind = "password"
		}
		out.Kids = append(out.Kids, brand.Element{Name: "p", Text: field.Label + " ", Kids: []brand.Element{
			brand.Element{Name: "input"}.With("type", kind, "name", field.Name),
		}})
	}
	out.Kids = append(out.Kids, brand.Has("p", brand.Element{Name: "input"}.With("type", "submit", "value", f.Submit)))
	return out
}
