package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/provisioning/brand"
	"perch/provisioning/desk"
)

// templates answers what admins ask about the files of phones.
type templates struct{ *desks }

var _ api.Templates = templates{}

// Rendering implements api.Templates.
func (t templates) Rendering(ctx context.Context, dev directory.Device, number string) (api.Rendering, error) {
	r, err := t.records(ctx, dev)
	if err != nil {
		return api.Rendering{}, fmt.Errorf("app: rendering for %s: %w", dev.ID, err)
	}
	b, ok := t.brandOf(dev, r.Phone)
	if !ok {
		return api.Rendering{}, api.ErrNoTemplates
	}
	if number != "" { // as if they sat there; the password is masked anyway
		if r.Extension, err = t.store.Extension(ctx, directory.ExtensionID{Tenant: dev.ID.Tenant, Number: number}); err != nil {
			return api.Rendering{}, err
		}
		r.Seats = hotdesk.Seats{Bindings: []hotdesk.Binding{{Session: "preview", Number: number, Line: 1}}}
	}
	want, _, err := desk.Of(r, t.place(r.Phone), t.key, time.Now())
	if err != nil {
		return api.Rendering{}, err
	}
	want = t.asFetched(want, dev, r.Phone).Masked()
	file := brand.File{Kind: brand.Device, MAC: dev.ID.MAC}
	want.Custom.Explain = true
	out, report, err := b.Write(want, file)
	if err != nil {
		return api.Rendering{}, err
	}
	answer := api.Rendering{
		Tenant: string(dev.ID.Tenant), MAC: dev.ID.MAC.String(), Brand: string(b.Name), Model: want.Model, File: report.Template,
		Template: want.Custom.Template, Text: string(out.Body), Lines: linesOf(report), Variables: variablesOf(want.Custom),
		Dropped: keysOf(out), Faults: faultsOf(dev.ID.Tenant, report.Faults),
	}
	if want.Bound {
		answer.Extension = want.Account.User
	}
	want.Custom = nil
	plain, err := b.Render(want, file)
	if err != nil {
		return api.Rendering{}, err
	}
	answer.BuiltIn = string(plain.Body)
	return answer, nil
}

func linesOf(r brand.Report) []api.RenderedLine {
	out := make([]api.RenderedLine, len(r.Lines))
	for i, l := range r.Lines {
		out[i] = api.RenderedLine{Text: l.Text, Layer: l.Layer, Source: l.Source, Variables: l.Vars}
	}
	return out
}

func variablesOf(c *brand.Custom) []api.Variable {
	out := []api.Variable{}
	for _, name := range slices.Sorted(maps.Keys(c.Vars)) {
		out = append(out, api.Variable{Name: name, Value: c.Vars[name].Value, Source: c.Vars[name].Source})
	}
	return out
}

func keysOf(r brand.Rendered) []api.DroppedKey {
	out := []api.DroppedKey{}
	for _, k := range r.Dropped {
		out = append(out, api.DroppedKey{Type: k.Type, Value: k.Value, Label: k.Label, Why: "the model has no place for it, or cannot show it"})
	}
	for _, k := range r.Absent {
		out = append(out, api.DroppedKey{Type: k.Type, Value: k.Value, Label: k.Label, Why: "on an expansion module that the phone does not have"})
	}
	return out
}

func faultsOf(t directory.TenantCode, faults []brand.TemplateFault) []api.TemplateFault {
	out := []api.TemplateFault{}
	for _, f := range faults {
		out = append(out, api.TemplateFault{Tenant: string(t), Source: f.Source, Line: f.Line, Message: f.Message})
	}
	return out
}

// Lint implements api.Templates.
func (t templates) Lint(ctx context.Context, code directory.TenantCode) ([]api.TemplateFault, error) {
	tenant, err := t.store.Tenant(ctx, code)
	if err != nil {
		return nil, err
	}
	check := desk.Check(t.brands)
	out := []api.TemplateFault{}
	for i, e := range tenant.Templates {
		if !e.Replaces() {
			continue
		}
		if line, message := check(e); message != "" {
			out = append(out, api.TemplateFault{Tenant: string(code), Source: fmt.Sprintf("tenant %s templates[%d]", code, i), Line: line, Message: message})
		}
	}
	return out, nil
}

// Files implements api.Templates.
func (t templates) Files(name string) ([]api.TemplateFile, error) {
	out := []api.TemplateFile{}
	for _, b := range t.brands {
		if name != "" && name != string(b.Name) {
			continue
		}
		files, err := b.Files()
		if err != nil {
			return nil, err
		}
		for _, f := range slices.Sorted(maps.Keys(files)) {
			out = append(out, api.TemplateFile{Brand: string(b.Name), File: f, Blocks: files[f]})
		}
	}
	return out, nil
}

// Chosen implements api.Templates.
func (templates) Chosen(t directory.Tenant, name string) string {
	n, _ := brand.ParseName(name)
	return desk.ByDefault(t, n)
}
