package grandstream

import (
	"strconv"

	"perch/provisioning/brand"
)

// screen writes a page as an XML application. Models that take settings by name
// (GXP213x to 217x, GRP26xx) lay texts and inputs out themselves; the older ones
// draw, each thing at its pixel. Neither has a timer: the person presses a key.
func screen(p brand.Page, name string) brand.Drawn {
	p = p.Bounded()
	if p.Form == nil && len(p.Items) == 0 && len(p.Keys) == 0 {
		p.Keys = []brand.Item{{Label: "Exit", Exit: true}}
	}
	var root brand.Element
	if modelOf(name).named {
		root = laidOut(p)
	} else {
		root = drawing(p, sizeOf(name))
	}
	return brand.Drawn{Body: root.Document(), ContentType: brand.Sheet}
}

// laidOut is the form of GXP2130, 2135, 2140, 2160 and 2170 (XML application
// guide for these models), which GRP26xx take too.
func laidOut(p brand.Page) brand.Element {
	section := brand.Has("section")
	for _, line := range p.Text {
		section.Kids = append(section.Kids, brand.Element{Name: "text"}.With("label", line))
	}
	if p.Form != nil {
		for _, f := range p.Form.Fields {
			kind := "number"
			switch {
			case f.Hidden:
				kind = "password"
			case f.Text:
				kind = "text"
			}
			section.Kids = append(section.Kids, brand.Element{Name: "input"}.With("label", f.Label, "name", f.Name, "type", kind))
		}
	}
	return brand.Has("xmlapp", brand.Has("view", section), keysOf(p, "Softkeys", "Softkey")).With("title", p.Title)
}

// size is a screen in pixels, as the content area of a page has it.
type size struct{ width, line int }

// sizes are the screens of the models that draw; one that is not here gets the
// smallest, which all others can show.
var sizes = map[string]size{
	"GXP1450": {180, 12}, "GXP2100": {180, 14}, "GXP2110": {240, 16}, "GXP2120": {320, 18}, "GXP2124": {240, 16},
}

func sizeOf(name string) size {
	if s, ok := sizes[name]; ok {
		return s
	}
	return size{128, 10}
}

// drawing is the form of the older models (GXP21xx XML application guide): line
// by line, an input beside its label.
func drawing(p brand.Page, s size) brand.Element {
	contents := brand.Has("Contents")
	row := 0
	text := func(line string) {
		contents.Kids = append(contents.Kids, brand.Has("DisplayString",
			brand.Holds("X", "0"), brand.Holds("Y", strconv.Itoa(row*s.line)), brand.Holds("DisplayStr", line)).
			With("font", "f8", "width", strconv.Itoa(s.width), "height", strconv.Itoa(s.line), "halign", "left"))
		row++
	}
	text(p.Title)
	for _, line := range p.Text {
		text(line)
	}
	if p.Form != nil {
		for _, f := range p.Form.Fields {
			kind := "text"
			if f.Hidden {
				kind = "password"
			}
			at := strconv.Itoa(row * s.line)
			text(f.Label)
			contents.Kids = append(contents.Kids, brand.Has("input",
				brand.Element{Name: "styles"}.With("pos_x", strconv.Itoa(s.width/2), "pos_y", at, "width", strconv.Itoa(s.width/2))).
				With("name", f.Name, "value", "", "type", kind))
		}
	}
	return brand.Has("Screen", brand.Has("Page", brand.Holds("ShowStatusLine", "false"), contents, keysOf(p, "SoftKeys", "SoftKey")))
}

// maxKeys is how many soft keys the screens have.
const maxKeys = 4

// keysOf makes soft keys of a menu's lines, of a text's keys, or of a form's
// submit: there is no list to choose from.
func keysOf(p brand.Page, list, one string) brand.Element {
	out := brand.Has(list)
	add := func(action, label, url string) {
		k := brand.Element{Name: one}.With("action", action, "label", label)
		if url != "" {
			k = k.With("commandArgs", url)
		}
		if len(out.Kids) < maxKeys {
			out.Kids = append(out.Kids, k)
		}
	}
	if p.Form != nil {
		add("AppendInputURL", p.Form.Submit, p.Form.URL)
		add("QuitApp", "Exit", "")
	}
	for _, i := range append(p.Items, p.Keys...) {
		switch {
		case i.Exit:
			add("QuitApp", i.Label, "")
		case i.Dial != "":
			add("Dial", i.Label, i.Dial)
		default:
			add("UseURL", i.Label, i.URL)
		}
	}
	return out
}
