package directory

// Template is one change that admins make to the files of phones: text in place
// of a built-in file or a named block of it, variables, or both. It is in force
// where everything it names applies.
type Template struct {
	Name      string            `json:"name,omitempty"` // a named template; empty: in force without being chosen
	Brand     string            `json:"brand,omitempty"`
	Model     string            `json:"model,omitempty"` // all of it, or the beginning and a star
	Site      string            `json:"site,omitempty"`
	Extension string            `json:"extension,omitempty"` // number of whoever sits there
	Device    string            `json:"device,omitempty"`    // MAC, 12 lower-case hex digits
	File      string            `json:"file,omitempty"`      // as the brand names it: "device.cfg"
	Block     string            `json:"block,omitempty"`     // empty: the whole file
	Text      string            `json:"text,omitempty"`
	Variables map[string]string `json:"variables,omitempty"`
}

// Replaces tells that the entry holds text, and not variables alone.
func (t Template) Replaces() bool { return t.File != "" || t.Block != "" }

// NamedTemplates lists the names of a tenant's named templates, in the order in
// which they first stand.
func (t Tenant) NamedTemplates() []string {
	var names []string
	seen := map[string]bool{}
	for _, e := range t.Templates {
		if e.Name != "" && !seen[e.Name] {
			seen[e.Name] = true
			names = append(names, e.Name)
		}
	}
	return names
}

// Names says in words what the entry is about: "brand yealink", "block extra".
func (t Template) Names() []string {
	var out []string
	for _, x := range [...][2]string{
		{"template", t.Name},
		{"brand", t.Brand},
		{"model", t.Model},
		{"site", t.Site},
		{"extension", t.Extension},
		{"device", t.Device},
		{"file", t.File},
		{"block", t.Block},
	} {
		if x[1] != "" {
			out = append(out, x[0]+" "+x[1])
		}
	}
	if len(t.Variables) > 0 {
		out = append(out, "variables")
	}
	return out
}
