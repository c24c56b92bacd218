package directory

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of a tenant's templates.
const (
	maxTemplates     = 500
	maxTemplateText  = 32 << 10  // bytes of one
	maxTemplateTexts = 512 << 10 // of all
)

var (
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,31}$`)
	fileForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	modelForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}\*?$`)
)

// CheckTemplate says what is wrong with an entry's text, and in which line of
// it; 0 is the text as a whole. An empty message: nothing.
type CheckTemplate func(Template) (line int, message string)

// templates reads a tenant's list.
func (p *parser) templates(f field, t *tenantScope) {
	size := 0
	p.list(f, maxTemplates, func(g field) {
		e := p.template(g, t)
		size += len(e.Text)
		t.Templates = append(t.Templates, e)
	})
	if size > maxTemplateTexts {
		p.fault(f, "hold more than %d bytes of text together", maxTemplateTexts)
	}
}

func (p *parser) template(f field, t *tenantScope) Template {
	var e Template
	var text field
	before := len(p.faults.list)
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "name":
			e.Name = p.name(g)
		case "brand":
			e.Brand = p.brand(g)
		case "model":
			e.Model = p.match(g, modelForm, "a model as the phone names it, such as T46U, or its beginning and a star")
		case "site":
			if e.Site = p.name(g); e.Site != "" {
				t.siteRefs = append(t.siteRefs, siteRef{g, e.Site})
			}
		case "extension":
			e.Extension = p.owner(g)
		case "device":
			e.Device = p.templateDevice(g)
		case "file":
			e.File = p.match(g, fileForm, "the name of a file, such as device.cfg: perch template files lists them")
		case "block":
			e.Block = p.match(g, fileForm, "the name of a block, such as extra: perch template files lists them")
		case "text":
			text = g
		case "variables":
			e.Variables = p.variables(g)
		default:
			return false
		}
		return true
	}, "name", "brand", "model", "site", "extension", "device", "file", "block", "text", "variables") {
		return e
	}
	p.ifThere(text, func(g field) { e.Text = p.templateText(g) })
	if len(p.faults.list) > before { // one thing wrong is said once
		return e
	}
	switch {
	case e.Replaces() && text.node == nil:
		p.fault(f, "has no text: give what stands there instead (text: \"\" for nothing)")
	case !e.Replaces() && text.node != nil:
		p.fault(f, "has a text but neither file nor block: say what it replaces")
	case !e.Replaces() && len(e.Variables) == 0:
		p.fault(f, "does nothing: it needs a text for a file or block, or variables")
	case e.File != "" && e.Brand == "":
		p.fault(f, "names a file but no brand: each brand has files of its own")
	}
	if e.Replaces() && text.node != nil && p.check != nil && len(p.faults.list) == before {
		p.checkText(text, e)
	}
	return e
}

// checkText reports what the brand finds, at the line of the file where the
// text is written out line by line.
func (p *parser) checkText(f field, e Template) {
	line, message := p.check(e)
	if message == "" {
		return
	}
	at := f.node.Line
	if line > 0 && f.node.Style&yaml.LiteralStyle != 0 {
		at += line
	}
	if line > 0 {
		p.faults.add(at, f.place.String(), "line %d of the text: %s", line, message)
		return
	}
	p.faults.add(at, f.place.String(), "%s", message)
}

func (p *parser) templateDevice(f field) string {
	s := p.word(f)
	if s == "" {
		return ""
	}
	m, err := ParseMAC(s)
	if err != nil {
		p.fault(f, "%v", err)
		return ""
	}
	return m.String()
}

// templateText reads a text of many lines.
func (p *parser) templateText(f field) string {
	s, _ := p.bounded(f, maxTemplateText)
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if strings.ContainsFunc(s, func(r rune) bool { return isControl(r) && r != '\n' && r != '\t' }) || !utf8.ValidString(s) {
		p.fault(f, "contains a control character: remove it")
		return ""
	}
	return s
}

// variables reads names that admins make up, with their values.
func (p *parser) variables(f field) map[string]string {
	out := map[string]string{}
	p.object(f.place, f.node, func(g field) bool {
		if !variableForm.MatchString(g.key) {
			p.faults.add(g.node.Line, g.short(), "a variable's name is 1 to 32 of A-Z, a-z, 0-9, _ and does not begin with a digit")
			return true
		}
		out[g.key] = p.text(g)
		return true
	}, "names that you make up")
	if len(out) == 0 {
		return nil
	}
	return out
}

// defaultTemplates reads which named template is each brand's own.
func (p *parser) defaultTemplates(f field, t *tenantScope) {
	out := map[string]string{}
	p.object(f.place, f.node, func(g field) bool {
		brand := strings.ToLower(g.key)
		if !brandForm.MatchString(brand) {
			return false
		}
		name := p.name(g)
		if name != "" && !slices.ContainsFunc(t.Templates, func(e Template) bool { return e.Name == name && (e.Brand == "" || e.Brand == brand) }) {
			p.fault(g, "there is no template %s for %s among the tenant's templates", name, brand)
		}
		if name != "" {
			out[brand] = name
		}
		return true
	}, "the brands, such as yealink: senior")
	if len(out) > 0 {
		t.DefaultTemplates = out
	}
}

// templateName reads an extension's or device's choice. One that is not there
// does nothing.
func (p *parser) templateName(f field, t *tenantScope) string {
	s := p.name(f)
	if s != "" && !slices.Contains(t.NamedTemplates(), s) {
		p.warn(f, "the tenant has no template of the name %s: it changes nothing", s)
	}
	return s
}
