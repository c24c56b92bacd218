package brand

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/template/parse"

	"perch/hotdesk/directory"
)

// Files lists the files of a brand that admins may override, each with its
// blocks.
func (b Brand) Files() (map[string][]string, error) {
	out := map[string][]string{}
	if b.Templates == nil {
		return out, nil
	}
	names, err := fs.Glob(b.Templates, "templates/*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("brand: templates of %s: %w", b.Name, err)
	}
	for _, n := range names {
		text, err := fs.ReadFile(b.Templates, n)
		if err != nil {
			return nil, fmt.Errorf("brand: templates of %s: %w", b.Name, err)
		}
		trees, err := parseBuiltIn(string(text))
		if err != nil {
			return nil, fmt.Errorf("brand: templates of %s: %w", b.Name, err)
		}
		if len(trees) > 1 { // a file without blocks carries no account and is made without a desk
			out[FileName(n)] = blockNames(trees)
		}
	}
	return out, nil
}

// Lint checks one override before it is used: that the file and the block are
// there, that the text is understood, and that sample desks can be written with
// it. Model may be empty or a pattern. Variables need not exist yet.
func (l List) Lint(name, model string, o Override) []TemplateFault {
	brands := l
	if name != "" {
		b, ok := l.Find(name)
		if !ok || !b.HasTemplates() {
			return []TemplateFault{{o.Source, 0, fmt.Sprintf("there are no templates for brand %q", printable(name))}}
		}
		brands = List{b}
	}
	trees, err := parseSafe("text", placed(o), o.Block == "")
	if err != nil {
		bad := brokenBy(err)
		return []TemplateFault{{o.Source, layer{Override: o, original: o.Text}.lineOf(bad.line), bad.message}}
	}
	fits := false
	var where []string
	for _, b := range brands {
		files, err := b.Files()
		if err != nil {
			return []TemplateFault{{o.Source, 0, printable(err.Error())}}
		}
		for file, blocks := range files {
			where = append(where, fmt.Sprintf("%s of %s has %s", file, b.Name, strings.Join(blocks, " ")))
			if o.File != "" && o.File != file || o.Block != "" && !slices.Contains(blocks, o.Block) {
				continue
			}
			fits = true
			if faults := b.sample(model, o, trees); len(faults) > 0 {
				return faults
			}
		}
	}
	if !fits {
		slices.Sort(where)
		if len(where) > 4 {
			where = append(where[:4], "and so on: perch template files lists them")
		}
		return []TemplateFault{{o.Source, 0, fmt.Sprintf("no such file or block: %s", strings.Join(where, "; "))}}
	}
	return nil
}

// sample writes an idle and a bound desk with the override.
func (b Brand) sample(model string, o Override, trees map[string]*parse.Tree) []TemplateFault {
	vars := map[string]Variable{}
	for _, t := range trees {
		for _, n := range fieldsOf(t.Root, "Vars") {
			vars[n] = Variable{"1", "sample"}
		}
	}
	for _, d := range sampleDesks() {
		d.Model = strings.TrimSuffix(model, "*")
		d.Custom = &Custom{Overrides: []Override{o}, Vars: vars, Brand: b.Name, Tenant: "sample"}
		_, report, err := b.Write(d, File{Kind: Device, Name: "sample", MAC: d.MAC})
		if err != nil {
			return []TemplateFault{{o.Source, 0, printable(err.Error())}}
		}
		if len(report.Faults) > 0 {
			return report.Faults
		}
	}
	return nil
}

// sampleDesks are a desk with everything and one with little.
func sampleDesks() []Desk {
	idle := Desk{
		MAC: directory.MAC{2, 0, 0, 0, 0, 1}, Label: "Desk", Domain: "sample.test",
		Account:      Account{User: "020000000001", AuthUser: "020000000001", Password: "sample"},
		Server:       Server{Host: "192.0.2.1", Port: 5060, Transport: UDP, Expires: 300},
		FeatureCodes: directory.DefaultFeatureCodes(), EmergencyNumbers: []string{"112"},
		Provisioning: Provisioning{URL: "http://192.0.2.1/", User: "020000000001", Password: "sample"},
	}
	bound := idle
	bound.Bound, bound.TimeZone, bound.NTPServer, bound.Language, bound.AdminPassword = true, "Europe/Berlin", "192.0.2.2", "de", "sample"
	bound.Account.User, bound.Account.DisplayName = "1001", "Sample"
	bound.Keys = []directory.Key{{Type: KeyBLF, Value: "1002", Label: "Key"}, {Type: KeySpeedDial, Value: "1003"}}
	return []Desk{idle, bound}
}

// Fits tells whether a model matches what an entry names: all of it, or the
// beginning where that ends in a star. Case does not count.
func Fits(pattern, model string) bool {
	pattern, model = strings.ToUpper(pattern), strings.ToUpper(model)
	if begin, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(model, begin)
	}
	return pattern == model
}
