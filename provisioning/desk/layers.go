package desk

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// custom gathers what admins laid over the files of one desk. Extension is that
// of whoever sits there; zero at an idle desk.
func custom(r Records) *brand.Custom {
	name, _ := brand.ParseName(cmp.Or(r.Device.Brand, r.Phone.Brand))
	c := &brand.Custom{Brand: name, Tenant: string(r.Tenant.Code), Site: r.Device.Site, Template: chosen(r, name), Vars: map[string]brand.Variable{}}
	var levels [layers]level
	for i, e := range r.Tenant.Templates {
		at := layerOf(e)
		if !inForce(e, r, c) {
			continue
		}
		source := fmt.Sprintf("tenant %s templates[%d]", r.Tenant.Code, i)
		if e.Replaces() {
			levels[at].overrides = append(levels[at].overrides, brand.Override{
				Layer: brand.Layers()[at], Source: source, File: e.File, Block: e.Block, Text: e.Text,
			})
		}
		levels[at].add(e.Variables, source)
	}
	site, _ := r.Tenant.Site(r.Device.Site)
	levels[atTenant].add(r.Tenant.Variables, "tenant "+string(r.Tenant.Code))
	levels[atSite].add(site.Variables, "site "+site.Code)
	levels[atExtension].add(r.Extension.Variables, "extension "+r.Extension.ID.Number)
	levels[atDevice].add(r.Device.Variables, "device "+r.Device.ID.MAC.String())
	for _, l := range levels {
		c.Overrides = append(c.Overrides, l.overrides...)
		for _, v := range l.variables {
			for n, value := range v.values {
				c.Vars[n] = brand.Variable{Value: value, Source: v.source}
			}
		}
	}
	return c
}

// level is what one layer brings.
type level struct {
	overrides []brand.Override
	variables []variables
}

type variables struct {
	values map[string]string
	source string
}

func (l *level) add(values map[string]string, source string) {
	if len(values) > 0 {
		l.variables = append(l.variables, variables{values, source})
	}
}

// Where the layers stand in brand.Layers.
const (
	_ = iota // built in
	atBrand
	atModel
	atTenant
	atSite
	atNamed
	atExtension
	atDevice
	layers
)

// layerOf is the strongest of what an entry names.
func layerOf(e directory.Template) int {
	switch {
	case e.Device != "":
		return atDevice
	case e.Extension != "":
		return atExtension
	case e.Name != "":
		return atNamed
	case e.Site != "":
		return atSite
	case e.Model != "":
		return atModel
	case e.Brand != "":
		return atBrand
	default:
		return atTenant
	}
}

// inForce tells whether all that an entry names applies to the desk.
func inForce(e directory.Template, r Records, c *brand.Custom) bool {
	if e.Brand != "" {
		if name, _ := brand.ParseName(e.Brand); name != c.Brand {
			return false
		}
	}
	return (e.Name == "" || e.Name == c.Template) &&
		(e.Model == "" || brand.Fits(e.Model, model(r))) &&
		(e.Site == "" || e.Site == r.Device.Site) &&
		(e.Extension == "" || e.Extension == r.Extension.ID.Number) &&
		(e.Device == "" || e.Device == r.Device.ID.MAC.String())
}

// Check is how the directory checks the text of an entry.
func Check(l brand.List) directory.CheckTemplate {
	return func(e directory.Template) (int, string) {
		faults := l.Lint(e.Brand, e.Model, brand.Override{File: e.File, Block: e.Block, Text: e.Text})
		if len(faults) == 0 {
			return 0, ""
		}
		return faults[0].Line, faults[0].Message
	}
}

// chosen is the named template in force: the person's, whatever phone they sit
// at, else the device's, else the brand's default.
func chosen(r Records, name brand.Name) string {
	return cmp.Or(r.Extension.Template, r.Device.Template, ByDefault(r.Tenant, name))
}

// ByDefault is the named template that a tenant gives a brand.
func ByDefault(t directory.Tenant, name brand.Name) string {
	if own := t.DefaultTemplates[string(name)]; own != "" {
		return own
	}
	for _, written := range slices.Sorted(maps.Keys(t.DefaultTemplates)) { // "polycom"
		if n, ok := brand.ParseName(written); ok && n == name {
			return t.DefaultTemplates[written]
		}
	}
	return ""
}
