package brand

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// keysBlock is the block that holds the sidecar, in every brand's file.
const keysBlock = "keys"

// layer is an override on its way into a template.
type layer struct {
	Override        // its text placed
	original string // its text
	key      string // of the text: the name that errors carry
}

// layered writes the file with the overrides, leaving out one after the other
// that is broken, and false when nothing but the built-in file is left to try.
func (t *Template) layered(v any, c *Custom) ([]byte, bool) {
	c.report.Template = t.name
	var layers []layer
	for _, o := range c.of(t.name) {
		sum := sha256.Sum256([]byte(o.Block + "\x00" + o.Text))
		l := layer{o, o.Text, "layer-" + hex.EncodeToString(sum[:8])}
		l.Text = placed(o)
		layers = append(layers, l)
	}
	data := c.data(v)
	for {
		body, err := t.compose(layers, data, c)
		if err == nil {
			return body, true
		}
		culprit := slices.IndexFunc(layers, func(l layer) bool { return l.key == err.key })
		if len(layers) == 0 || culprit < 0 {
			for _, l := range layers {
				c.report.Faults = append(c.report.Faults, TemplateFault{l.Source, 0, err.message})
			}
			if len(layers) == 0 {
				return nil, false
			}
			layers = nil
			continue
		}
		c.report.Faults = append(c.report.Faults, TemplateFault{layers[culprit].Source, layers[culprit].lineOf(err.line), err.message})
		layers = slices.Delete(slices.Clone(layers), culprit, culprit+1)
	}
}

// placed is the text as it stands in the file: a block begins on a line of its
// own and leaves the end of its last to what follows.
func placed(o Override) string {
	text := strings.ReplaceAll(o.Text, "\r\n", "\n")
	if o.Block == "" {
		return text
	}
	if text = strings.Trim(text, "\n"); text == "" {
		return ""
	}
	return "\n" + text
}

// lineOf is the line in the admin's text of one in the placed text.
func (l layer) lineOf(line int) int {
	if l.Block == "" || line == 0 {
		return line
	}
	first := len(l.original) - len(strings.TrimLeft(l.original, "\r\n"))
	return max(1, line-1+strings.Count(l.original[:first], "\n"))
}

// broken is why a composed template gives no file.
type broken struct {
	key     string // of the override at fault; empty: not known
	line    int
	message string
}

// templateError is the form of text/template's messages.
var templateError = regexp.MustCompile(`(?s)^template: ([^:]*):(\d+)(?::\d+)?: (.*)$`)

func brokenBy(err error) *broken {
	m := templateError.FindStringSubmatch(err.Error())
	if m == nil {
		return &broken{message: printable(err.Error())}
	}
	line, _ := strconv.Atoi(m[2]) // the form holds digits only
	return &broken{key: m[1], line: line, message: printable(m[3])}
}

// printable keeps a message on its line.
func printable(s string) string {
	const most = 300
	s = clean(s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// compose lays the overrides over the built-in trees and executes the result on
// plain data. Layer 0 is the built-in file, layer k is layers[k-1].
func (t *Template) compose(layers []layer, data map[string]any, c *Custom) ([]byte, *broken) {
	set, err := t.builtIn()
	if err != nil {
		return nil, brokenBy(err)
	}
	for k, l := range layers {
		if b := t.lay(set, l, k+1); b != nil {
			return nil, b
		}
	}
	if b := cycle(set, layers); b != nil {
		return nil, b
	}
	w := &tracker{layers: layers, vars: c.Vars}
	tpl := template.New(t.name).Option("missingkey=error").Funcs(safeFuncs()).Funcs(template.FuncMap{
		escapeFunc: escaper(t.format), atFunc: w.at, varFunc: w.variable,
	})
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if tpl, err = tpl.AddParseTree(treeName(t.name, name), set[name]); err != nil {
			return nil, brokenBy(err)
		}
	}
	w.begin()
	if err := tpl.ExecuteTemplate(w, t.name, data); err != nil {
		b := brokenBy(err)
		if w.over { // whoever was running pays; the line is where it was
			b.key = w.blame()
		}
		return nil, b
	}
	if b := t.wellFormed(w); len(layers) > 0 && b != nil {
		return nil, b
	}
	c.report.replaced = slices.ContainsFunc(layers, func(l layer) bool { return l.Block == keysBlock || l.Block == "" })
	if c.Explain {
		c.report.Lines = w.lines()
	}
	return w.buf.Bytes(), nil
}

// treeName is "" for the file itself.
func treeName(file, name string) string {
	if name == "" {
		return file
	}
	return name
}

// builtIn gives the trees of the file as Perch ships it: the file under "", its
// blocks by name. The trees are shared and never changed; the map is not.
func (t *Template) builtIn() (map[string]*parse.Tree, error) {
	trees, err := t.read("built-in", 0, func() (map[string]*parse.Tree, error) { return parseBuiltIn(t.text) })
	return maps.Clone(trees), err
}

// parseBuiltIn reads a file that Perch ships.
func parseBuiltIn(text string) (map[string]*parse.Tree, error) {
	trees := map[string]*parse.Tree{}
	p := parse.New("built-in")
	p.Mode = parse.SkipFuncCheck
	if _, err := p.Parse(text, "", "", trees); err != nil {
		return nil, err
	}
	delete(trees, "built-in")
	trees[""] = p
	return trees, nil
}

// maxTrees bounds the admins' texts that stay compiled.
const maxTrees = 512

// compiled names a text that runs as layer k.
type compiled struct {
	key   string
	layer int
}

// read compiles a text once for each layer that it is used as.
func (t *Template) read(key string, k int, parse func() (map[string]*parse.Tree, error)) (map[string]*parse.Tree, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.trees[compiled{key, k}]; ok {
		return known, nil
	}
	trees, err := parse()
	if err != nil {
		return nil, err
	}
	for name, tree := range trees {
		trees[name] = prepared(tree, k, parentOf(name, k))
	}
	if len(t.trees) >= maxTrees {
		clear(t.trees)
	}
	t.trees[compiled{key, k}] = trees
	return trees, nil
}

// parentOf names what a tree of layer k replaces; no template can write a name
// like it by accident. That of a whole text is its block's, or the file.
func parentOf(name string, k int) string { return fmt.Sprintf("%s %d", name, k) }

// lay puts one override into the set. What it replaces stays as its parent.
func (t *Template) lay(set map[string]*parse.Tree, l layer, k int) *broken {
	if _, has := set[l.Block]; !has {
		if l.File == "" { // of any file: this one has no such block
			return nil
		}
		return &broken{l.key, 0, fmt.Sprintf("%s has no block %q; it has %s", t.name, l.Block, strings.Join(blockNames(set), " "))}
	}
	trees, err := t.read(l.key, k, func() (map[string]*parse.Tree, error) { return parseSafe(l.key, l.Text, l.Block == "") })
	if err != nil {
		return brokenBy(err)
	}
	for name, tree := range trees {
		target := name
		if name == "" {
			target = l.Block
		}
		if old, has := set[target]; has {
			set[parentOf(name, k)] = old
		}
		set[target] = tree
	}
	return nil
}

func blockNames(set map[string]*parse.Tree) []string {
	var names []string
	for n := range set {
		if n != "" && !strings.Contains(n, " ") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return []string{"none"}
	}
	return names
}

// cycle finds a template that leads back to itself.
func cycle(set map[string]*parse.Tree, layers []layer) *broken {
	state := map[string]int{} // 1: being looked at, 2: done
	var visit func(name string) bool
	visit = func(name string) bool {
		switch tree := set[name]; {
		case tree == nil || state[name] == 2:
			return false
		case state[name] == 1:
			return true
		default:
			state[name] = 1
			for _, next := range uses(tree.Root) {
				if visit(next) {
					return true
				}
			}
			state[name] = 2
			return false
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if visit(name) {
			key := ""
			if len(layers) > 0 {
				key = layers[len(layers)-1].key
			}
			return &broken{key, 0, fmt.Sprintf("%q includes itself; what it replaces is \"parent\"", name)}
		}
	}
	return nil
}

func uses(n parse.Node) []string {
	var out []string
	if t, ok := n.(*parse.TemplateNode); ok {
		out = append(out, t.Name)
	}
	for _, c := range children(n) {
		out = append(out, uses(c)...)
	}
	return out
}

// wellFormed reads an XML file again: an admin's text may have broken it.
func (t *Template) wellFormed(w *tracker) *broken {
	if t.format != XML {
		return nil
	}
	d := xml.NewDecoder(bytes.NewReader(w.buf.Bytes()))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			line, _ := d.InputPos()
			return &broken{w.keyAt(line), 0, printable(fmt.Sprintf("the file is no longer well-formed XML, line %d: %v", line, err))}
		}
	}
}
