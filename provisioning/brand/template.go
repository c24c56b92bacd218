package brand

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"
)

// Template is a file of one brand, compiled. Every action in it ends in the
// escaping of its format: the pass over the parse tree adds it, so no author
// can forget it.
type Template struct {
	name   string // as admins name it: "device.cfg"
	text   string
	format Format
	tpl    *template.Template

	mu    sync.Mutex
	trees map[compiled]map[string]*parse.Tree
}

// escapeFunc is the name under which the pass adds the escaper. A template that
// writes it itself escapes twice.
const escapeFunc = "_perch_escape"

// ParseTemplate compiles a file of the folder that a brand embeds.
func ParseTemplate(files fs.FS, name string, format Format) (*Template, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("brand: template %s: %w", name, err)
	}
	return NewTemplate(name, string(text), format)
}

// NewTemplate compiles the text of a template.
func NewTemplate(name, text string, format Format) (*Template, error) {
	t, err := template.New(name).Option("missingkey=error").
		Funcs(template.FuncMap{escapeFunc: escaper(format)}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("brand: template %s: %w", name, err)
	}
	for _, each := range t.Templates() {
		if each.Tree != nil {
			escapeNode(each.Root)
		}
	}
	return &Template{name: FileName(name), text: text, format: format, tpl: t, trees: map[compiled]map[string]*parse.Tree{}}, nil
}

// FileName is the name by which admins know an embedded template.
func FileName(embedded string) string { return strings.TrimSuffix(path.Base(embedded), ".tmpl") }

func escaper(format Format) func(any) string {
	return func(v any) string {
		switch v := v.(type) {
		case string:
			return format.Escape(v)
		case int: // most of a sidecar is numbers
			return strconv.Itoa(v)
		}
		return format.Escape(fmt.Sprint(v))
	}
}

// Execute writes the file for v, with what admins laid over it where v holds a
// Desk.
func (t *Template) Execute(v any) ([]byte, error) {
	if d, ok := v.(customized); ok {
		if c := d.custom(); c != nil && c.report != nil && (c.Explain || len(c.of(t.name)) > 0) {
			if body, ok := t.layered(v, c); ok {
				return body, nil
			}
		}
	}
	var b bytes.Buffer
	if err := t.tpl.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("brand: render %s: %w", t.tpl.Name(), err)
	}
	return b.Bytes(), nil
}

// escapeNode adds the escaper to every action that writes.
func escapeNode(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, c := range n.Nodes {
			escapeNode(c)
		}
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, call(n.Pos, escapeFunc))
		}
	case *parse.IfNode:
		escapeBranch(&n.BranchNode)
	case *parse.RangeNode:
		escapeBranch(&n.BranchNode)
	case *parse.WithNode:
		escapeBranch(&n.BranchNode)
	}
}

func escapeBranch(n *parse.BranchNode) {
	escapeNode(n.List)
	escapeNode(n.ElseList)
}

// call is a command of a pipe: a function with arguments.
func call(pos parse.Pos, name string, args ...parse.Node) *parse.CommandNode {
	return &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: pos,
		Args: append([]parse.Node{parse.NewIdentifier(name).SetPos(pos)}, args...),
	}
}
