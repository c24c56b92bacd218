package snom

import (
	"strconv"
	"strings"

	"perch/provisioning/brand"
)

// screen writes a page for the minibrowser: one input per page, and no page is
// kept in the browser's history (track), so that Back does not send a PIN again.
func screen(p brand.Page, model string) brand.Drawn {
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
		if p.Picture != nil && pictures(model) {
			root = brand.Has("SnomIPPhoneImageFile", brand.Holds("LocationX", "0"), brand.Holds("LocationY", "0"), brand.Holds("URL", p.Picture.URL))
		}
		for n, k := range p.Keys[:min(len(p.Keys), 4)] {
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
	switch {
	case f.Hidden:
		flags = "pn"
	case f.Text:
		flags = "a"
	}
	root.Kids = append(root.Kids, brand.Holds("Prompt", f.Label), brand.Holds("URL", p.Form.URL), brand.Has("InputItem",
		brand.Holds("DisplayName", f.Label), brand.Holds("QueryStringParam", f.Name),
		brand.Holds("DefaultValue", ""), brand.Holds("InputFlags", flags)))
	return root
}

func address(i brand.Item) string {
	switch {
	case i.Exit:
		return "snom://mb_exit"
	case i.Dial != "":
		return "snom://mb_nop#numberdial=" + i.Dial
	}
	return i.URL
}

// pictures are the models with a colour screen.
func pictures(name string) bool {
	switch strings.ToUpper(strings.TrimPrefix(strings.ToLower(name), "snom")) {
	case "820", "821", "870", "760", "D765", "D375", "D385", "D735", "D785", "D862", "D865", "D895":
		return true
	}
	return false
}

// message is the event xml with a page of the minibrowser as its body.
func message(text string) brand.Attempt {
	page := brand.Has("SnomIPPhoneText", brand.Holds("Title", "Perch"), brand.Holds("Text", brand.Notice(text))).With("track", "no")
	return brand.Attempt{Event: "xml", ContentType: "application/snomxml", Body: page.Document()}
}
