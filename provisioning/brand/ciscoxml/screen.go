// Package ciscoxml writes pages as Cisco's phones show them, SPA and
// multiplatform alike. It knows the objects of the maker's XML and no model; the
// facts are from Cisco's guides for application developers.
package ciscoxml

import (
	"strconv"
	"strings"

	"perch/provisioning/brand"
)

// Draw writes a page.
func Draw(p brand.Page, _ string) brand.Drawn {
	p = p.Bounded()
	var root brand.Element
	switch {
	case len(p.Items) > 0:
		root = brand.Has("CiscoIPPhoneMenu", brand.Holds("Title", p.Title), brand.Holds("Prompt", prompt(p)))
		for _, i := range p.Items {
			root.Kids = append(root.Kids, brand.Has("MenuItem", brand.Holds("Name", i.Label), brand.Holds("URL", address(i))))
		}
	case p.Form != nil:
		root = form(p)
	default:
		root = softKeys(brand.Has("CiscoIPPhoneText", brand.Holds("Title", p.Title), brand.Holds("Prompt", ""),
			brand.Holds("Text", strings.Join(p.Text, " "))), p)
	}
	return brand.Drawn{Body: root.Document(), ContentType: brand.Sheet, Refresh: p.Next.Header()}
}

// DrawPictures writes a page for phones that show a picture of a URL. It has one
// line of text below it.
func DrawPictures(p brand.Page, model string) brand.Drawn {
	if p.Picture == nil {
		return Draw(p, model)
	}
	p = p.Bounded()
	root := brand.Has("CiscoIPPhoneImageFile", brand.Holds("Title", p.Title), brand.Holds("Prompt", prompt(p)),
		brand.Holds("LocationX", "-1"), brand.Holds("LocationY", "-1"), brand.Holds("URL", p.Picture.URL))
	return brand.Drawn{Body: softKeys(root, p).Document(), ContentType: brand.Sheet, Refresh: p.Next.Header()}
}

func softKeys(root brand.Element, p brand.Page) brand.Element {
	for n, k := range p.Keys[:min(len(p.Keys), 4)] {
		root.Kids = append(root.Kids, brand.Has("SoftKeyItem",
			brand.Holds("Name", k.Label), brand.Holds("URL", address(k)), brand.Holds("Position", strconv.Itoa(n+1))))
	}
	return root
}

// form: N is a number, NP one that the phone hides.
func form(p brand.Page) brand.Element {
	root := brand.Has("CiscoIPPhoneInput", brand.Holds("Title", p.Title), brand.Holds("Prompt", prompt(p)), brand.Holds("URL", p.Form.URL))
	for _, f := range p.Form.Fields {
		flags := "N"
		switch {
		case f.Hidden:
			flags = "NP"
		case f.Text:
			flags = "A"
		}
		root.Kids = append(root.Kids, brand.Has("InputItem",
			brand.Holds("DisplayName", f.Label), brand.Holds("QueryStringParam", f.Name),
			brand.Holds("DefaultValue", ""), brand.Holds("InputFlags", flags)))
	}
	return root
}

// prompt is the line below the list or form.
func prompt(p brand.Page) string {
	if len(p.Text) == 0 {
		return ""
	}
	return p.Text[0]
}

func address(i brand.Item) string {
	switch {
	case i.Exit:
		return "SoftKey:Exit"
	case i.Dial != "":
		return "Dial:" + i.Dial
	}
	return i.URL
}
