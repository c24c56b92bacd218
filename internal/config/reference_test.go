package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the reference from the declarations")

const reference = "../../docs/configuration.md"

// TestReference holds that the reference is what the declarations say.
func TestReference(t *testing.T) {
	want := renderReference(t)
	if *update {
		if err := os.WriteFile(reference, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("docs/configuration.md is not what the declarations say; run go test ./internal/config -update\n%s", d)
	}
}

func renderReference(t *testing.T) string {
	t.Helper()
	comments := fieldComments(t)
	c := Default()
	var b strings.Builder
	b.WriteString(`# Configuration

Every setting of ` + "`perch serve --config FILE`" + `. The file is YAML; without one, the defaults apply.
A key that is not listed here is an error, and all errors are reported at once, with file, line and key.

Each setting can be set by environment too, and wins there. A list is separated by commas there; an empty
variable counts as unset. Relative paths are relative to the working directory. A file with every default
and its explanation is ` + "`configs/perch.yaml`" + `.

This page is made from the declarations in ` + "`internal/config`" + `.

| key | default | environment | meaning |
| --- | --- | --- | --- |
`)
	for _, x := range leaves(&c) {
		doc := comments[x.group.Name()+"."+x.field.Name]
		if doc == "" {
			t.Errorf("%s.%s has no comment", x.group.Name(), x.field.Name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", x.path, defaultText(x), x.env(), doc)
	}
	return b.String()
}

func defaultText(x leaf) string {
	if x.isList() {
		items := make([]string, x.value.Len())
		for i := range items {
			items[i] = fmt.Sprintf("`%v`", x.value.Index(i))
		}
		if len(items) == 0 {
			return "none"
		}
		return strings.Join(items, ", ")
	}
	text := fmt.Sprint(x.value)
	if text == "INFO" {
		text = "info"
	}
	if text == "" {
		return "empty"
	}
	return "`" + text + "`"
}

// fieldComments gives the comment of each field, as "Type.Field", on one line.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, is := n.(*ast.TypeSpec)
		if !is {
			return true
		}
		group, is := spec.Type.(*ast.StructType)
		if !is {
			return true
		}
		for _, f := range group.Fields.List {
			for _, name := range f.Names {
				out[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
		}
		return true
	})
	return out
}
