package brand

import "slices"

// Custom is what admins laid over the templates of a brand, for one desk.
type Custom struct {
	Overrides []Override          // the weakest first; those of other files do nothing
	Vars      map[string]Variable // by name, the strongest level of each
	Brand     Name
	Tenant    string
	Site      string
	Template  string // the named template in force; empty: none
	Explain   bool   // the Report shall say where each line comes from

	report *Report
}

// Override replaces a file of a brand, or a named block of one.
type Override struct {
	Layer  string // of Layers
	Source string // where an admin finds it: "tenant acme templates[2]"
	File   string // name of the template, as "device.cfg"; empty with a Block: any file
	Block  string // empty: the whole file
	Text   string
}

// Variable is a value that admins made up, with the level that set it.
type Variable struct{ Value, Source string }

// The layers of a template, the weakest first.
const (
	LayerBuiltIn   = "built-in"
	LayerBrand     = "brand"
	LayerModel     = "model"
	LayerTenant    = "tenant"
	LayerSite      = "site"
	LayerNamed     = "template"
	LayerExtension = "extension"
	LayerDevice    = "device"
)

// Layers lists the layers, the weakest first.
func Layers() []string {
	return []string{LayerBuiltIn, LayerBrand, LayerModel, LayerTenant, LayerSite, LayerNamed, LayerExtension, LayerDevice}
}

// Report says how a file came about.
type Report struct {
	Template string // file name of the template
	Lines    []Line // with Custom.Explain only
	Faults   []TemplateFault
	replaced bool // the keys of the sidecar are an admin's
}

// Line is a line of a rendered file.
type Line struct {
	Text   string
	Layer  string
	Source string   // of the override; empty: built in
	Vars   []string // "name (source)" of the variables in it
}

// TemplateFault is an override that was left out, and why.
type TemplateFault struct {
	Source  string
	Line    int // of the override's text; 0: the text as a whole
	Message string
}

// Write renders a file with what admins laid over it. An override that is
// broken is left out and named in the Report: the phone gets what the layers
// below it give, with the account it needs now.
func (b Brand) Write(d Desk, f File) (Rendered, Report, error) {
	if d.Custom == nil {
		out, err := b.Render(d, f)
		return out, Report{}, err
	}
	c, report := *d.Custom, &Report{}
	c.report = report
	d.Custom = &c
	out, err := b.Render(d, f)
	if report.replaced { // nobody knows whether the keys are still there
		out.Optional = distinct(slices.Concat(out.Optional, out.Keys))
		out.Keys = nil
	}
	return out, *report, err
}

// custom is how a Template finds what is laid over it: views embed the Desk.
func (d Desk) custom() *Custom { return d.Custom }

// customized is any view with a Desk in it.
type customized interface{ custom() *Custom }

// of gives the overrides of one template.
func (c *Custom) of(file string) []Override {
	var out []Override
	for _, o := range c.Overrides {
		if o.File == file || o.File == "" && o.Block != "" {
			out = append(out, o)
		}
	}
	return out
}
