package store

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var opAtCall = regexp.MustCompile(`\b(?:s\.(?:do|run|field|fields|someFields|indexed|eachIndex)\(ctx, |newScript\()"([a-z_]+)"`)

func TestEveryOperationIsListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	used := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range opAtCall.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
			if !slices.Contains(Ops(), m[1]) {
				t.Errorf("%s: operation %q is not in Ops: its calls would count as other", name, m[1])
			}
		}
	}
	for _, op := range Ops() {
		if !used[op] {
			t.Errorf("operation %q is listed and never used", op)
		}
	}
}
