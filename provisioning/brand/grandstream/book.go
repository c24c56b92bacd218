package grandstream

import (
	"strings"

	"perch/provisioning/brand"
)

// bookAt is where the phone fetches its phone book: it adds /phonebook.xml to the
// path, so that the phone stands in a folder.
type bookAt struct {
	Path   string // empty: nowhere
	Mode   string // phonebook.download.mode
	Number int    // P330
}

func bookOf(d brand.Desk) bookAt {
	if d.BookURL == "" {
		return bookAt{}
	}
	c := configOf(d.BookURL + d.MAC.String())
	if c.Protocol == "HTTPS" {
		return bookAt{c.Path, "EnabledUseHTTPS", 3}
	}
	return bookAt{c.Path, "EnabledUseHTTP", 1}
}

// book is Grandstream's XML phone book: an address book of contacts with a
// phone of the first account each.
func book(p brand.BookPage) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<AddressBook>\n<version>1</version>\n")
	for _, e := range p.Entries {
		b.WriteString("<Contact><LastName></LastName><FirstName>" + brand.XML.Escape(brand.ClipTo(e.Name, 60)) +
			`</FirstName><Phone type="Work"><phonenumber>` + brand.XML.Escape(e.Number) + "</phonenumber><accountindex>1</accountindex></Phone></Contact>\n")
	}
	b.WriteString("</AddressBook>\n")
	return []byte(b.String())
}
