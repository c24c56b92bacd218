package snom

import (
	"strconv"
	"strings"

	"perch/provisioning/brand"
)

// screen writes a page for the minibrowser: one input per page, and no page is
// kept in the browser's history (track), so that Back does not send a PIN again.
func screen(p brand.Page, _ string) brand.Drawn {
	p = p.Bounded()
	var root brand.Element
	switch {
	case len(p.Items) > 0:
		root = brand.Has("SnomIPPhoneMenu", brand.Holds("Title", p.Title))
		for _, i := range p.Items {
			root.Kids = append(root.Kids, brand.Has("MenuItem", brand.Holds("Name", i.Label), brand.Holds("URL", address(i))))
		}
	case p.Form != nil:
		root = input(p)
	default:
		root = brand.Has("SnomIPPhoneText", brand.Holds("Title", p.Title), brand.Holds("Text", strings.Join(p.Text, " ")))
		for n, k := range p.Keys {
			root.Kids = append(root.Kids, brand.Has("SoftKeyItem",
				brand.Holds("Name", "F"+strconv.Itoa(n+1)), brand.Holds("Label", k.Label), brand.Holds("URL", address(k))))
		}
		if p.Next != nil {
			root.Kids = append(root.Kids,
				brand.Holds("fetch", p.Next.URL).With("mil", strconv.FormatInt(p.Next.After.Milliseconds(), 10)))
		}
	}
	return brand.Drawn{Body: root.With("track", "no").Document(), ContentType: brand.Sheet}
}

// input asks for the form's first value alone. n is a number, pn one that the
// phone hides.
func input(p brand.Page) brand.Element {
	root := brand.Has("SnomIPPhoneInput", brand.Holds("Title", p.Title))
	if len(p.Form.Fields) == 0 {
		return root
	}
	f := p.Form.Fields[0]
	flags := "n"
	if f.Hidden {
		flags = "pn"
	}
	root.Kids = append(root.Kids, brand.Holds("Prompt", f.Label), brand.Holds("URL", p.Form.URL), brand.Has("InputItem",
		brand.Holds("DisplayName", f.Label), brand.Holds("QueryStringParam", f.Name),
		brand.Holds("DefaultValue", ""), brand.Holds("InputFlags", flags)))
	return root
}

func address(i brand.Item) string {
	if i.Exit {
		return "snom://mb_exit"
	}
	return i.URL
}

// message is the event xml with a page of the minibrowser as its body.
func message(text string) brand.Attempt {
	page := brand.Has("SnomIPPhoneText", brand.Holds("Title", "Perch"), brand.Holds("Text", brand.Notice(text))).With("track", "no")
	return brand.Attempt{Event: "xml", ContentType: "application/snomxml", Body: page.Document()}
}
