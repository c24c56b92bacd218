package poly

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// directoryName is the contact directory of one phone, which it fetches at every
// start. What its people change it writes back; that is never given out again.
var directoryName = regexp.MustCompile(`^[0-9a-f]{12}-directory\.xml$`)

// book is the local contact directory of Poly's administrator guides: no entry
// has a speed dial index, so that none takes a line key.
func book(p brand.BookPage) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n<directory>\n<item_list>\n")
	for _, e := range p.Entries {
		b.WriteString("<item><ln></ln><fn>" + brand.XML.Escape(brand.ClipTo(e.Name, 40)) + "</fn><ct>" + brand.XML.Escape(e.Number) + "</ct></item>\n")
	}
	b.WriteString("</item_list>\n</directory>\n")
	return []byte(b.String())
}
