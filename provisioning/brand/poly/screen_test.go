package poly

import (
	"testing"

	"perch/provisioning/brand/brandtest"
)

// TestScreens: the elements that the maker documents, and nothing else.
func TestScreens(t *testing.T) {
	brandtest.Screens{Brand: Brand, Model: "VVX411", Documented: map[string][]string{
		"html":       {"xmlns"},
		"html/head":  nil,
		"head/title": nil,
		"head/meta":  {"http-equiv", "content"},
		"html/body":  nil,
		"body/p":     nil,
		"p/a":        {"href"},
		"p/img":      {"src", "alt", "width", "height"},
		"body/form":  {"method", "action"},
		"form/p":     nil,
		"p/input":    {"type", "name", "value"},
	}}.Run(t)
}
