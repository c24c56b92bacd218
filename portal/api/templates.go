package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// Rendering is the file of one phone as it would get it now, without secrets.
type Rendering struct {
	Tenant    string          `json:"tenant"`
	MAC       string          `json:"mac"`
	Brand     string          `json:"brand"`
	Model     string          `json:"model" doc:"Empty: not known"`
	Extension string          `json:"extension" doc:"Who sits there; empty: nobody"`
	File      string          `json:"file" doc:"The template, as overrides name it"`
	Template  string          `json:"template" doc:"The named template in force; empty: none"`
	Text      string          `json:"text" doc:"The file; secrets are masked"`
	BuiltIn   string          `json:"built_in" doc:"The file as it would be without overrides"`
	Lines     []RenderedLine  `json:"lines"`
	Variables []Variable      `json:"variables"`
	Dropped   []DroppedKey    `json:"dropped" doc:"Keys that nobody sees on this phone"`
	Faults    []TemplateFault `json:"faults" doc:"Overrides that were left out because they are broken"`
}

// RenderedLine is a line of a file, with the layer that it comes from.
type RenderedLine struct {
	Text      string   `json:"text"`
	Layer     string   `json:"layer" enum:"built-in,brand,model,tenant,site,template,extension,device"`
	Source    string   `json:"source" doc:"Of an override: the entry of the directory"`
	Variables []string `json:"variables,omitempty" doc:"Those in the line, with the level that set them"`
}

// Variable is a custom variable in force.
type Variable struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// DroppedKey is a key of a sidecar without a place.
type DroppedKey struct {
	Type  string `json:"type"`
	Value string `json:"value"`
	Label string `json:"label"`
	Why   string `json:"why,omitempty"`
}

// TemplateFault is what is wrong with an override.
type TemplateFault struct {
	Tenant  string `json:"tenant"`
	Source  string `json:"source" doc:"The entry of the directory"`
	Line    int    `json:"line" doc:"Of its text; 0: the text as a whole"`
	Message string `json:"message"`
}

// TemplateFile is a file that can be overridden.
type TemplateFile struct {
	Brand  string   `json:"brand"`
	File   string   `json:"file"`
	Blocks []string `json:"blocks"`
}

// ErrNoTemplates is the answer for a phone whose files Perch cannot write.
var ErrNoTemplates = errors.New("api: no templates for this phone")

// Templates knows the files of phones and what admins laid over them.
type Templates interface {
	// Rendering gives the file of a device; with a number, as if that extension
	// were logged in there.
	Rendering(ctx context.Context, d directory.Device, number string) (Rendering, error)
	// Lint checks the overrides of a tenant.
	Lint(ctx context.Context, t directory.TenantCode) ([]TemplateFault, error)
	// Files lists what can be overridden, of one brand or of all.
	Files(brand string) ([]TemplateFile, error)
	// Chosen is the named template that a tenant gives a brand; empty: none.
	Chosen(t directory.Tenant, brand string) string
}

type renderingInput struct {
	MAC       string `path:"mac" maxLength:"17" doc:"MAC address of the device"`
	Extension string `query:"extension" maxLength:"32" doc:"As if this extension were logged in there"`
}

type renderingOutput struct{ Body Rendering }

func (s *server) rendering(ctx context.Context, in *renderingInput) (*renderingOutput, error) {
	mac, err := parseMAC(in.MAC)
	if err != nil {
		return nil, err
	}
	id, err := s.deviceID(ctx, mac)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	d, err := s.Store.Device(ctx, id)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return nil, noDevice()
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	out, err := s.Templates.Rendering(ctx, d, in.Extension)
	switch {
	case errors.Is(err, ErrNoTemplates):
		return nil, notFound("no_templates", "No templates for this phone", "Its brand is not known, or has no templates: name the brand in the directory.")
	case errors.Is(err, hotdesk.ErrNotFound) && in.Extension != "":
		return nil, notFound("no_such_extension", "No such extension", "The device's tenant has no extension of that number.")
	case err != nil:
		return nil, s.fault(ctx, err)
	}
	return &renderingOutput{out}, nil
}

type lintInput struct {
	Tenant string `query:"tenant" maxLength:"32" doc:"Only this tenant"`
}

type lintOutput struct{ Body []TemplateFault }

func (s *server) lint(ctx context.Context, in *lintInput) (*lintOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	out := []TemplateFault{}
	for _, t := range codes {
		faults, err := s.Templates.Lint(ctx, t)
		if err != nil && !errors.Is(err, hotdesk.ErrNotFound) { // removed meanwhile
			return nil, s.fault(ctx, err)
		}
		out = append(out, faults...)
	}
	return &lintOutput{out}, nil
}

type filesInput struct {
	Brand string `query:"brand" maxLength:"32" doc:"Only this brand"`
}

type filesOutput struct{ Body []TemplateFile }

func (s *server) templateFiles(ctx context.Context, in *filesInput) (*filesOutput, error) {
	files, err := s.Templates.Files(in.Brand)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return &filesOutput{files}, nil
}

// templateRoutes are there where the server was built with Templates.
func (s *server) templateRoutes(a huma.API) {
	if s.Templates == nil {
		return
	}
	huma.Register(a, op("rendering", http.MethodGet, "/devices/{mac}/rendering", "The file of a phone as it would get it now, and where each line comes from"), s.rendering)
	huma.Register(a, op("template-lint", http.MethodGet, "/templates/lint", "What is wrong with the templates of the directory"), s.lint)
	huma.Register(a, op("template-files", http.MethodGet, "/templates/files", "The files of each brand that can be overridden, with their blocks"), s.templateFiles)
}
