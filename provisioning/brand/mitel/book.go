package mitel

import (
	"strings"

	"perch/provisioning/brand"
)

// book is the directory list of Mitel's administrator guides: a line for each
// entry, name and number with a comma between, values in double quotes. A quote
// inside a value has no escape there and becomes a single one.
func book(p brand.BookPage) []byte {
	var b strings.Builder
	for _, e := range p.Entries {
		b.WriteString(cell(e.Name) + "," + cell(e.Number) + "\r\n")
	}
	return []byte(b.String())
}

func cell(text string) string {
	return `"` + strings.Trim(strings.ReplaceAll(brand.OneLine(brand.ClipTo(text, 40)), `"`, "'"), " ") + `"`
}
