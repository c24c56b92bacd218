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
		root = brand.Has("CiscoIPPhoneText", brand.Holds("Title", p.Title), brand.Holds("Prompt", ""),
			brand.Holds("Text", strings.Join(p.Text, " ")))
		for n, k := range p.Keys {
			root.Kids = append(root.Kids, brand.Has("SoftKeyItem",
				brand.Holds("Name", k.Label), brand.Holds("URL", address(k)), brand.Holds("Position", strconv.Itoa(n+1))))
		}
	}
	return brand.Drawn{Body: root.Document(), ContentType: brand.Sheet, Refresh: p.Next.Header()}
}

// form: N is a number, NP one that the phone hides.
func form(p brand.Page) brand.Element {
	root := brand.Has("CiscoIPPhoneInput", brand.Holds("Title", p.Title), brand.Holds("Prompt", prompt(p)), brand.Holds("URL", p.Form.URL))
	for _, f := range p.Form.Fields {
		flags := "N"
		if f.Hidden {
			flags = "NP"
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
	if i.Exit {
		return "SoftKey:Exit"
	}
	return i.URL
}
