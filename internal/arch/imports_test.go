package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "perch"
)

// file is one Go file: the package it is in (without the module's name; the
// root is ".") and what it imports.
type file struct {
	path, pkg string
	test      bool
	imports   []string // perch's own packages without "perch/"
}

// TestImports holds the house: every import of every file against every rule.
func TestImports(t *testing.T) {
	files := goFiles(t)
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	for _, r := range rules() {
		for _, f := range files {
			for _, imported := range r.broken(f) {
				t.Errorf("%s imports %s, but %s", f.path, imported, r.why)
			}
		}
	}
}

// TestTheTwoPackagesNamedSIPNeverMeet keeps a reader from asking which sip it is.
func TestTheTwoPackagesNamedSIPNeverMeet(t *testing.T) {
	for _, f := range goFiles(t) {
		if slices.Contains(f.imports, "sip") && slices.Contains(f.imports, "github.com/emiago/sipgo/sip") {
			t.Errorf("%s imports our sip and sipgo's", f.path)
		}
	}
}

// goFiles reads the imports of every Go file of the product.
func goFiles(t *testing.T) []file {
	t.Helper()
	var all []file
	walkSource(t, func(path string) {
		if !strings.HasSuffix(path, ".go") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		f := file{path: path, pkg: filepath.ToSlash(filepath.Dir(path)), test: strings.HasSuffix(path, "_test.go")}
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			f.imports = append(f.imports, own(name))
		}
		all = append(all, f)
	})
	return all
}

// own takes the module's name off an import of ours.
func own(name string) string {
	if rest, ok := strings.CutPrefix(name, module+"/"); ok {
		return rest
	}
	return name
}

// walkSource calls f for each file that belongs to the product, by its path
// from the module's root.
func walkSource(t *testing.T, f func(path string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(name, ".") || slices.Contains([]string{"testdata", "tools", "bin", "data", "node_modules"}, name)) {
				return fs.SkipDir
			}
			return nil
		}
		f(path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// broken gives the imports of a file that the rule forbids. A package may
// always import what is below its own folder in the same pattern.
func (r rule) broken(f file) []string {
	if (f.test && !r.tests) || !matchAny(r.from, f.pkg) || matchAny(r.except, f.pkg) {
		return nil
	}
	var out []string
	for _, imported := range f.imports {
		if matchAny(r.deny, imported) && !matchAny(r.allow, imported) {
			out = append(out, imported)
		}
	}
	return out
}

func matchAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, path) })
}

// match tells whether a path falls under a pattern: itself, "a/..." for a and
// all below, "a/*" for all below only, "..." for everything.
func match(pattern, path string) bool {
	if pattern == "..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	if base, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(path, base+"/")
	}
	return path == pattern
}

// TestRulesRefuse proves the rules on files that do not exist: what is good
// passes, and what is bad is refused with its reason.
func TestRulesRefuse(t *testing.T) {
	for _, tc := range []struct{ pkg, imported, refused string }{
		{"hotdesk", "hotdesk/directory", ""},
		{"hotdesk", "net/http", "no technology"},
		{"hotdesk", "github.com/redis/go-redis/v9", "no technology"},
		{"hotdesk", "metrics", "as an event"},
		{"hotdesk", "hotdesk/reload", "point down"},
		{"hotdesk", "internal/store", "point down"},
		{"hotdesk/reload", "hotdesk", ""},
		{"hotdesk/reload", "internal/credential", ""},
		{"hotdesk/reload", "sip/notify", "point down"},
		{"hotdesk/directory", "hotdesk", "a leaf"},
		{"provisioning/brand", "net/http", "no technology"},
		{"provisioning/brand/yealink", "provisioning/brand", ""},
		{"provisioning/brand/all", "provisioning/brand/snom", ""},
		{"provisioning/brand/yealink", "internal/store", "point down"},
		{"sip/location", "github.com/emiago/sipgo/sip", "no technology"},
		{"sip/digest", "github.com/emiago/sipgo", "faster reader"},
		{"sip/registrar", "github.com/emiago/sipgo/sip", ""},
		{"sip/registrar", "sip/handler", ""},
		{"sip/registrar", "sip/location", ""},
		{"sip/registrar", "metrics", ""},
		{"sip/registrar", "sip/auth", "never a neighbour"},
		{"sip/registrar", "sip", "never a neighbour"},
		{"sip/auth", "internal/store", "declares what it needs"},
		{"sip/front", "github.com/emiago/sipgo/sip", "faster reader"},
		{"sip/handler", "sip/auth", "cannot use one of them"},
		{"sip", "sip/registrar", "knows none of them"},
		{"sip", "sip/flow", ""},
		{"provisioning", "provisioning/device", ""},
		{"provisioning", "net/http", ""},
		{"provisioning", "provisioning/phoneapp", "never imports an edge"},
		{"provisioning", "sip/flow", "never imports an edge"},
		{"provisioning", "sip/digest", ""},
		{"provisioning", "provisioning/brand/all", "is injected"},
		{"provisioning", "provisioning/brand/snom", "no switch over brands"},
		{"portal/api", "github.com/danielgtaylor/huma/v2", ""},
		{"portal/api", "portal/ui", "never imports an edge"},
		{"portal/ui", "portal/web", ""},
		{"internal/store", "hotdesk", ""},
		{"internal/store", "sip/location", ""},
		{"internal/store", "sip/registrar", "never knows who asks"},
		{"internal/store", "github.com/redis/go-redis/v9", ""},
		{"internal/app", "internal/store", ""},
		{"internal/app", "provisioning/brand/all", ""},
		{"internal/app", "github.com/emiago/sipgo", "only the packages below sip/"},
		{"internal/app", "github.com/prometheus/client_golang/prometheus", "sole importer"},
		{"internal/app", "portal/client", "nobody asks by HTTP"},
		{"internal/sim", "github.com/emiago/sipgo/sip", ""},
		{"internal/sim", "hotdesk/directory", ""},
		{"internal/sim", "hotdesk", "only what it fetched"},
		{"internal/sim", "provisioning/brand/yealink", "only what it fetched"},
		{"internal/config", "github.com/alecthomas/kong", "command lines"},
		{"cmd/perch", "internal/app", ""},
		{"cmd/perch", "provisioning/brand/all", ""},
		{"cmd/perch", "portal/client", ""},
		{"metrics", "hotdesk", "knows no domain"},
		{"metrics", "github.com/prometheus/client_golang/prometheus", ""},
	} {
		f := file{path: tc.pkg + "/x.go", pkg: tc.pkg, imports: []string{tc.imported}}
		var reasons []string
		for _, r := range rules() {
			if len(r.broken(f)) > 0 {
				reasons = append(reasons, r.why)
			}
		}
		switch text := strings.Join(reasons, " | "); {
		case tc.refused == "" && text != "":
			t.Errorf("%s may import %s, but: %s", tc.pkg, tc.imported, text)
		case !strings.Contains(text, tc.refused) || (tc.refused != "" && text == ""):
			t.Errorf("%s imports %s: refused with %q, want %q", tc.pkg, tc.imported, text, tc.refused)
		}
	}
}

func TestRulesInTestFiles(t *testing.T) {
	f := file{path: "hotdesk/x_test.go", pkg: "hotdesk", test: true}
	broken := func(imported string) (n int) {
		f.imports = []string{imported}
		for _, r := range rules() {
			n += len(r.broken(f))
		}
		return n
	}
	if broken("internal/store") != 0 {
		t.Error("a test may use the store")
	}
	if broken("github.com/prometheus/client_golang/prometheus") == 0 {
		t.Error("a test may not import Prometheus")
	}
}
