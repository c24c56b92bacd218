package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// readmeLines gives the commands in the shell blocks of a document.
func readmeLines(t testing.TB, file string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", file))
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if lang, fence := strings.CutPrefix(line, "```"); fence {
			inside = !inside && lang == "sh"
			continue
		}
		line, _, _ = strings.Cut(line, " #")
		line = strings.TrimSpace(strings.TrimPrefix(line, "$ "))
		if inside && line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestDocumentedCommands: what the documents tell a reader to type exists:
// make's targets, and perch's subcommands with every flag that is named.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"README.md"}
	more, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range more {
		files = append(files, "docs/"+filepath.Base(f))
	}
	seen := 0
	for _, file := range files {
		for _, line := range readmeLines(t, file) {
			words := strings.Fields(line)
			switch words[0] {
			case "make":
				seen++
				if out, code := try(t, "make", append([]string{"-n", "-C", root}, words[1:]...)...); code != 0 {
					t.Errorf("%s: %s\n%s", file, line, out)
				}
			case "bin/perch", "perch":
				seen++
				command(t, file, line, words[1:])
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d commands found: has the form of the blocks changed?", seen)
	}
}

// command asks for the help of a documented subcommand, and looks for its flags.
func command(t *testing.T, file, line string, words []string) {
	t.Helper()
	if len(words) == 0 || strings.HasPrefix(words[0], "-") {
		words = append([]string{""}, words...)
	}
	help, code := try(t, perch(t), strings.Fields(words[0]+" --help")...)
	if code != 0 {
		t.Errorf("%s: %s: exit %d\n%s", file, line, code, help)
		return
	}
	for _, w := range words[1:] {
		name, _, _ := strings.Cut(w, "=")
		if strings.HasPrefix(name, "-") && !strings.Contains(help, name) {
			t.Errorf("%s: %s: there is no %s", file, line, name)
		}
	}
}

// TestREADMELinks: every page that the README leads to is there.
func TestREADMELinks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(text), -1)
	if len(links) < 5 {
		t.Errorf("only %d links", len(links))
	}
	for _, l := range links {
		if _, err := os.Stat(filepath.Join("..", "..", l[1])); err != nil {
			t.Error(err)
		}
	}
}

// TestREADMELogin follows the page from the directory file to the login that
// it ends with, on a virtual phone in place of the real one.
func TestREADMELogin(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "# office.yaml\n")
	block, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("README.md shows no office.yaml")
	}
	var b strings.Builder
	for line := range strings.Lines(block) {
		b.WriteString(strings.TrimPrefix(line, "   "))
	}
	o := openWith(t, "tenants: []\n")
	office := filepath.Join(o.dir, "readme.yaml")
	if err := os.WriteFile(office, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := o.admin("apply", "-f", office); !strings.Contains(out, "1001") {
		t.Errorf("apply says:\n%s", out)
	}
	d := o.phone("yealink", yealinkDesk, secret("choose-one"))
	d.is(yealinkDesk)
	if out := o.admin("login", "--tenant", "acme", "--ext", "1001", "--mac", yealinkDesk, "--wait"); !strings.Contains(out, "lit") {
		t.Errorf("login --wait says:\n%s", out)
	}
	d.is("1001")
	d.hears(true, d.dial("*12"))
	d.is(yealinkDesk)
	for _, c := range []string{"mapping", "devices", "registrations"} {
		o.admin(c)
		if out := o.admin(c, "--json"); !strings.HasPrefix(out, "[") {
			t.Errorf("%s --json says %s", c, out)
		}
	}
	if out := o.admin("trace", "--mac", yealinkDesk); !strings.Contains(out, "registered") {
		t.Errorf("trace says:\n%s", out)
	}
}
