package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/portal/client"
	"perch/provisioning/brand/all"
	checking "perch/provisioning/desk"
)

// templateCmd is what admins do about the files of phones.
type templateCmd struct {
	Lint    templateLintCmd    `cmd:"" help:"Check the templates of a directory file, or of the running server."`
	Render  templateRenderCmd  `cmd:"" help:"Print the file of a phone as it would get it now, without secrets."`
	Diff    templateDiffCmd    `cmd:"" help:"Show what the overrides change in the file of a phone."`
	Explain templateExplainCmd `cmd:"" help:"Show for each line of a phone's file which layer it comes from."`
	Files   templateFilesCmd   `cmd:"" help:"List the files and blocks that can be overridden. Needs no server."`
}

type templateLintCmd struct {
	File   string `short:"f" placeholder:"FILE" help:"Directory file to check, - for standard input; needs no server."`
	Tenant string `placeholder:"CODE" help:"Only this tenant of the running server."`
	JSON   bool   `name:"json" help:"Print one JSON array (of the running server)."`
}

// Help says more than a line.
func (templateLintCmd) Help() string {
	return `Each text is parsed, its functions are checked, and sample desks are written with it.
perch apply refuses a file with such a fault; so what the server has was good with the
version that it was applied to. Exit 1 if anything is wrong.`
}

// Run checks.
func (l templateLintCmd) Run(e *env) error {
	if l.File != "" {
		return l.file(e)
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	faults, err := c.TemplateLint(e.ctx, client.Filter{Tenant: l.Tenant})
	if err != nil {
		return explain(err, c)
	}
	if l.JSON {
		if err := printJSON(e.out, faults); err != nil {
			return err
		}
	} else {
		printTemplateFaults(e, faults)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d templates are broken: phones get their files without them", len(faults))
	}
	if !l.JSON {
		fmt.Fprintln(e.out, "templates are good")
	}
	return nil
}

// file checks a directory file as apply would.
func (l templateLintCmd) file(e *env) error {
	in := e.in
	if l.File != "-" {
		f, err := os.Open(l.File)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	key, err := passingKey()
	if err != nil {
		return err
	}
	file, faults := directory.ParseFile(l.File, in, directory.ParseOptions{Keeper: anySeal{key}, Template: checking.Check(all.Brands())})
	for _, f := range faults {
		fmt.Fprintln(e.out, safe(f.String()))
	}
	if len(faults) > 0 {
		return fmt.Errorf("%s has %d faults", l.File, len(faults))
	}
	n := 0
	for _, t := range file.Tenants {
		n += len(t.Templates)
	}
	fmt.Fprintf(e.out, "%d templates are good\n", n)
	return nil
}

// anySeal takes sealed values of any server's key: what is checked here is not
// them.
type anySeal struct{ directory.Keeper }

// Open implements directory.Keeper.
func (anySeal) Open(string, string) (directory.Secret, error) { return "sealed-elsewhere", nil }

func printTemplateFaults(e *env, faults []api.TemplateFault) {
	for _, f := range faults {
		at := f.Source
		if f.Line > 0 {
			at += " line " + strconv.Itoa(f.Line)
		}
		fmt.Fprintf(e.out, "%s: %s\n", safe(at), safe(f.Message))
	}
}

// onDesk names the phone, and who is to sit there.
type onDesk struct {
	MAC string `name:"mac" required:"" placeholder:"MAC" help:"MAC address of the phone."`
	Ext string `name:"ext" placeholder:"NUMBER" help:"As if this extension were logged in there."`
}

func (o onDesk) rendering(e *env) (api.Rendering, error) {
	mac, err := directory.ParseMAC(o.MAC)
	if err != nil {
		return api.Rendering{}, usage{"--mac: " + err.Error()}
	}
	c, err := e.connect()
	if err != nil {
		return api.Rendering{}, err
	}
	r, err := c.Rendering(e.ctx, mac, o.Ext)
	if err != nil {
		return r, explain(err, c)
	}
	return r, nil
}

type templateRenderCmd struct {
	MAC string `name:"mac" placeholder:"MAC" help:"MAC address of the phone."`
	Ext string `name:"ext" placeholder:"NUMBER" help:"As if this extension were logged in there."`

	HTML     bool   `name:"html" help:"Instead of a file: a page of the phone's own screen, as the phone draws it. Needs no server."`
	XML      bool   `name:"xml" help:"With --html: the page as it goes to the phone."`
	Form     string `default:"login" placeholder:"PAGE" help:"With --html: which page; one that does not exist lists them."`
	Brand    string `placeholder:"BRAND" help:"With --html: whose phone."`
	Model    string `placeholder:"MODEL" help:"With --html: which model; some show pictures."`
	Language string `enum:"en,de" default:"en" help:"With --html: en or de."`
}

// Run prints the file, or draws the page.
func (t templateRenderCmd) Run(e *env) error {
	if t.HTML {
		return t.draw(e)
	}
	if t.MAC == "" {
		return usage{"--mac is missing: name the phone, or --html for a page of its screen"}
	}
	r, err := onDesk{MAC: t.MAC, Ext: t.Ext}.rendering(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(e.out, client.Printable(strings.ReplaceAll(r.Text, "\t", " ")))
	return err
}

type templateDiffCmd struct{ onDesk }

// Help says more than a line.
func (templateDiffCmd) Help() string {
	return `Lines beginning with - are those of the built-in file that are gone, those with + are new.
Nothing is printed where no override applies.`
}

// Run prints the difference.
func (t templateDiffCmd) Run(e *env) error {
	r, err := t.rendering(e)
	if err != nil {
		return err
	}
	for _, l := range lineDiff(strings.Split(r.BuiltIn, "\n"), strings.Split(r.Text, "\n")) {
		fmt.Fprintln(e.out, safe(l))
	}
	return broken(e, r)
}

// broken tells of overrides that were left out.
func broken(e *env, r api.Rendering) error {
	if len(r.Faults) == 0 {
		return nil
	}
	printTemplateFaults(e, r.Faults)
	return errors.New("broken templates were left out of this file")
}

type templateExplainCmd struct {
	onDesk
	JSON bool `name:"json" help:"Print one JSON object."`
}

// Help says more than a line.
func (templateExplainCmd) Help() string {
	return `The layers, the weakest first: built-in, brand, model, tenant, site, template (the named
one), extension, device. Then the variables in force with the level that set them, the
keys that nobody sees on this phone, and overrides that were left out.`
}

// Run explains.
func (t templateExplainCmd) Run(e *env) error {
	r, err := t.rendering(e)
	if err != nil {
		return err
	}
	if t.JSON {
		return printJSON(e.out, r)
	}
	rows := make([][]string, len(r.Lines))
	for i, l := range r.Lines {
		from := l.Layer
		if l.Source != "" {
			from += " (" + l.Source + ")"
		}
		if len(l.Variables) > 0 {
			from += " with " + strings.Join(l.Variables, ", ")
		}
		rows[i] = []string{from, l.Text}
	}
	if err := table(e.out, []string{"FROM", "LINE"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "\nfile %s of %s, template %s\n", safe(r.File), safe(r.Brand), or(&r.Template))
	for _, v := range r.Variables {
		fmt.Fprintf(e.out, "variable %s = %s (%s)\n", safe(v.Name), safe(v.Value), safe(v.Source))
	}
	for _, k := range r.Dropped {
		fmt.Fprintf(e.out, "key without a place: %s: %s\n", safe(strings.TrimSpace(k.Type+" "+k.Value+" "+k.Label)), safe(k.Why))
	}
	return broken(e, r)
}

type templateFilesCmd struct {
	Brand string `placeholder:"NAME" help:"Only this brand."`
}

// Run lists.
func (t templateFilesCmd) Run(e *env) error {
	var rows [][]string
	for _, b := range all.Brands() {
		if t.Brand != "" && t.Brand != string(b.Name) {
			continue
		}
		files, err := b.Files()
		if err != nil {
			return err
		}
		for _, f := range sortedKeys(files) {
			rows = append(rows, []string{string(b.Name), f, strings.Join(files[f], " ")})
		}
	}
	return table(e.out, []string{"BRAND", "FILE", "BLOCKS"}, rows)
}
