package sangomap

import (
	"strconv"
	"strings"

	"perch/provisioning/brand"
)

// book is a contacts file of its own, with the whole tenant in a group that the
// phone cannot change. None of them is subscribed to.
func book(p brand.BookPage) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<phonebooks>\n" + `<contacts group_name="` + brand.XML.Escape(brand.ClipTo(p.Title, maxName)) + `" editable="0" id="1">` + "\n")
	for i, e := range p.Entries {
		number := brand.XML.Escape(e.Number)
		b.WriteString(`<contact id="` + strconv.Itoa(i+1) + `" prefix="" first_name="` + brand.XML.Escape(brand.ClipTo(e.Name, maxName)) +
			`" second_name="" last_name="" suffix="" contact_type="sip" organization="" job_title="" location="" notes="" account_id="` + number +
			`"><actions><action id="primary" dial="` + number + `" dial_prefix="" label="Extension" name="Dial"/></actions></contact>` + "\n")
	}
	b.WriteString("</contacts>\n</phonebooks>\n")
	return []byte(b.String())
}
